"""The writer: order, barriers, errors that are kept, and places that it refuses."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentrelay_core.journal import Journal, JournalError, read_events
from agentrelay_core.journal import writer as writer_module
from agentrelay_core.runtime import Event, UserError


def event(number: int, message: str = "") -> Event:
    return Event(kind="log", task_id=f"t{number}", message=message, timestamp=float(number))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal.sqlite"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    yield place
    subprocess.run(["umount", str(place)], check=True)


async def test_events_are_kept_in_order(path: Path) -> None:
    """What was appended is read back equal, in order, numbered from 1."""
    events = [
        Event(
            kind="task_finished",
            task_id="a",
            workstream_id="docs",
            attempt_num=3,
            message="ende \x00 \x1b[31m ü \U0001f600",
            timestamp=1234567890.123456,
            data={"status": "failed", "nested": {"list": [1, 2.5, None, True]}},
        ),
        *(event(number) for number in range(200)),
    ]
    journal = Journal.open(path)
    for each in events:
        journal.append(each)
    await journal.aclose()
    assert list(read_events(path)) == list(enumerate(events, 1))
    assert list(read_events(path, after=199)) == [(200, events[199]), (201, events[200])]


async def test_a_second_opening_goes_on(path: Path) -> None:
    """A journal that is opened again continues the numbering."""
    for number in range(3):
        journal = Journal.open(path)
        journal.append(event(number))
        journal.close()
    assert [(sequence, each.task_id) for sequence, each in read_events(path)] == [(1, "t0"), (2, "t1"), (3, "t2")]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
async def test_the_files_are_private(path: Path) -> None:
    """Directory 0700; file, write-ahead log and shared memory 0600."""
    journal = Journal.open(path)
    journal.append(event(0))
    await journal.flush()
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == dict.fromkeys(("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"), 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    await journal.aclose()


async def test_a_flush_covers_all_that_came_before(path: Path) -> None:
    """After each of many concurrent flushes, another process's view has the events appended before it."""
    journal = Journal.open(path)

    async def append_and_look(number: int) -> bool:
        journal.append(event(number))
        await journal.flush()
        return any(each.task_id == f"t{number}" for _, each in read_events(path))

    assert all(await asyncio.gather(*(append_and_look(number) for number in range(50))))
    await journal.aclose()


def test_events_without_a_barrier_become_durable_by_themselves(path: Path) -> None:
    """An event that nobody flushes is committed a moment later."""
    journal = Journal.open(path)
    journal.append(event(0))
    deadline = time.monotonic() + 10
    while not list(read_events(path)):
        assert time.monotonic() < deadline
    journal.close()


async def test_barriers_of_one_commit_wake_the_loop_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred flushes that wait for one commit cost one call into the loop."""
    journal = Journal.open(path)
    loop = asyncio.get_running_loop()
    calls: list[object] = []
    original = loop.call_soon_threadsafe

    def counted(callback: object, *arguments: object, **keywords: object) -> object:
        if getattr(callback, "__name__", "") == "_settle":
            calls.append(arguments)
        return original(callback, *arguments, **keywords)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
    journal.append(event(0))
    held = threading.Lock()
    held.acquire()
    commit = journal._commit

    def held_commit(events: list[Event]) -> None:
        with held:
            commit(events)

    monkeypatch.setattr(journal, "_commit", held_commit)
    flushes = [asyncio.ensure_future(journal.flush()) for _ in range(100)]
    await asyncio.sleep(0)
    held.release()
    await asyncio.gather(*flushes)
    assert len(calls) <= 2
    await journal.aclose()


async def test_a_cancelled_flush_harms_nobody(path: Path) -> None:
    """Cancelling one flush leaves the others, and the journal, as they were."""
    journal = Journal.open(path)
    journal.append(event(0))
    cancelled, other = asyncio.ensure_future(journal.flush()), asyncio.ensure_future(journal.flush())
    await asyncio.sleep(0)
    cancelled.cancel()
    await other
    journal.append(event(1))
    await journal.aclose()
    assert len(list(read_events(path))) == 2


async def test_text_that_is_no_unicode_is_kept_escaped(path: Path) -> None:
    """A lone surrogate and a value that is not plain lose no event."""
    journal = Journal.open(path)
    journal.append(Event(kind="log", message="caf\udce9", data={"path": Path("a/b")}))
    await journal.aclose()
    [(_, kept)] = read_events(path)
    assert kept.message == "caf\\udce9"
    assert kept.data == {"path": str(Path("a/b"))}


async def test_closing_twice_is_closing_once(path: Path) -> None:
    """Close drains, may be repeated, and ends the journal for good."""
    journal = Journal.open(path)
    journal.append(event(0))
    journal.close()
    journal.close()
    await journal.aclose()
    assert len(list(read_events(path))) == 1
    with pytest.raises(JournalError, match="is closed"):
        journal.append(event(1))
    with pytest.raises(JournalError, match="is closed"):
        await journal.flush()


@pytest.mark.fault("O9")
async def test_a_full_disk_is_kept_and_told(tiny_disk: Path) -> None:
    """On a full disk flush, then append, then close raise with the remedy; what was flushed is still read."""
    path = tiny_disk / "journal.sqlite"
    journal = Journal.open(path)
    journal.append(event(0))
    await journal.flush()
    durable = 1

    async def fill() -> None:
        nonlocal durable
        for number in range(1, 200):
            journal.append(event(number, "x" * 20_000))
            await journal.flush()
            durable += 1

    with pytest.raises(JournalError, match=r"no space is left .* Free at least 16 MiB"):
        await fill()
    assert 1 < durable < 100
    with pytest.raises(JournalError, match="no space is left"):
        journal.append(event(0))
    with pytest.raises(JournalError, match="no space is left"):
        await journal.flush()
    with pytest.raises(JournalError, match="no space is left"):
        journal.close()
    journal.close()
    assert len(list(read_events(path))) == durable


async def test_a_file_that_may_not_grow_is_kept_and_told(path: Path) -> None:
    """The same holds where SQLite itself limits the file; a new journal on the same file goes on once there is room."""
    journal = Journal.open(path)
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    journal.append(event(0, "x" * 100_000))
    with pytest.raises(JournalError, match="no space is left"):
        await journal.flush()
    with pytest.raises(JournalError, match="no space is left"):
        await journal.aclose()
    again = Journal.open(path)
    again.append(event(1))
    again.close()
    assert [each.task_id for _, each in read_events(path)] == ["t1"]


async def test_the_log_is_folded_into_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write-ahead log does not grow for ever, though no commit checkpoints it."""
    monkeypatch.setattr(writer_module, "STATEMENTS_BETWEEN_LOOKS", 2)
    monkeypatch.setattr(writer_module, "CHECKPOINT_BYTES", 100_000)
    monkeypatch.setattr(writer_module, "CHECKPOINT_BYTES_BUSY", 100_000)
    journal = Journal.open(path)
    assert journal._connection.execute("PRAGMA wal_autocheckpoint").fetchone()[0] == 0
    assert journal._connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    sizes: list[int] = []

    def look() -> None:
        sizes.append(Path(f"{path}-wal").stat().st_size)

    for number in range(100):
        journal.append(event(number, "x" * 10_000))
        await journal.flush()
        look()
    assert max(sizes) < 300_000
    await journal.aclose()
    assert len(list(read_events(path))) == 100


def test_nothing_is_ever_changed(path: Path) -> None:
    """The file itself refuses updates and deletions."""
    journal = Journal.open(path)
    journal.append(event(0))
    journal.close()
    connection = sqlite3.connect(path)
    for statement in ("UPDATE events SET kind = 'x'", "DELETE FROM events"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


@pytest.mark.fault("O11")
def test_a_network_disk_is_refused(path: Path, tmp_path: Path) -> None:
    """On NFS or SMB nothing is made, and the error names the mount, its type and the way out."""
    point = str(tmp_path.resolve()).replace(" ", "\\040")
    for kind in ("nfs4", "cifs"):
        table = f"/dev/vda / ext4 rw 0 0\nserver:/home {point} {kind} rw 0 0\n"
        with pytest.raises(JournalError, match=rf"network file system \({kind}\).*AGENTRELAY_STATE_DIR"):
            Journal.open(path, mounts=lambda table=table: table)
    assert not path.parent.exists()
    local_on_top = f"server:/ / nfs rw 0 0\ntmpfs {point} tmpfs rw 0 0\n"
    Journal.open(path, mounts=lambda: local_on_top).close()


async def test_two_journals_live_in_one_process(tmp_path: Path) -> None:
    """Journals share nothing."""
    journals = [Journal.open(tmp_path / name / "journal.sqlite") for name in "ab"]
    for number, journal in enumerate(journals):
        journal.append(event(number))
    await asyncio.gather(*(journal.flush() for journal in journals))
    for number, journal in enumerate(journals):
        assert [each.task_id for _, each in read_events(journal.path)] == [f"t{number}"]
        journal.close()


def test_a_journal_error_is_the_users_to_mend() -> None:
    """The error is a `UserError`, so that it ends with exit 3 and not as an internal one."""
    assert issubclass(JournalError, UserError)


def test_importing_the_journal_is_light() -> None:
    """Importing it loads no asyncio and nothing that draws or converts."""
    code = "import sys, agentrelay_core.journal; print([n for n in ('asyncio','rich','cattrs') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
