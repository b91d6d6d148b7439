"""What programs print: the log's size, what is left out, what becomes stars, and who may read meanwhile."""

import asyncio
import os
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentrelay_core.processes import Command, ProcessError, ProcessGroup, RecordedProgram, process_ended
from agentrelay_core.processes.ending import send_signal
from agentrelay_core.processes.recorded import printed
from agentrelay_core.processes.recorded.printed import HEAD, LARGEST, PIECE, TAIL, Log, Stars

FLOOD = 100 * 1024 * 1024
# Numbered lines of 64 bytes; one hundred megabytes of them.
FLOODING = f"""
import sys
for number in range(0, {FLOOD // 64}, 1024):
    sys.stdout.buffer.write(b"".join(b"%063d\\n" % (number + more) for more in range(1024)))
"""
Started = RecordedProgram | ProcessGroup


def command(tmp_path: Path, *argv: str, **more: object) -> Command:
    environment = {"PATH": os.environ["PATH"], "MARK": str(tmp_path), "API_TOKEN": "canary-value"}
    return Command(argv=argv, cwd=tmp_path, env=environment, output=tmp_path / "log", **more)  # type: ignore[arg-type]


def recorded(starts: Command) -> Started:
    here = Path(starts.cwd)
    return RecordedProgram.start(starts, attempt=here / "record", marker=("MARK", str(here)))


@pytest.fixture(params=[recorded, ProcessGroup.start], ids=["agent", "gate"])
def start(request: pytest.FixtureRequest) -> Callable[[Command], Started]:
    """Starts a program in both ways that there are."""
    started: Callable[[Command], Started] = request.param
    return started


def is_whole(log: bytes, size: int) -> bool:
    """Whether a log has the beginning, the end, and the size of what is left out between them, of numbered lines."""
    head, number, tail = re.split(rb"\n?\[agentrelay: (\d+) bytes are left out here\]\n", log)
    lines = b"".join(b"%063d\n" % line for line in range(size // 64))
    assert lines.startswith(head)
    assert lines.endswith(tail)
    assert len(head) == HEAD
    assert len(tail) >= TAIL
    return len(head) + int(number) + len(tail) == size


@pytest.mark.fault("A4")
async def test_a_flood_has_a_beginning_and_an_end(start: Callable[[Command], Started], tmp_path: Path) -> None:
    """Of 100 MB the first and the last ones are kept, and the log says how much lay between."""
    program = start(command(tmp_path, sys.executable, "-c", FLOODING))
    assert await program.wait() == 0
    await program.stop()
    log = (tmp_path / "log").read_bytes()
    assert len(log) <= LARGEST + PIECE
    assert is_whole(log, FLOOD)


@pytest.mark.fault("A4")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_who_listens_to_a_flood_stays_small(tmp_path: Path) -> None:
    """After 100 MB, and with a secret to look for, the runner process has had 12 MB at most."""
    script = f"{FLOODING}\nsys.stdout.flush()\nopen('ready', 'w').close()\nopen('go').read()"
    os.mkfifo(tmp_path / "ready")
    os.mkfifo(tmp_path / "go")
    program = RecordedProgram.start(
        command(tmp_path, sys.executable, "-c", script, secrets=["canary-value"]),
        attempt=tmp_path / "record",
        marker=("MARK", str(tmp_path)),
    )
    await asyncio.to_thread((tmp_path / "ready").read_bytes)
    runner = program.record.runner
    assert runner is not None
    status = await asyncio.to_thread(Path(f"/proc/{runner.pid}/status").read_text)
    await asyncio.to_thread((tmp_path / "go").write_text, "")
    assert await program.wait() == 0
    await program.stop()
    (most,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    assert int(most) <= 12 * 1024


async def test_output_is_there_at_once(start: Callable[[Command], Started], tmp_path: Path) -> None:
    """A line without an end can be read while the program works on, in a log that has what was there before."""
    (tmp_path / "log").write_text("before\n")
    os.mkfifo(tmp_path / "go")
    program = start(command(tmp_path, "sh", "-c", "printf working; read line < go; echo ' done'"))
    while (tmp_path / "log").read_text() != "before\nworking":  # noqa: ASYNC110  # who reads a log is told by nobody
        await asyncio.sleep(0.001)
    await asyncio.to_thread((tmp_path / "go").write_text, "\n")
    assert await program.wait() == 0
    await program.stop()
    assert (tmp_path / "log").read_text() == "before\nworking done\n"


@pytest.mark.fault("D10")
async def test_secrets_become_stars(start: Callable[[Command], Started], tmp_path: Path) -> None:
    """A secret that is printed, in one piece or in several, is not in the log."""
    script = 'echo "whole $API_TOKEN"; printf "in pieces canary-"; sleep 0.2; printf "value"; printf " canary-"'
    program = start(command(tmp_path, "sh", "-c", script, secrets=["canary-value"]))
    assert await program.wait() == 0
    await program.stop()
    assert (tmp_path / "log").read_text() == "whole ***\nin pieces *** canary-"


async def test_who_closes_its_output_works_on(start: Callable[[Command], Started], tmp_path: Path) -> None:
    """A program without output is waited for all the same."""
    program = start(command(tmp_path, "sh", "-c", "exec >&- 2>&-; sleep 0.5; exit 3"))
    assert await program.wait() == 3
    await program.stop()


async def test_who_holds_the_output_open_holds_up_nobody(start: Callable[[Command], Started], tmp_path: Path) -> None:
    """The end of the first process counts, though one that it started goes on printing."""
    program = start(command(tmp_path, "sh", "-c", "yes & exit 4"))
    began = time.monotonic()
    assert await program.wait() == 4
    await program.stop()
    assert time.monotonic() - began < 20
    assert (tmp_path / "log").stat().st_size <= LARGEST + PIECE


@pytest.mark.fault("A9")
async def test_who_is_heard_by_nobody_ends_at_its_next_word(tmp_path: Path) -> None:
    """A program whose runner process was killed is told so by its output, and does not print into the void."""
    os.mkfifo(tmp_path / "ready")
    os.mkfifo(tmp_path / "go")
    script = "echo up > ready; read line < go; echo word; echo on > on"
    program = RecordedProgram.start(
        command(tmp_path, "sh", "-c", f"trap 'echo deaf > deaf; exit' PIPE; {script}"),
        attempt=tmp_path / "record",
        marker=("MARK", str(tmp_path)),
    )
    await asyncio.to_thread((tmp_path / "ready").read_bytes)
    runner = program.record.runner
    assert runner is not None
    send_signal(runner, 9)
    await process_ended(runner)
    waiting = asyncio.create_task(program.wait())
    await asyncio.to_thread((tmp_path / "go").write_text, "\n")
    assert await waiting is None
    assert (tmp_path / "deaf").exists()
    await program.stop()


@pytest.mark.parametrize("trap", ["link", "FIFO", "directory"])
def test_a_trap_in_place_of_a_log_is_refused(start: Callable[[Command], Started], tmp_path: Path, trap: str) -> None:
    """Nothing is started whose output would go elsewhere, or to nobody; and nothing waits for a reader."""
    log = tmp_path / "log"
    {"link": lambda: log.symlink_to("elsewhere"), "FIFO": lambda: os.mkfifo(log), "directory": log.mkdir}[trap]()
    with pytest.raises(ProcessError, match=r"cannot write what the program prints to .*log"):
        start(command(tmp_path, "touch", "ran"))
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "elsewhere").exists()


def test_later_programs_of_an_attempt_go_on_with_its_log(tmp_path: Path) -> None:
    """What was left out before counts, and the beginning stays that of the first."""
    size = 0
    for _ in range(3):
        log = Log(str(tmp_path / "log"))
        for _ in range(16):
            log.write(b"".join(b"%063d\n" % (line + size // 64) for line in range(16384)))
            size += 64 * 16384
        log.close()
    assert is_whole((tmp_path / "log").read_bytes(), size)


def test_what_looks_like_our_line_is_only_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that prints such a line where ours would stand misleads about a number alone."""
    monkeypatch.setattr(printed, "HEAD", 10)
    monkeypatch.setattr(printed, "TAIL", 10)
    monkeypatch.setattr(printed, "LARGEST", 100)
    log = Log(str(tmp_path / "log"))
    said = b"0123456789\n[agentrelay: x bytes are left out here]\n" + b"y" * 60
    log.write(said)
    log.close()
    line = b"\n[agentrelay: %d bytes are left out here]\n" % (len(said) - 20)
    assert (tmp_path / "log").read_bytes() == said[:10] + line + said[-10:]


def test_a_log_that_cannot_grow_stops_nobody(tmp_path: Path) -> None:
    """What there is no room for is lost; what was there stays, and later words are written again."""
    log = Log(str(tmp_path / "log"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        log.write(b"0123456789 and more")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    log.write(b" again")
    log.close()
    assert (tmp_path / "log").read_bytes() == b"0123456789 again"


@given(
    secrets=st.lists(st.text("abc", min_size=2, max_size=5), min_size=1, max_size=4),
    pieces=st.lists(st.text("abcd", max_size=8), max_size=8),
)
def test_stars_do_not_hang_on_the_pieces(secrets: list[str], pieces: list[str]) -> None:
    """However output is cut, the same is shown, no secret is, and whatever touches none is."""
    secret_bytes = [secret.encode() for secret in secrets]
    stars, whole = Stars(secret_bytes), Stars(secret_bytes)
    shown = b"".join(stars.hide(piece.encode()) for piece in pieces) + stars.rest()
    text = "".join(pieces).encode()
    assert shown == whole.hide(text) + whole.rest()
    assert not any(secret in shown for secret in secret_bytes)
    if not any(secret in text for secret in secret_bytes):
        assert shown == text
