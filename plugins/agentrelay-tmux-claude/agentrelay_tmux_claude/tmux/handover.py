"""Having a program started in a pane: tmux starts the runner process there, its order is a file, its report a FIFO."""

import contextlib
import fcntl
import os
import select
import signal
import sys
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.processes import ProcessError, find_marked, identify
from agentrelay_core.processes.command import Command, Marker
from agentrelay_core.processes.ending import send_signal
from agentrelay_core.processes.recorded import handover
from agentrelay_core.processes.recorded.handover import HEARTBEAT_INTERVAL, REPORT_DEADLINE
from agentrelay_core.processes.recorded.records import LaunchRecord, launches
from agentrelay_tmux_claude.tmux.errors import TmuxError
from agentrelay_tmux_claude.tmux.panes import Opened, Pane
from agentrelay_tmux_claude.tmux.records import WindowRecord, mark_of
from agentrelay_tmux_claude.tmux.server import Server

_SCRIPT: Final = str(Path(__file__).absolute().parent / "pane" / "run.py")
_RUNNERS: Final = str(Path(handover.__file__).absolute().parent)
ORDER: Final = "order"
REPORT: Final = "report"
# Where an order is written until it is whole, and locked.
_ASIDE: Final = "order.new"


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
        command: Command,
        *,
        attempt: Path,
        marker: Marker,
        heartbeat: float = HEARTBEAT_INTERVAL,
    ) -> tuple[LaunchRecord, None]:
        """Have a program started in a window of its own; it blocks until that is done, some 40 ms.

        Args:
            command: The program; with ``/dev/tty`` for `stdin` it can be typed to, and ``TERM`` becomes the window's.
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
        order = handover.encode_order(command, marker, heartbeat)
        forget_orders(attempt)
        record = handover.new_record(attempt.absolute())
        pane = Pane(server=self.server, session=self.session, mark=mark_of(record))
        WindowRecord(pane=pane).write(record)
        try:
            told = self._started(pane, record, order, command)
        except BaseException:
            _undo(pane, record, marker)
            raise
        finally:
            for name in (ORDER, REPORT):
                (record.directory / name).unlink(missing_ok=True)
        if told == b"started" or (not told and record.runner is not None and find_marked(*marker)):
            return record, None  # nothing told: somebody killed the runner right after it had started the program
        _undo(pane, record, marker)
        raise handover.start_error(told, command, record)

    def _started(self, pane: Pane, record: LaunchRecord, order: bytes, command: Command) -> bytes:
        report, laid_out = _prepare(record, order)
        try:
            if not sys.executable:
                raise ProcessError("the path of this Python is not known (sys.executable is empty)")
            runner = [sys.executable, "-I", "-S", "-E", _SCRIPT, _RUNNERS, str(record.directory)]
            opened = pane.open(self.title, runner)
            WindowRecord(pane=pane, number=opened.pane, server=identify(opened.server_pid)).write(record)
            return _report(report, opened, command)
        finally:
            os.close(report)
            os.close(laid_out)


def forget_orders(attempt: Path) -> None:
    """Remove orders of launches that were cut short: they hold what agents alone may know, and nobody will take them.

    Args:
        attempt: Directory of the attempt's record.
    """
    for number in launches(attempt):
        for name in (ORDER, _ASIDE):
            path = attempt / str(number) / name
            with contextlib.suppress(OSError), path.open("rb") as order:
                fcntl.flock(order, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while whoever laid it out is still at it
                path.unlink()


def _prepare(record: LaunchRecord, order: bytes) -> tuple[int, int]:
    """Lay out a FIFO, whose reading end comes first, and the order, locked as long as its descriptor is open."""
    aside = record.directory / _ASIDE
    try:
        os.mkfifo(record.directory / REPORT, 0o600)
        laid_out = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(laid_out, fcntl.LOCK_EX)
            rest = memoryview(order)
            while rest:
                rest = rest[os.write(laid_out, rest) :]
            aside.rename(record.directory / ORDER)
            return os.open(record.directory / REPORT, os.O_RDONLY | os.O_NONBLOCK), laid_out
        except BaseException:
            os.close(laid_out)
            aside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ProcessError(f"cannot keep a record of the program in {record.directory}: {error.strerror}") from error


def _report(report: int, opened: Opened, command: Command) -> bytes:
    """What the runner process says; nothing when it has ended without a word."""
    try:
        runner = os.pidfd_open(opened.pid)
    except (AttributeError, OSError):
        return handover.read_report(report, command)
    try:
        poller = select.poll()
        poller.register(report, select.POLLIN)
        poller.register(runner, select.POLLIN)
        poller.poll(REPORT_DEADLINE * 1000)
        ready = {descriptor for descriptor, _ in poller.poll(0)}
        if runner in ready and report not in ready:
            return b""
        return handover.read_report(report, command)
    finally:
        os.close(runner)


def _undo(pane: Pane, record: LaunchRecord, marker: Marker) -> None:
    """Leave neither a window nor a program of a launch that failed; what another launch started is not touched."""
    with contextlib.suppress(TmuxError):  # what made it fail is told, not that
        pane.close()
    if record.runner is not None and record.exit is None:  # it had the attempt's lock, so that what is marked is its
        for identity in (record.runner, *find_marked(*marker)):
            send_signal(identity, signal.SIGKILL)
