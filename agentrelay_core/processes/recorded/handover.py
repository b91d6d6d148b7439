"""Having a program started by a runner process: an order goes in, a report comes back, we may die."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from agentrelay_core.processes.command import Command, Marker
from agentrelay_core.processes.ending import send_signal
from agentrelay_core.processes.errors import (
    AlreadyRunningError,
    ProcessError,
    ProcessTimeoutError,
    ProgramNotFoundError,
    shown,
)
from agentrelay_core.processes.identity import boot_id, find_marked
from agentrelay_core.processes.recorded.records import RUNNER_LOG, LaunchRecord, launches
from agentrelay_core.processes.spawn import spawn

HEARTBEAT_INTERVAL = 30.0  # seconds
REPORT_DEADLINE = 50.0  # seconds; a report takes some 20 ms
_SCRIPT = str(Path(__file__).absolute().with_name("run.py"))
# What a Python may need to find its own libraries, and to tell the time of day as we do. Nothing else: neither
# secrets nor markers, so that the runner process is never taken for a part of the program.
_PASSED = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "TZ")


def hand_over(
    command: Command, *, attempt: Path, marker: Marker, heartbeat: float = HEARTBEAT_INTERVAL
) -> tuple[LaunchRecord, int]:
    """Have a program started; it blocks until that is done or known not to be, some 20 ms.

    Args:
        command: The program.
        attempt: Directory of the attempt's record; made with mode 0700 where it is missing.
        marker: Name and value of the variable by which the program's descendants are found; written into the record.
        heartbeat: Seconds between heartbeats.

    Returns:
        The record of the launch, and the process id of the runner process, a child of ours that we must reap.

    Raises:
        AlreadyRunningError: A program of this attempt has not ended.
        ProgramNotFoundError: There is no such program.
        ProcessError: It could not be started for another reason, which the text tells.
    """
    order = encode_order(command, marker, heartbeat)
    record = new_record(attempt.absolute())
    report_read, report_write = os.pipe()
    with open(report_read, "rb", buffering=0) as report:  # noqa: PTH123  # a descriptor, not a path
        try:
            process = _spawn(record, order, report_write)
        finally:
            os.close(report_write)
        process.returncode = 0  # it is reaped by whoever waits for it; Popen must not complain that nobody did
        try:
            told = read_report(report.fileno(), command)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)  # not reaped, so that the number is still its own
            _reap(process.pid)
            for identity in find_marked(*marker):  # it may have come as far as to start the program
                send_signal(identity, signal.SIGKILL)
            raise
    if told == b"started":
        return record, process.pid
    _reap(process.pid)
    if not told and find_marked(*marker):
        return record, process.pid  # somebody killed it right after it had started the program
    raise start_error(told, command, record)


def encode_order(command: Command, marker: Marker, heartbeat: float) -> bytes:
    """What a runner process is told to start.

    Args:
        command: The program.
        marker: Name and value of the variable by which the program's descendants are found.
        heartbeat: Seconds between heartbeats.

    Raises:
        ProcessError: Something holds a NUL character.
    """
    paths = (
        "" if path is None else str(Path(path).absolute()) for path in (command.cwd, command.stdin, command.output)
    )
    fields = [
        boot_id(),
        str(heartbeat),
        str(command.memory or 0),
        *paths,
        *marker,
        str(len(command.argv)),
        *command.argv,
        str(len(command.secrets)),
        *command.secrets,
    ]
    fields += [f"{name}={value}" for name, value in command.env.items()]
    if any("\0" in field for field in fields):
        name = shown(command.argv)
        raise ProcessError(f"{name} cannot be started: an argument, a variable or a path holds a NUL character")
    return b"".join(os.fsencode(field) + b"\0" for field in fields)


def new_record(attempt: Path) -> LaunchRecord:
    """Make the directory of a launch, with the next number of its attempt.

    Args:
        attempt: Directory of the attempt's record; made with mode 0700 where it is missing.

    Raises:
        ProcessError: That cannot be done.
    """
    try:
        attempt.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            record = LaunchRecord(attempt, max(launches(attempt), default=0) + 1)
            with contextlib.suppress(FileExistsError):  # somebody else took that number: the lock will tell
                record.directory.mkdir(mode=0o700)
                return record
    except OSError as error:
        raise ProcessError(f"cannot keep a record of the program in {attempt}: {error.strerror}") from error


def _spawn(record: LaunchRecord, order: bytes, report: int) -> "subprocess.Popen[bytes]":
    if not sys.executable:
        raise ProcessError("the path of this Python is not known (sys.executable is empty); agents are started by it")
    log = os.open(record.directory / RUNNER_LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        given = _nameless(record.directory / "order", order)
        try:
            return spawn(
                [sys.executable, "-I", "-S", "-E", _SCRIPT, str(record.directory)],
                cwd="/",
                env={name: os.environ[name] for name in _PASSED if name in os.environ},
                stdin=given,
                stdout=report,
                stderr=log,
            )
        finally:
            os.close(given)
    finally:
        os.close(log)


def _nameless(path: Path, content: bytes) -> int:
    """A descriptor on a file that nobody else can open: unlike a pipe, it takes any size without a reader."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        path.unlink()
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_report(descriptor: int, command: Command) -> bytes:
    """What the runner process says, until it closes its end.

    Args:
        descriptor: Where it says it.
        command: The program, for the error.

    Raises:
        ProcessTimeoutError: It says nothing for too long.
    """
    until = time.monotonic() + REPORT_DEADLINE
    told = b""
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    while (left := until - time.monotonic()) > 0:
        if poller.poll(left * 1000):
            piece = os.read(descriptor, 4096)
            if not piece:
                return told
            told += piece
    raise ProcessTimeoutError(command.argv, REPORT_DEADLINE)


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def start_error(told: bytes, command: Command, record: LaunchRecord) -> ProcessError:
    """Why a program was not started.

    Args:
        told: The report of its runner process.
        command: The program.
        record: The record of the launch.
    """
    name = shown(command.argv)
    if told == b"locked":
        return AlreadyRunningError(record.attempt)
    if not told.startswith(b"failed "):
        log = record.directory / RUNNER_LOG
        said = log.read_text(errors="replace").strip().splitlines()[-1:]
        return ProcessError(f"{name} was not started: {': '.join(['its runner process failed', *said])} ({log})")
    _, stage, number = told.decode().split(" ")
    why = os.strerror(int(number))
    if stage == "memory":
        return ProcessError(f"{name} cannot be limited to {command.memory} bytes of memory: {why}")
    if stage == "cwd":
        return ProcessError(f"{name} cannot start in {command.cwd}: {why}")
    if stage == "stdin":
        return ProcessError(f"cannot read the program's input from {command.stdin}: {why}")
    if stage == "output":
        return ProcessError(f"cannot write what the program prints to {command.output}: {why}")
    try:
        raise OSError(int(number), why)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return ProgramNotFoundError(command.argv[0])
    except OSError:
        return ProcessError(f"{name} cannot be started: {why}")
