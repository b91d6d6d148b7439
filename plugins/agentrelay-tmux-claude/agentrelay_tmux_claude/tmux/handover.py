"""Having a program started in a pane: tmux starts the runner process there, its order is a file, its report a FIFO."""

import contextlib
import os
import select
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.processes import ProcessError, find_marked, identify
from agentrelay_core.processes.ending import send_signal
from agentrelay_core.processes.recorded import handover
from agentrelay_core.processes.recorded.handover import HEARTBEAT_INTERVAL, REPORT_DEADLINE
from agentrelay_core.processes.recorded.records import LaunchRecord, launches
from agentrelay_core.processes.survey import Marker
from agentrelay_tmux_claude.tmux.errors import TmuxError
from agentrelay_tmux_claude.tmux.panes import Opened, Pane
from agentrelay_tmux_claude.tmux.records import WindowRecord, mark_of
from agentrelay_tmux_claude.tmux.server import Server

_SCRIPT: Final = str(Path(__file__).absolute().parent / "pane" / "run.py")
_RUNNERS: Final = str(Path(handover.__file__).absolute().parent)
ORDER: Final = "order"
REPORT: Final = "report"


@attrs.frozen(kw_only=True)
class PaneStarter:
    """Starts programs in windows; called as `hand_over` is.

    Args:
        server: The server that gets the window.
        session: The session that gets it.
        title: The window's title.
    """

    server: Server
    session: str
    title: str

    def __call__(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | str,
        env: Mapping[str, str],
        stdin: Path | None,
        output: Path,
        attempt: Path,
        marker: Marker,
        heartbeat: float = HEARTBEAT_INTERVAL,
    ) -> tuple[LaunchRecord, None]:
        """Have a program started in a window of its own; it blocks until that is done, some 40 ms.

        Args:
            argv: The program and its arguments.
            cwd: Working directory.
            env: The whole environment, whose PATH is searched; ``TERM`` becomes that of the window.
            stdin: File whose content it reads; `None` means the terminal.
            output: File to which all that it prints is appended; a link there is refused.
            attempt: Directory of the attempt's record.
            marker: Name and value of the variable by which the program's descendants are found.
            heartbeat: Seconds between heartbeats.

        Returns:
            The record of the launch; no process id, because the runner process is tmux's child.

        Raises:
            AlreadyRunningError: A program of this attempt has not ended.
            ProgramNotFoundError: There is no such program.
            ProcessError: It could not be started for another reason, which the text tells.
        """
        order = handover.encode_order(argv, cwd, env, stdin, output, marker, heartbeat)
        forget_orders(attempt)
        record = handover.new_record(attempt.absolute())
        pane = Pane(server=self.server, session=self.session, mark=mark_of(record))
        WindowRecord(pane=pane).write(record)
        try:
            told = self._started(pane, record, order, argv)
        except BaseException:
            _undo(pane, marker)
            raise
        finally:
            for name in (ORDER, REPORT):
                (record.directory / name).unlink(missing_ok=True)
        if told == b"started" or (not told and find_marked(*marker)):
            return record, None  # nothing told: somebody killed the runner right after it had started the program
        _undo(pane, marker if told != b"locked" else None)
        raise handover.start_error(told, argv, cwd, stdin, output, record)

    def _started(self, pane: Pane, record: LaunchRecord, order: bytes, argv: Sequence[str]) -> bytes:
        report = _prepare(record, order)
        try:
            if not sys.executable:
                raise ProcessError("the path of this Python is not known (sys.executable is empty)")
            runner = [sys.executable, "-I", "-S", "-E", _SCRIPT, _RUNNERS, str(record.directory)]
            opened = pane.open(self.title, runner)
            WindowRecord(pane=pane, number=opened.pane, server=identify(opened.server_pid)).write(record)
            return _report(report, opened, argv)
        finally:
            os.close(report)


def forget_orders(attempt: Path) -> None:
    """Remove orders that nobody took, of launches that did not come to an end: they hold what agents alone may know."""
    for number in launches(attempt):
        (attempt / str(number) / ORDER).unlink(missing_ok=True)


def _prepare(record: LaunchRecord, order: bytes) -> int:
    """Lay out the order, and a FIFO whose reading end is returned."""
    try:
        with open(  # Path.open has no opener
            record.directory / ORDER, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)
        ) as file:
            file.write(order)
        os.mkfifo(record.directory / REPORT, 0o600)
        return os.open(record.directory / REPORT, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        raise ProcessError(f"cannot keep a record of the program in {record.directory}: {error.strerror}") from error


def _report(report: int, opened: Opened, argv: Sequence[str]) -> bytes:
    """What the runner process says; nothing when it has ended without a word."""
    try:
        runner = os.pidfd_open(opened.pid)
    except (AttributeError, OSError):
        return handover.read_report(report, argv)
    try:
        poller = select.poll()
        poller.register(report, select.POLLIN)
        poller.register(runner, select.POLLIN)
        poller.poll(REPORT_DEADLINE * 1000)
        ready = {descriptor for descriptor, _ in poller.poll(0)}
        if runner in ready and report not in ready:
            return b""
        return handover.read_report(report, argv)
    finally:
        os.close(runner)


def _undo(pane: Pane, marker: Marker | None) -> None:
    """Leave neither a window nor a program of a launch that failed."""
    with contextlib.suppress(TmuxError):  # what made it fail is told, not that
        pane.close()
    for identity in find_marked(*marker) if marker is not None else ():
        send_signal(identity, signal.SIGKILL)
