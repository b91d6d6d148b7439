"""Listening to a program until it ends: what it prints goes to its log, and nothing is done while it says nothing.

The runner process imports this file by itself, so it imports next to nothing.
"""

import _signal as signal  # type: ignore[import-not-found]  # the part of `signal` that is built in
import os
import select

from printed import PIECE, Log  # type: ignore[import-not-found]  # it lies beside this file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentrelay_core.processes.recorded.runner_process import Order

# Pieces that are read once the program has ended: more than any pipe holds. What its children print later is not ours.
_LAST_PIECES = 64


class Pipe:
    """What a program without a terminal prints to."""

    def __init__(self) -> None:
        self._printed, self._prints = os.pipe()

    def take(self, order: "Order") -> "Iterator[bytes]":
        """In the program's place: read what it is given, and print into the pipe."""
        yield b"stdin"
        os.dup2(os.open(order.stdin or os.devnull, os.O_RDONLY), 0)
        yield b"output"
        os.dup2(self._prints, 1)
        os.dup2(self._prints, 2)

    def listen(self, pid: int, log: Log) -> int:
        """See `listen`."""
        os.close(self._prints)
        return listen(pid, self._printed, log)


def listen(pid: int, printed: int, log: Log) -> int:
    """Take what a child of ours prints until its first process has ended, and close the log.

    Args:
        pid: The child.
        printed: The end of a pipe from which its output is read.
        log: Where that goes.

    Returns:
        The exit code, or the negative number of a signal. The child is not reaped where possible: TERM may still be
        passed on to its group.
    """
    woken, wakes = os.pipe()
    for descriptor in (woken, wakes, printed):
        os.set_blocking(descriptor, False)
    # Each signal that comes writes a byte, so that no end falls between a look and the sleep.
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poller = select.poll()
    poller.register(woken, select.POLLIN)
    poller.register(printed, select.POLLIN)
    while (code := exit_code(pid)) is None:
        for descriptor, _ in poller.poll():
            if descriptor == woken:
                os.read(woken, PIECE)
            elif _take(printed, log) == b"":
                poller.unregister(printed)  # it has closed its output, and works on
    for _ in range(_LAST_PIECES):
        if not _take(printed, log):
            break
    log.close()
    return code


def _take(printed: int, log: Log) -> bytes | None:
    """A piece of the output; empty at its end, and `None` when there is none yet."""
    try:
        piece = os.read(printed, PIECE)
    except BlockingIOError:
        return None
    log.write(piece)
    return piece


def exit_code(pid: int) -> int | None:
    """The exit code of a child, or the negative number of a signal; `None` while it runs. Not reaped where possible."""
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        ended, status = os.waitpid(pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if ended else None
    found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status
