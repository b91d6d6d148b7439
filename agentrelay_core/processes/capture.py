"""Running a short program to its end and keeping what it prints, within a deadline and a size.

`subprocess.run` kills a late child but neither its children nor a flood of output, and waits for ever for a grandchild
that holds the pipe open. This one does not. It is synchronous, for worker threads, and adds little to the program's
own start: every git call passes here.
"""

import contextlib
import math
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from agentrelay_core.processes.errors import OutputLimitError, ProcessTimeoutError
from agentrelay_core.processes.spawn import spawn

DEFAULT_OUTPUT_LIMIT = 16 * 1024 * 1024
_CHUNK = 65536
_LOOK_AGAIN = 0.05  # seconds between looks at the process where there is no pidfd
_KILL_PATIENCE = 5.0  # seconds to reap a killed process; one that is stuck in the kernel takes longer


@attrs.frozen(kw_only=True)
class Captured:
    """A program that has ended.

    Args:
        argv: The program and its arguments.
        returncode: Its exit code, or the negative number of the signal that ended it.
        stdout: What it printed.
        stderr: What it printed as errors.
        seconds: How long it took.
    """

    argv: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes
    seconds: float


def run_captured(
    argv: Sequence[str],
    *,
    cwd: Path | str | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
    deadline: float,
    output_limit: int = DEFAULT_OUTPUT_LIMIT,
    pass_fds: Sequence[int] = (),
) -> Captured:
    """Run a program to its end.

    A program that has ended has ended: what its children print later is not waited for, and they are left alone (a
    credential cache is meant to outlive the command that started it). At the deadline, when too much was printed, or
    when we are interrupted, the whole process group is killed.

    Args:
        argv: The program and its arguments.
        cwd: Working directory, `None` for ours.
        env: The whole environment, `None` for ours.
        stdin: What it reads; `None` means nothing.
        deadline: Seconds that it is given.
        output_limit: Bytes that it may print in all.
        pass_fds: Descriptors that it inherits besides, for example a lock.

    Returns:
        Its exit code, whatever it is, and its output.

    Raises:
        ProgramNotFoundError: There is no such program.
        ProcessTimeoutError: It did not end in time.
        OutputLimitError: It printed too much.
        ProcessError: It could not be started.
    """
    argv = tuple(argv)
    began = time.monotonic()
    process = spawn(
        argv,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=pass_fds,
    )
    pidfd = _pidfd(process.pid)
    try:
        exchange = _Exchange(process, stdin or b"", output_limit)
        _run(process, exchange, pidfd, began, deadline)
        return Captured(
            argv=argv,
            returncode=process.returncode,
            stdout=b"".join(exchange.stdout),
            stderr=b"".join(exchange.stderr),
            seconds=time.monotonic() - began,
        )
    except BaseException:
        _kill(process)
        raise
    finally:
        if pidfd is not None:
            os.close(pidfd)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


class _Exchange:
    """The pipes of one process: what is still to be written, and what was read."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes, output_limit: int) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.argv: tuple[str, ...] = process.args  # type: ignore[assignment]  # what `spawn` was given
        self.stdout: list[bytes] = []
        self.stderr: list[bytes] = []
        self.poller = select.poll()
        self.readers = {process.stdout.fileno(): self.stdout, process.stderr.fileno(): self.stderr}
        self._limit = self._room = output_limit
        self._stdin = process.stdin
        self._unwritten = memoryview(stdin)
        for descriptor in self.readers:
            os.set_blocking(descriptor, False)
            self.poller.register(descriptor, select.POLLIN)
        if self._stdin is not None:
            os.set_blocking(self._stdin.fileno(), False)
            self.poller.register(self._stdin.fileno(), select.POLLOUT)

    def read(self, descriptor: int) -> bool:
        """Take one chunk; False when there is nothing more for now, or for ever."""
        try:
            chunk = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return False
        if not chunk:
            self.poller.unregister(descriptor)
            del self.readers[descriptor]
            return False
        self._room -= len(chunk)
        if self._room < 0:
            raise OutputLimitError(self.argv, self._limit)
        self.readers[descriptor].append(chunk)
        return True

    def write(self, descriptor: int) -> None:
        """Give the program more to read; close the pipe when it has it all or reads no more."""
        try:
            written = os.write(descriptor, self._unwritten[:_CHUNK])
        except BlockingIOError:
            return
        except BrokenPipeError:
            written = len(self._unwritten)
        self._unwritten = self._unwritten[written:]
        if not self._unwritten and self._stdin is not None:
            self.poller.unregister(descriptor)
            self._stdin.close()

    def drain(self) -> None:
        """Take what is in the pipes now."""
        for descriptor in tuple(self.readers):
            while self.read(descriptor):
                pass


def _run(
    process: subprocess.Popen[bytes], exchange: _Exchange, pidfd: int | None, began: float, deadline: float
) -> None:
    """Pass data until the process has ended, then take what is left and reap it."""
    if pidfd is not None:
        exchange.poller.register(pidfd, select.POLLIN)
    while True:
        left = began + deadline - time.monotonic()
        if left <= 0:
            raise ProcessTimeoutError(exchange.argv, deadline)
        pause = left if pidfd is not None else min(left, _LOOK_AGAIN)
        ended = False
        for descriptor, _ in exchange.poller.poll(math.ceil(pause * 1000)):
            if descriptor == pidfd:
                ended = True
            elif descriptor in exchange.readers:
                exchange.read(descriptor)
            else:
                exchange.write(descriptor)
        if ended or pidfd is None:
            ended = process.poll() is not None
        if ended:
            exchange.drain()
            return


def _pidfd(pid: int) -> int | None:
    """A descriptor that becomes readable when our child ends; `None` where there is no such thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the whole group, and reap its leader."""
    if process.returncode is None:  # not reaped, so that the group's number is still its own
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_KILL_PATIENCE)
