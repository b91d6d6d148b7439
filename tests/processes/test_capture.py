"""Short programs: output, deadline, limits, and nothing left behind."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from agentrelay_core.processes import (
    OutputLimitError,
    ProcessError,
    ProcessTimeoutError,
    ProgramNotFoundError,
    run_captured,
)


def _descriptors() -> set[str]:
    return {entry.name for entry in Path("/dev/fd").iterdir()}


def test_output_and_exit_code_are_kept_apart(tmp_path: Path) -> None:
    """Both streams, the exit code, the arguments and the time are in the result."""
    captured = run_captured(["sh", "-c", "pwd; echo bad >&2; exit 3"], cwd=tmp_path, deadline=10)
    assert captured.stdout == f"{tmp_path.resolve()}\n".encode()
    assert captured.stderr == b"bad\n"
    assert captured.returncode == 3
    assert captured.argv == ("sh", "-c", "pwd; echo bad >&2; exit 3")
    assert 0 < captured.seconds < 10


def test_environment_is_the_one_given() -> None:
    """A program sees the environment it is given and nothing else."""
    captured = run_captured(["/usr/bin/env"], env={"ONLY": "this"}, deadline=10)
    assert captured.stdout == b"ONLY=this\n"


def test_large_input_and_output_pass_through() -> None:
    """More than a pipe holds goes in and out at the same time."""
    data = os.urandom(3_000_000)
    assert run_captured(["cat"], stdin=data, deadline=30).stdout == data


def test_no_input_is_empty_input() -> None:
    """A program without input reads nothing and does not wait."""
    assert run_captured(["cat"], deadline=10).stdout == b""
    assert run_captured(["cat"], stdin=b"", deadline=10).stdout == b""


def test_input_that_nobody_reads_is_no_error() -> None:
    """A program may end without reading its input."""
    assert run_captured(["true"], stdin=b"x" * 3_000_000, deadline=10).returncode == 0


def test_signal_is_a_negative_exit_code() -> None:
    """A program ended by a signal tells which."""
    assert run_captured(["sh", "-c", "kill -9 $$"], deadline=10).returncode == -9


def test_deadline_kills_the_whole_group(tmp_path: Path) -> None:
    """At the deadline children that ignore TERM die too, and the error names program and seconds."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    script = f"trap '' TERM; exec 3>{fifo}; (trap '' TERM; sleep 600 & wait) & wait"
    began = time.monotonic()
    with pytest.raises(ProcessTimeoutError) as caught:
        run_captured(["sh", "-c", script], deadline=0.3)
    assert str(caught.value) == "`sh -c` did not end within 0.3 s and was stopped"
    assert time.monotonic() - began < 5
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""  # every holder of the other end is gone, else this blocks until the test's timeout
    os.close(reader)


def test_deadline_counts_while_pipes_are_closed() -> None:
    """A program that closes its output and goes on is late all the same."""
    with pytest.raises(ProcessTimeoutError):
        run_captured(["sh", "-c", "exec >&- 2>&-; exec sleep 600"], deadline=0.2)


def test_flood_is_stopped() -> None:
    """Output beyond the limit ends the program with an error that names the limit."""
    with pytest.raises(OutputLimitError, match=r"`yes` printed more than 100000 bytes and was stopped"):
        run_captured(["yes"], deadline=30, output_limit=100_000)


def test_grandchild_that_keeps_the_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """The end of the program counts, not the end of those who inherited its output."""
    script = "sleep 600 & echo $!; echo last"
    captured = run_captured(["sh", "-c", script], deadline=30)
    pid, last = captured.stdout.split()
    assert last == b"last"
    os.kill(int(pid), signal.SIGKILL)  # left alone, so it is still there


def test_missing_program_is_named() -> None:
    """The error for a missing program names it."""
    with pytest.raises(ProgramNotFoundError, match=r"program no-such-program not found on PATH") as caught:
        run_captured(["no-such-program", "x"], deadline=1)
    assert caught.value.program == "no-such-program"


def test_file_that_is_no_program_is_named(tmp_path: Path) -> None:
    """A file without permission to execute counts as missing."""
    (tmp_path / "tool").write_text("text")
    with pytest.raises(ProgramNotFoundError, match="tool"):
        run_captured([str(tmp_path / "tool")], deadline=1)


def test_missing_directory_is_not_a_missing_program(tmp_path: Path) -> None:
    """The error for a missing working directory names the directory."""
    with pytest.raises(ProcessError, match=r"`true` cannot start in .*/gone: No such file"):
        run_captured(["true"], cwd=tmp_path / "gone", deadline=1)


def test_descriptor_is_passed_on() -> None:
    """A program inherits the descriptors that it is handed, and no other."""
    lock, other = os.pipe()
    script = f"[ -e /dev/fd/{lock} ] && [ ! -e /dev/fd/{other} ]"
    assert run_captured(["sh", "-c", script], deadline=10, pass_fds=[lock]).returncode == 0
    os.close(lock)
    os.close(other)


def test_nothing_is_left_behind() -> None:
    """No descriptor and no zombie remains, however a program ends."""
    before = _descriptors()
    run_captured(["true"], stdin=b"x", deadline=10)
    with pytest.raises(ProcessTimeoutError):
        run_captured(["sleep", "600"], deadline=0.05)
    with pytest.raises(OutputLimitError):
        run_captured(["yes"], deadline=10, output_limit=10)
    with pytest.raises(ProgramNotFoundError):
        run_captured(["no-such-program"], deadline=10)
    assert _descriptors() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_works_without_pidfd(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no pidfd, the end is noticed all the same."""
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    captured = run_captured([sys.executable, "-c", "print('x' * 200000)"], deadline=30)
    assert len(captured.stdout) == 200_001
    with pytest.raises(ProcessTimeoutError):
        run_captured(["sleep", "600"], deadline=0.1)
