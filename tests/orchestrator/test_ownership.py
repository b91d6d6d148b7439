"""One owner per run: whoever comes second is told who is first, and whoever was taken over writes nothing more."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from agentrelay_core import Event, Fenced, Parked
from agentrelay_core.journal import Journal, read_events
from agentrelay_core.orchestrator import RunIsOwned
from agentrelay_core.orchestrator.ownership import LOCK_FILE, current_owner, owned

HOLD = """
import asyncio, sys
from pathlib import Path
from agentrelay_core.orchestrator.ownership import owned
async def hold():
    async with owned(Path(sys.argv[1])):
        print("owned", flush=True)
        await asyncio.to_thread(sys.stdin.read)
asyncio.run(hold())
"""


@pytest.fixture
def other(tmp_path):
    """Another process that owns the run in `tmp_path`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "owned\n"
    yield process
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        pipe.close()


async def _own(path: Path, **more: bool) -> int | None:
    async with owned(path, **more) as descriptor:
        return descriptor


@pytest.mark.fault("O5")
async def test_the_second_is_told_who_is_first_at_once(other, tmp_path):
    """In far less than a second, with the owner's process; afterwards the run is free."""
    began = time.monotonic()
    with pytest.raises(RunIsOwned, match=f"in process {other.pid} on "):
        await _own(tmp_path)
    assert time.monotonic() - began < 1
    assert current_owner(tmp_path)["pid"] == other.pid
    other.kill()
    other.wait()
    assert await _own(tmp_path) is not None
    assert current_owner(tmp_path) is None


@pytest.mark.fault("O5")
async def test_a_hundred_double_starts_have_one_owner_each(tmp_path):
    """Of several that start at one moment exactly one owns the run, a hundred times."""
    for number in range(100):
        place = tmp_path / str(number)
        place.mkdir()
        owners = 0
        release = asyncio.Event()
        refused = asyncio.Event()
        count = 0

        async def start(place=place, release=release, refused=refused):
            nonlocal owners, count
            try:
                async with owned(place):
                    owners += 1
                    await release.wait()
            except RunIsOwned:
                count += 1
                if count == 3:
                    refused.set()

        starts = [asyncio.create_task(start()) for _ in range(4)]
        await refused.wait()
        assert owners == 1
        release.set()
        await asyncio.gather(*starts)


async def test_who_waits_owns_the_run_next(other, tmp_path):
    """`wait` ends when the owner does."""
    waiting = asyncio.create_task(_own(tmp_path, wait=True))
    done, _ = await asyncio.wait({waiting}, timeout=0.3)
    assert not done
    other.stdin.close()
    assert await asyncio.wait_for(waiting, 10) is not None


@pytest.mark.fault("O7")
async def test_a_lock_on_a_file_that_was_replaced_counts_for_nothing(tmp_path):
    """Where the lock file was removed and made anew, the run belongs to who locks the file at the path."""
    async with owned(tmp_path) as first:
        (tmp_path / LOCK_FILE).unlink()
        async with owned(tmp_path) as second:
            assert os.fstat(second).st_ino == (tmp_path / LOCK_FILE).stat().st_ino
            assert os.fstat(first).st_ino != os.fstat(second).st_ino
            with pytest.raises(RunIsOwned):
                await _own(tmp_path)


@pytest.mark.fault("O4")
async def test_helpers_of_a_dead_owner_are_waited_for(other, tmp_path):
    """A program that inherited the lock keeps successors waiting; one that stays is named to a person."""
    async with asyncio.timeout(20):
        other.kill()
        other.wait()
        async with owned(tmp_path) as descriptor:
            helper = subprocess.Popen(["sleep", "60"], pass_fds=[descriptor])
            # As if this process had died: the lock names one that has.
            known = (tmp_path / LOCK_FILE).read_text().replace(f'"pid": {os.getpid()}', f'"pid": {other.pid}')
        (tmp_path / LOCK_FILE).write_text(known)
        try:
            with pytest.raises(Parked, match=f"processes {helper.pid}"):
                async with owned(tmp_path, patience=0.3):
                    pass
            waiting = asyncio.create_task(_own(tmp_path))
            await asyncio.sleep(0)
            helper.kill()
            helper.wait()
            assert await waiting is not None
        finally:
            helper.kill()
            helper.wait()


@pytest.mark.fault("O6")
async def test_a_stuck_owner_is_fenced_out(tmp_path):
    """An owner that was stopped, taken over and woken can write nothing more, and says who owns the run."""
    code = textwrap.dedent(
        """
        import asyncio, sys
        from pathlib import Path
        from agentrelay_core import Event, Fenced
        from agentrelay_core.journal import Journal
        from agentrelay_core.orchestrator.ownership import owned
        async def drive(place):
            async with owned(place):
                journal = Journal.open(place / "journal.sqlite")
                journal.append(Event(kind="log", message="first"))
                await journal.flush()
                print("written", flush=True)
                await asyncio.to_thread(sys.stdin.readline)
                journal.append(Event(kind="log", message="stale"))
                try:
                    await journal.flush()
                except Fenced as error:
                    print(error, flush=True)
        asyncio.run(drive(Path(sys.argv[1])))
        """
    )
    stuck = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert stuck.stdout.readline() == "written\n"
        stuck.send_signal(signal.SIGSTOP)
        with pytest.raises(RunIsOwned):
            await _own(tmp_path)
        async with owned(tmp_path, takeover=True):
            with pytest.raises(RunIsOwned, match=f"in process {os.getpid()}"):
                await _own(tmp_path)
            journal = Journal.open(tmp_path / "journal.sqlite")
            stuck.send_signal(signal.SIGCONT)
            stuck.stdin.write("\n")
            stuck.stdin.flush()
            assert "another process owns this run now" in stuck.stdout.readline()
            journal.append(Event(kind="log", message="second"))
            await journal.flush()
            await journal.aclose()
    finally:
        stuck.kill()
        stuck.communicate()
    assert [event.message for _, event in read_events(tmp_path / "journal.sqlite")] == ["first", "second"]


@pytest.mark.fault("O6")
async def test_an_older_epoch_is_refused_in_one_process_too(tmp_path):
    """Opening a journal to write ends the epoch of the writer before."""
    older = Journal.open(tmp_path / "journal.sqlite")
    newer = Journal.open(tmp_path / "journal.sqlite")
    older.append(Event(kind="log"))
    with pytest.raises(Fenced, match="agentrelay status"):
        await older.flush()
    newer.append(Event(kind="log"))
    await newer.flush()
    await newer.aclose()
    with pytest.raises(Fenced):
        await older.aclose()


@pytest.mark.fault("O8")
async def test_the_lock_is_no_descriptor_that_programs_inherit_by_chance(tmp_path):
    """A program started without being given the lock does not hold it."""
    async with owned(tmp_path):
        bystander = subprocess.Popen(["sleep", "60"], close_fds=False)
    try:
        assert await _own(tmp_path) is not None
    finally:
        bystander.kill()
        bystander.wait()
