"""Programs that run for long: their output, their end, and everything that they started."""

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from agentrelay_core.processes import (
    Command,
    ExitCodeUnknownError,
    ProcessError,
    ProcessGroup,
    ProcessIdentity,
    ProgramNotFoundError,
    SurvivorsError,
    alive,
    identify,
    survey,
)
from agentrelay_core.processes import ending as ending_module

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

Starter = Callable[..., ProcessGroup]

# Reports its number to the fifo $READY, then goes on for ever.
PYTHON_DAEMON = """
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        if "stubborn" in sys.argv: signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with open(os.environ["READY"], "w") as ready: print(os.getpid(), file=ready)
        time.sleep(600)
    os._exit(0)
if "stay" in sys.argv: time.sleep(600)
"""


@pytest.fixture
def ready(tmp_path: Path) -> Path:
    """A fifo by which a program reports that it got where the test wants it."""
    path = tmp_path / "ready"
    os.mkfifo(path)
    return path


@pytest.fixture
def start(tmp_path: Path, ready: Path) -> Starter:
    """Starts a group in the test's directory, marked by that directory."""

    def start(*argv: str, stdin: Path | None = None, env: Mapping[str, str] | None = None) -> ProcessGroup:
        return ProcessGroup.start(
            Command(
                argv=argv,
                cwd=tmp_path,
                env={"PATH": os.environ["PATH"], "READY": str(ready), "MARK": str(tmp_path), **(env or {})},
                stdin=stdin,
                output=tmp_path / "log",
            ),
            marker=("MARK", str(tmp_path)),
        )

    return start


def _descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def _is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def _no_children() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


async def _reported(ready: Path) -> str:
    return (await asyncio.to_thread(ready.read_text)).strip()


async def test_output_and_exit_code(start: Starter, tmp_path: Path) -> None:
    """Both streams are appended to the output file in their order, and the exit code is told."""
    (tmp_path / "log").write_text("before\n")
    (tmp_path / "input").write_text("given\n")
    group = start("sh", "-c", "cat; echo wrong >&2; cd /; pwd; exit 7", stdin=tmp_path / "input")
    assert await group.wait() == 7
    await group.stop()
    printed = (tmp_path / "log").read_text()
    assert printed.splitlines() == ["before", "given", "wrong", "/"]
    assert await group.wait() == 7


async def test_no_input_is_empty(start: Starter) -> None:
    """Without an input file the program reads nothing and does not wait."""
    group = start("cat")
    assert await group.wait() == 0
    await group.stop()


async def test_signal_is_a_negative_exit_code(start: Starter) -> None:
    """A program ended by a signal tells which."""
    group = start("sh", "-c", "kill -9 $$")
    assert await group.wait() == -9
    await group.stop()


async def test_session_is_its_own(start: Starter) -> None:
    """The first process leads a session and a group of its own."""
    group = start("sleep", "600")
    pid = group.identity.pid
    assert os.getsid(pid) == os.getpgid(pid) == pid != os.getsid(0)
    assert group.is_alive() == "alive"
    await group.stop()
    assert group.is_alive() == "ended"
    assert await group.wait() == -signal.SIGTERM


async def test_several_wait_and_some_give_up(start: Starter, ready: Path) -> None:
    """Whoever waits gets the exit code, whoever stops waiting leaves no descriptor and disturbs nobody."""
    group = start("sh", "-c", 'read line < "$READY"; exit 5')
    before = _descriptors()
    waiting = [asyncio.create_task(group.wait()) for _ in range(5)]
    while sys.platform.startswith("linux") and _descriptors() < before + 5:  # noqa: ASYNC110
        await asyncio.sleep(0)
    for task in waiting[:3]:
        task.cancel()
    await asyncio.wait(waiting[:3])
    await asyncio.to_thread(ready.write_text, "go\n")
    assert await asyncio.gather(*waiting[3:]) == [5, 5]
    assert all(task.cancelled() for task in waiting[:3])
    assert _descriptors() <= before  # those for its output are gone
    await group.stop()


async def test_cancelled_wait_leaves_nothing_on_the_loop(start: Starter) -> None:
    """A wait that is cancelled leaves no watcher behind; the program goes on."""
    group = start("sleep", "600")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(group.wait(), 0.01)
    assert len(asyncio.all_tasks()) == 1
    assert group.is_alive() == "alive"
    await group.stop()


async def test_children_that_ignore_term_are_killed(start: Starter, ready: Path) -> None:
    """Who ignores TERM is killed after the grace, and not before."""
    group = start(
        "sh", "-c", "trap '' TERM; (echo $(exec sh -c 'echo $PPID') > \"$READY\"; sleep 600; sleep 600) & wait"
    )
    child = identify(int(await _reported(ready)))
    assert child is not None
    began = time.monotonic()
    await group.stop(grace=0.3)
    assert time.monotonic() - began >= 0.3
    assert alive(child) == "ended"
    assert await group.pids() == []
    assert await group.wait() == -signal.SIGKILL


async def test_those_who_obey_need_no_grace(start: Starter, ready: Path) -> None:
    """A group that obeys TERM is gone at once, however long the grace."""
    group = start("sh", "-c", 'sleep 600 & echo > "$READY"; wait')
    await _reported(ready)
    began = time.monotonic()
    await group.stop(grace=60)
    assert time.monotonic() - began < 20


async def test_term_can_be_used_to_tidy_up(start: Starter, ready: Path, tmp_path: Path) -> None:
    """A program gets the time to end by itself, with its own exit code."""
    group = start("sh", "-c", "trap 'echo tidy; exit 4' TERM; echo > \"$READY\"; while :; do sleep 0.01; done")
    await _reported(ready)
    await group.stop(grace=60)
    assert await group.wait() == 4
    assert "tidy" in (tmp_path / "log").read_text()


async def test_a_stopped_process_gets_term(start: Starter, ready: Path) -> None:
    """A process that job control has stopped is set going again, so that TERM reaches it."""
    group = start("sh", "-c", "trap 'exit 6' TERM; echo > \"$READY\"; while :; do sleep 0.01; done")
    await _reported(ready)
    os.kill(group.identity.pid, signal.SIGSTOP)
    await group.stop(grace=60)
    assert await group.wait() == 6


@linux_only
@pytest.mark.parametrize("manner", ["polite", "stubborn"])
async def test_detached_descendants_are_found_by_the_marker(start: Starter, ready: Path, manner: str) -> None:
    """A daemon that left group and session ends with the program, whose first process ended long before."""
    group = start(sys.executable, "-c", PYTHON_DAEMON, manner)
    daemon = identify(int(await _reported(ready)))
    assert daemon is not None
    assert await group.wait() == 0
    assert os.getsid(daemon.pid) != group.identity.pid
    assert await group.pids() == [daemon.pid]
    await group.stop(grace=0.3 if manner == "stubborn" else 60)
    assert alive(daemon) == "ended"


@linux_only
async def test_other_programs_are_not_touched(start: Starter, ready: Path, tmp_path: Path) -> None:
    """Neither a neighbour nor a process with a longer or shorter marker of the same name is ended."""
    neighbours = [
        ProcessGroup.start(
            Command(argv=["sleep", "600"], cwd=tmp_path, env={**os.environ, "MARK": mark}, output=tmp_path / "other")
        )
        for mark in (f"{tmp_path}-1", str(tmp_path)[:-1], f"x MARK={tmp_path}")
    ]
    group = start("sleep", "600")
    await group.stop()
    assert [neighbour.is_alive() for neighbour in neighbours] == ["alive"] * 3
    for neighbour in neighbours:
        await neighbour.stop()


@linux_only
async def test_the_caller_is_never_its_own_victim(tmp_path: Path) -> None:
    """A program that stops its own group ends the others and lives to tell."""
    script = (
        "import asyncio, os\n"
        "from agentrelay_core.processes import ProcessGroup, identify\n"
        "group = ProcessGroup.adopt(identify(os.getpid()), ('MARK', os.environ['MARK']))\n"
        "asyncio.run(group.stop(5))\n"
        "print('lives')\n"
    )
    group = ProcessGroup.start(
        Command(
            argv=["sh", "-c", 'sleep 600 & exec "$0" -c "$1"', sys.executable, script],
            cwd=tmp_path,
            env={**os.environ, "MARK": str(tmp_path)},
            output=tmp_path / "log",
        )
    )
    assert await group.wait() == 0
    assert await group.pids() == []
    await group.stop()
    assert (tmp_path / "log").read_text() == "lives\n"


async def test_stop_twice_and_by_two(start: Starter) -> None:
    """Stopping is idempotent, one after the other or at the same time."""
    group = start("sleep", "600")
    await asyncio.gather(group.stop(), group.stop())
    await group.stop()
    assert await group.wait() == -signal.SIGTERM


async def test_many_stops_share_their_looks(start: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that are ended at the same time do not each read the whole process table."""
    made: list[str | None] = []
    make = survey._make

    def counted(name: str | None) -> object:
        made.append(name)
        return make(name)

    monkeypatch.setattr(survey, "_make", counted)
    groups = [start("sleep", "600") for _ in range(40)]
    await asyncio.gather(*(group.stop() for group in groups))
    assert [group.is_alive() for group in groups] == ["ended"] * 40
    assert 2 <= len(made) < 40


async def test_nothing_is_left_behind(start: Starter) -> None:
    """After the end there is no zombie, no descriptor and no complaint from the garbage collector."""
    before = _descriptors()
    group = start("true")
    await group.wait()
    await group.stop()
    del group
    gc.collect()
    assert _descriptors() == before
    assert _no_children()


@linux_only
async def test_number_is_not_reused_before_stop(start: Starter) -> None:
    """Until the group is stopped its first process stays a zombie, so that nobody else gets the group's number."""
    group = start("true")
    await group.wait()
    assert identify(group.identity.pid) == group.identity
    await group.stop()
    assert identify(group.identity.pid) is None


async def test_reused_number_is_never_hit(start: Starter) -> None:
    """A process that got the number of one that ended is neither waited for nor ended."""
    stranger = start("sleep", "600")
    now = stranger.identity
    old = ProcessGroup.adopt(ProcessIdentity(pid=now.pid, start_time="1", boot_id=now.boot_id))
    earlier_boot = ProcessGroup.adopt(ProcessIdentity(pid=now.pid, start_time=now.start_time, boot_id="another"))
    for group in (old, earlier_boot):
        assert group.is_alive() == "ended"
        assert await group.pids() == []
        await group.stop(grace=0.1)
        with pytest.raises(ExitCodeUnknownError):
            await group.wait()
    assert stranger.is_alive() == "alive"
    await stranger.stop()


async def test_signal_goes_to_the_very_process(start: Starter) -> None:
    """Right before the signal the process must still be the one that was found."""
    group = start("sleep", "600")
    now = group.identity
    ending_module.send_signal(ProcessIdentity(pid=now.pid, start_time="1", boot_id=now.boot_id), signal.SIGKILL)
    assert group.is_alive() == "alive"
    ending_module.send_signal(now, signal.SIGKILL)
    assert await group.wait() == -9
    await group.stop()


async def test_adopted_group(start: Starter) -> None:
    """A program that somebody else started can be watched and ended; its exit code cannot be known."""
    started = start("sleep", "600")
    adopted = ProcessGroup.adopt(ProcessIdentity.from_json(started.identity.to_json()), started.marker)
    assert adopted.is_alive() == "alive"
    waiting = asyncio.create_task(adopted.wait())
    await adopted.stop()
    with pytest.raises(ExitCodeUnknownError, match=f"process {started.identity.pid} has ended"):
        await waiting
    assert await started.wait() == -signal.SIGTERM
    await started.stop()


async def test_survivors_are_listed(start: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be ended is named with its command line."""
    group = start("sleep", "600")
    with monkeypatch.context() as patch:
        patch.setattr(ending_module, "send_signal", lambda identity, number: None)
        patch.setattr(os, "killpg", lambda pid, number: None)
        patch.setattr(ending_module, "_KILL_PATIENCE", 0.1)
        with pytest.raises(SurvivorsError) as caught:
            await group.stop(grace=0.1)
    assert str(caught.value) == f"processes that could not be ended: {group.identity.pid} (sleep 600)"
    await group.stop()


async def test_works_without_pidfd(start: Starter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no pidfd, ends are noticed and signals are sent all the same."""
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    group = start("sh", "-c", "exit 3")
    assert await group.wait() == 3
    await group.stop()
    group = start("sleep", "600")
    await group.stop()
    assert await group.wait() == -signal.SIGTERM


@linux_only
async def test_a_leader_whose_threads_go_on_has_not_ended(start: Starter, ready: Path, tmp_path: Path) -> None:
    """A main thread that ends before the others is no end of the program."""
    script = (
        "import ctypes, os, threading\n"
        "def go():\n"
        "    open(os.environ['READY'], 'w').close()\n"
        "    open(os.environ['GO']).read()\n"
        "    os._exit(9)\n"
        "threading.Thread(target=go).start()\n"
        "ctypes.CDLL(None).syscall(60, 0)\n"  # exit of this one thread
    )
    if os.uname().machine != "x86_64":
        pytest.skip("the number of the system call is that of x86_64")
    os.mkfifo(tmp_path / "go")
    group = start(sys.executable, "-c", script, env={"GO": str(tmp_path / "go")})
    await _reported(ready)
    while not _is_zombie(group.identity.pid):  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert group.is_alive() == "alive"
    await asyncio.to_thread((tmp_path / "go").write_text, "")
    assert await group.wait() == 9
    await group.stop()


def test_missing_program_is_named(start: Starter) -> None:
    """The error for a missing program names it, looking in the given PATH."""
    with pytest.raises(ProgramNotFoundError, match="program sleep not found on PATH"):
        start("sleep", "1", env={"PATH": "/nowhere"})


def test_output_through_a_link_is_refused(start: Starter, tmp_path: Path) -> None:
    """The output never goes where somebody's link points."""
    (tmp_path / "elsewhere").write_text("kept")
    (tmp_path / "log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ProcessError, match=r"cannot write what the program prints to .*/log"):
        start("echo", "overwritten")
    assert (tmp_path / "elsewhere").read_text() == "kept"


def test_missing_input_is_named(start: Starter, tmp_path: Path) -> None:
    """The error for a missing input file names it."""
    with pytest.raises(ProcessError, match=r"cannot read the program's input from .*/gone"):
        start("cat", stdin=tmp_path / "gone")
