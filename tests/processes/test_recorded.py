"""Programs that outlive us: the runner process, its record, and what is told from the record alone."""

import asyncio
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agentrelay_core.processes import (
    AlreadyRunningError,
    Command,
    ProcessError,
    ProcessIdentity,
    ProgramNotFoundError,
    RecordedProgram,
    alive,
    boot_id,
    find_marked,
    identify,
)
from agentrelay_core.processes.ending import send_signal
from agentrelay_core.processes.recorded import handover
from agentrelay_core.processes.recorded.records import LaunchRecord, lock_state

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

Starter = Callable[..., RecordedProgram]

UNTIL_TOLD = 'echo up > "$READY"; read line < "$GO"; exit 5'
FOR_EVER = 'echo up > "$READY"; exec sleep 600'


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Starts programs, of one attempt by default and marked by it; whatever a test leaves is killed afterwards."""
    for name in ("ready", "go"):
        os.mkfifo(tmp_path / name)

    def start(*argv: str, attempt: Path = tmp_path / "record", env: Any = None, **others: Any) -> RecordedProgram:
        return RecordedProgram.start(
            Command(
                argv=argv,
                cwd=tmp_path,
                env={
                    "PATH": os.environ["PATH"],
                    "READY": str(tmp_path / "ready"),
                    "GO": str(tmp_path / "go"),
                    "MARK": str(attempt),
                    **(env or {}),
                },
                output=tmp_path / "log",
            ),
            attempt=attempt,
            marker=("MARK", str(attempt)),
            **others,
        )

    yield start
    for record in tmp_path.glob("record*"):
        for identity in find_marked("MARK", str(record)):
            send_signal(identity, signal.SIGKILL)


async def _said(fifo: Path) -> str:
    return (await asyncio.to_thread(fifo.read_text)).strip()


async def _tell(fifo: Path) -> None:
    await asyncio.to_thread(fifo.write_text, "go\n")


def _again(program: RecordedProgram) -> RecordedProgram:
    """What another process knows of a program: its record and nothing else."""
    found = RecordedProgram.find(program.record.attempt)
    assert found is not None
    return found


async def _kill_runner(program: RecordedProgram) -> ProcessIdentity:
    """Kill the runner process; nobody else tells how its program ends."""
    runner = program.record.runner
    assert runner is not None
    send_signal(runner, signal.SIGKILL)
    while alive(runner) != "ended":  # noqa: ASYNC110  # nobody could set an event; so below
        await asyncio.sleep(0.001)
    return runner


def _edit(program: RecordedProgram, whose: str, **changes: Any) -> None:
    """Falsify who somebody is in a record."""
    path = program.record.directory / "agent.json"
    data = json.loads(path.read_text())
    data[whose] |= changes
    path.write_text(json.dumps(data))


def _descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


async def test_exit_code_is_written_down(start: Starter, tmp_path: Path) -> None:
    """The exit code is told to whoever started the program and to whoever comes later; so is the output."""
    program = start("sh", "-c", "echo out; echo err >&2; pwd; exit 7")
    assert await program.wait() == 7
    await program.stop()
    assert await _again(program).wait() == 7
    assert await _again(program).is_alive() == "ended"
    assert (tmp_path / "log").read_text().splitlines() == ["out", "err", str(tmp_path)]
    ended = program.record.exit
    assert ended is not None
    assert (ended.code, ended.message) == (7, None)
    assert 0 <= ended.seconds < 60


async def test_signal_is_a_negative_exit_code(start: Starter) -> None:
    """A program that a signal ended tells which."""
    program = start("sh", "-c", "kill -9 $$")
    assert await program.wait() == -9
    await program.stop()


async def test_program_is_as_if_started_directly(start: Starter, tmp_path: Path) -> None:
    """It leads a session of its own, has its whole environment, however large, and the usual signals."""
    code = """
import os, signal, sys
print(os.getsid(0) == os.getpgid(0) == os.getpid() != os.getppid(), len(os.environ["LARGE"]), sys.argv[1:])
print([signal.getsignal(number) == signal.default_int_handler for number in [signal.SIGINT]])
print([signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)], signal.pthread_sigmask(0, []))
print(sorted(os.listdir("/dev/fd"))[:3], sys.stdin.read() == "", "SECRET" in os.environ)
"""
    program = start(sys.executable, "-c", code, "a b", "ü", "", env={"LARGE": "x" * 100_000})
    assert await program.wait() == 0, (tmp_path / "log").read_text()
    await program.stop()
    assert (tmp_path / "log").read_text().splitlines() == [
        "True 100000 ['a b', 'ü', '']",
        "[True]",
        "[<Handlers.SIG_DFL: 0>, <Handlers.SIG_DFL: 0>] set()",
        "['0', '1', '2'] True False",
    ]


@pytest.mark.fault("L6")
async def test_missing_program_is_told_and_written_down(start: Starter, tmp_path: Path) -> None:
    """A program that is not there is an error now, exit 127 for who comes later, and a line in its log."""
    with pytest.raises(ProgramNotFoundError, match="program no-such-agent not found on PATH"):
        start("no-such-agent", "--yes")
    found = RecordedProgram.find(tmp_path / "record")
    assert found is not None
    assert found.identity is None
    assert await found.wait() == 127
    assert await found.is_alive() == "ended"
    assert found.record.exit is not None
    assert found.record.exit.message == "no-such-agent: No such file or directory"
    assert (tmp_path / "log").read_text() == "agentrelay: no-such-agent: No such file or directory\n"


@pytest.mark.parametrize(
    ("name", "changes", "error"),
    [
        ("nothing", {}, r"cannot be started: .*NUL"),
        ("locked", {}, r"program \./locked not found"),
        ("true", {"cwd": "/no/such"}, r"`true` cannot start in /no/such: No such file"),
        ("true", {"stdin": Path("/no/such")}, r"cannot read the program's input from /no/such: No such file"),
        ("true", {"output": Path("/")}, r"cannot write what the program prints to /: Is a directory"),
        ("true", {"attempt": Path("/dev/null/x")}, r"cannot keep a record of the program in /dev/null/x"),
    ],
)
def test_what_cannot_be_started_says_why(tmp_path: Path, name: str, changes: dict[str, Any], error: str) -> None:
    """The error of each thing that may be wrong names that thing."""
    (tmp_path / "locked").write_text("#!/bin/sh\n")
    argv = {"nothing": ["nothing", "\0"], "locked": ["./locked"]}.get(name, [name])
    arguments = {"cwd": tmp_path, "output": tmp_path / "log", **changes}
    attempt = arguments.pop("attempt", tmp_path / "record")
    command = Command(argv=argv, env={"PATH": os.environ["PATH"]}, **arguments)
    before = _descriptors()
    with pytest.raises(ProcessError, match=error):
        RecordedProgram.start(command, attempt=attempt, marker=("MARK", str(tmp_path)))
    assert _descriptors() == before


@pytest.mark.fault("L2")
async def test_second_runner_starts_nothing(start: Starter, tmp_path: Path) -> None:
    """Of two runner processes for one attempt the second exits 97 before it starts its program."""
    program = start("sh", "-c", UNTIL_TOLD)
    await _said(tmp_path / "ready")
    (tmp_path / "record" / "2").mkdir()
    touch = Command(argv=["touch", str(tmp_path / "ran")], cwd=tmp_path, env=os.environ, output=tmp_path / "log")
    order = handover.encode_order(touch, ("MARK", ""), 30)
    argv = [sys.executable, "-I", "-S", "-E", handover._SCRIPT, str(tmp_path / "record" / "2")]
    second = await asyncio.to_thread(subprocess.run, argv, input=order, stdout=subprocess.PIPE, timeout=240)
    assert (second.returncode, second.stdout) == (97, b"locked")
    assert list((tmp_path / "record" / "2").iterdir()) == []
    with pytest.raises(AlreadyRunningError, match=r"an earlier program has not ended.*record"):
        start("touch", str(tmp_path / "ran"))
    in_the_way = RecordedProgram.in_the_way(tmp_path / "record")
    assert in_the_way is not None
    assert in_the_way.record == program.record
    await _tell(tmp_path / "go")
    assert await program.wait() == 5
    await program.stop()
    assert not (tmp_path / "ran").exists()
    third = start("touch", str(tmp_path / "ran"))
    assert await third.wait() == 0
    await third.stop()
    assert third.record.number == 3
    assert (tmp_path / "ran").exists()


@pytest.mark.fault("L2")
@pytest.mark.parametrize("comes_to_something", [True, False])
async def test_start_beside_a_runner_process_that_has_only_begun(
    start: Starter, tmp_path: Path, comes_to_something: bool
) -> None:
    """Who is refused waits until it is known whether there is a program, and gets that program or nothing."""
    record = LaunchRecord(tmp_path / "record", 1)
    record.directory.mkdir(parents=True)
    with (tmp_path / "record" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(AlreadyRunningError):
            start("true")
        waiting = asyncio.create_task(asyncio.to_thread(RecordedProgram.in_the_way, tmp_path / "record"))
        if comes_to_something:
            own = identify(os.getpid())
            assert own is not None
            data = {"runner": own.to_json(), "program": own.to_json(), "marker": ["MARK", str(tmp_path)]}
            (record.directory / ".agent.json").write_text(json.dumps(data))
            (record.directory / ".agent.json").rename(record.directory / "agent.json")
            found = await waiting
            assert found is not None
            assert found.identity == own
    assert comes_to_something or await waiting is None


@linux_only
async def test_runner_process_is_small_and_holds_nothing_of_ours(start: Starter, tmp_path: Path) -> None:
    """It has at most 12 MB, its own four descriptors, no secrets, and neither directory nor session of ours."""
    with (tmp_path / "ours").open("w"):
        os.set_inheritable(os.open(tmp_path / "ours", os.O_RDONLY), True)
        program = start("sh", "-c", UNTIL_TOLD, "hidden-argument", env={"SECRET": "hidden-value"})
    await _said(tmp_path / "ready")
    runner = program.record.runner
    assert runner is not None
    proc = Path(f"/proc/{runner.pid}")
    memory = dict(re.findall(r"(VmHWM|VmRSS):\s+(\d+) kB", (proc / "status").read_text()))
    assert all(int(kilobytes) <= 12 * 1024 for kilobytes in memory.values()), memory
    held = {str(entry.readlink()) for entry in (proc / "fd").iterdir()}
    own = program.record.directory
    held = {entry for entry in held if not entry.startswith("pipe:")}  # what it hears, and by which it is woken
    files = {
        "/dev/null",
        str(tmp_path / "log"),
        str(own / "runner.log"),
        str(own / "heartbeat"),
        str(tmp_path / "record" / "lock"),
    }
    assert held == files
    assert (proc / "cwd").readlink() == Path("/")
    assert os.getsid(runner.pid) == runner.pid
    told = (proc / "cmdline").read_bytes() + (proc / "environ").read_bytes()
    told += b"".join(path.read_bytes() for path in (tmp_path / "record").rglob("*") if path.is_file())
    assert b"hidden" not in told
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "record").rglob("*")} == {0}
    await _tell(tmp_path / "go")
    await program.wait()
    await program.stop()
    assert (own / "runner.log").read_bytes() == b""


async def test_signals_to_the_runner_process(start: Starter, tmp_path: Path) -> None:
    """INT and HUP are nothing to it; TERM is passed on, and the program's own exit code is written down."""
    program = start("sh", "-c", "trap 'exit 4' TERM; echo up > \"$READY\"; while :; do sleep 0.01; done")
    await _said(tmp_path / "ready")
    runner = program.record.runner
    assert runner is not None
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        send_signal(runner, number)
    assert await program.wait() == 4
    await program.stop()


async def test_heartbeat(start: Starter, tmp_path: Path) -> None:
    """While the program runs, a file is touched again and again; the program is not disturbed."""
    program = start("sh", "-c", UNTIL_TOLD, heartbeat=0.02)
    await _said(tmp_path / "ready")
    heartbeat = program.record.directory / "heartbeat"
    seen: set[int] = set()
    while len(seen) < 4:
        seen.add(heartbeat.stat().st_mtime_ns)
        await asyncio.sleep(0)
    await _tell(tmp_path / "go")
    assert await program.wait() == 5
    await program.stop()


@pytest.mark.fault("A9")
async def test_program_whose_runner_was_killed(start: Starter, tmp_path: Path) -> None:
    """It is alive, nothing is started beside it, its end is noticed, and its exit code is not known."""
    program = start("sh", "-c", UNTIL_TOLD)
    await _said(tmp_path / "ready")
    await _kill_runner(program)
    assert lock_state(program.record.attempt) == "free"
    for each in (program, _again(program)):
        assert await each.is_alive() == "alive"
    with pytest.raises(AlreadyRunningError):
        start("true")
    waiting = asyncio.create_task(_again(program).wait())
    await _tell(tmp_path / "go")
    assert await waiting is None
    assert await _again(program).is_alive() == "ended"
    assert await program.wait() is None
    await program.stop()


@pytest.mark.fault("A9")
async def test_program_that_nobody_wrote_down_is_found_by_its_marker(start: Starter, tmp_path: Path) -> None:
    """A runner process killed right after the start leaves a program that is alive, and is ended by `stop`."""
    program = start("sh", "-c", FOR_EVER)
    await _said(tmp_path / "ready")
    await _kill_runner(program)
    path = program.record.directory / "agent.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"program": None}))
    found = _again(program)
    assert found.identity is None
    assert await found.is_alive() == "alive"
    assert await found.wait() is None
    await found.stop()
    assert await found.is_alive() == "ended"
    assert await found.pids() == []
    program._reap()


@pytest.mark.fault("A9")
async def test_runner_that_is_killed_at_once(start: Starter, tmp_path: Path) -> None:
    """A runner process that its program kills before it could report leaves a program that is known and is ended."""
    for number in range(10):
        program = start("sh", "-c", "kill -9 $PPID; exec sleep 600", attempt=tmp_path / f"record-{number}")
        assert await program.is_alive() == "alive"
        await program.stop()
        assert await program.is_alive() == "ended"


@pytest.mark.fault("A11")
async def test_facts_that_contradict_each_other_prove_nothing(start: Starter, tmp_path: Path) -> None:
    """While somebody holds the lock, a record of processes that are gone is no proof of an end."""
    program = start("sh", "-c", UNTIL_TOLD)
    await _said(tmp_path / "ready")
    assert await program.is_alive() == "alive"
    for whose in ("runner", "program"):
        _edit(program, whose, start_time="1")
    found = _again(program)
    assert await found.is_alive() == "unknown"
    await _tell(tmp_path / "go")
    while lock_state(program.record.attempt) == "held":  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    assert await found.is_alive() == "ended"
    assert await found.wait() == 5
    program._reap()


@pytest.mark.fault("D5")
async def test_number_in_other_hands(start: Starter, tmp_path: Path) -> None:
    """A process that has a dead program's number is taken for nobody else, and is not ended."""
    program = start("sh", "-c", FOR_EVER)
    await _said(tmp_path / "ready")
    await _kill_runner(program)
    await program.stop()
    neighbour = subprocess.Popen(["sleep", "600"], start_new_session=True)  # returns at once
    try:
        for whose in ("runner", "program"):
            _edit(program, whose, pid=neighbour.pid)
        found = _again(program)
        assert await found.is_alive() == "ended"
        assert await found.wait() is None
        await found.stop()
        assert neighbour.poll() is None
    finally:
        neighbour.kill()
        neighbour.wait()


@pytest.mark.fault("D7")
async def test_record_of_another_boot(start: Starter, tmp_path: Path) -> None:
    """What ran before the machine was started anew has ended, whoever has its numbers now."""
    program = start("sh", "-c", FOR_EVER)
    await _said(tmp_path / "ready")
    await _kill_runner(program)
    await program.stop()
    assert program.record.exit is None
    own = identify(os.getpid())
    assert own is not None
    assert own.boot_id == boot_id()
    for whose in ("runner", "program"):
        _edit(program, whose, **{**own.to_json(), "boot_id": "another"})
    found = _again(program)
    assert await found.is_alive() == "ended"
    assert await found.wait() is None
    await found.stop()


async def test_runner_that_never_started_anything(tmp_path: Path) -> None:
    """A record that was begun and no more is that of a program which has ended, not of one that is unknown."""
    record = LaunchRecord(tmp_path / "record", 1)
    record.directory.mkdir(parents=True)
    program = RecordedProgram(record)
    assert await program.is_alive() == "ended"
    gone = {"pid": 1, "start_time": "none", "boot_id": boot_id()}
    (record.directory / "agent.json").write_text(json.dumps({"runner": gone, "program": None}))
    assert await program.is_alive() == "ended"
    assert await program.wait() is None
    assert program.record.exit is None


@pytest.mark.parametrize("text", ["", "[]", "{", '{"exit_code": "0"}', '{"runner": {"pid": "1"}}', "\0" * 9])
async def test_rubbish_in_a_record_is_nothing_known(tmp_path: Path, text: str) -> None:
    """Files that are cut off or wrong are as good as none, and raise nothing."""
    record = LaunchRecord(tmp_path / "record", 1)
    record.directory.mkdir(parents=True)
    for name in ("agent.json", "exit.json"):
        (record.directory / name).write_text(text)
    assert (record.runner, record.program, record.exit) == (None, None, None)


@pytest.mark.fault("D4")
@linux_only
async def test_descendants_that_left_are_ended_by_who_comes_later(start: Starter, tmp_path: Path) -> None:
    """A daemon with a session of its own ends with the program, although its first process ended long before."""
    daemon = "setsid sh -c 'echo $$ > \"$READY\"; exec sleep 600' &"
    program = start("sh", "-c", daemon)
    left = identify(int(await _said(tmp_path / "ready")))
    assert left is not None
    assert await program.wait() == 0
    assert await program.pids() == [left.pid]
    await _again(program).stop()
    assert alive(left) == "ended"
    program._reap()


async def test_stop_ends_program_and_runner(start: Starter, tmp_path: Path) -> None:
    """`stop` ends the program, its exit is written down, and its runner process goes away by itself."""
    program = start("sh", "-c", FOR_EVER)
    await _said(tmp_path / "ready")
    await _again(program).stop()
    assert await program.wait() == -signal.SIGTERM
    runner = program.record.runner
    assert runner is not None
    assert alive(runner) == "ended"
    await program.stop()


async def test_stuck_runner_is_ended(start: Starter, tmp_path: Path) -> None:
    """A runner process that job control has stopped is set going again and does not outlive its program."""
    program = start("sh", "-c", FOR_EVER)
    await _said(tmp_path / "ready")
    runner = program.record.runner
    assert runner is not None
    os.kill(runner.pid, signal.SIGSTOP)
    await program.stop()
    assert alive(runner) == "ended"
    assert await program.wait() == -signal.SIGTERM


async def test_many_starts_leave_nothing(start: Starter, tmp_path: Path) -> None:
    """Twenty programs started at once leave no descriptor and no zombie, and each tells its own exit code."""
    before = _descriptors()

    async def one(number: int) -> int | None:
        program = await asyncio.to_thread(start, "sh", "-c", f"exit {number}", attempt=tmp_path / f"record-{number}")
        code = await program.wait()
        await program.stop()
        return code

    assert await asyncio.gather(*(one(number) for number in range(20))) == list(range(20))
    assert _descriptors() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)  # noqa: ASYNC222  # does not wait
