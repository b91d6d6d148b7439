"""INT, TERM and HUP: the first leaves the run in order, its agents at work; the second ends this process at once.

What is left goes on with the next `agentrelay run`; whatever moment this process ends at, its journal is whole.

Signal handlers are the command's alone; an orchestrator that is embedded never touches its host's.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, NoReturn

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Seconds for the short steps that are under way at the first signal.
PATIENCE: Final = 9.0


class Stopping:
    """What signals have asked for so far.

    Args:
        detach: Called at the first signal, in the event loop's thread.
    """

    def __init__(self, detach: Callable[[], None]) -> None:
        self.signal: int | None = None
        self._detach = detach
        self._loop = asyncio.get_running_loop()

    @property
    def exit_code(self) -> int | None:
        """128 and the signal's number; `None` when there was none."""
        return None if self.signal is None else 128 + self.signal

    def receive(self, number: int, _: object = None) -> None:
        """Take a signal; in the main thread, whatever that is at."""
        if self.signal is not None:
            with suppress(OSError):  # the terminal may be gone
                os.write(2, b"left at once; `agentrelay run` goes on from what is recorded\n")
            leave(128 + number)
        self.signal = number
        self._loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        with suppress(OSError):  # the terminal may be gone
            print(
                "leaving: agents stay at work, `agentrelay run` goes on with them and `agentrelay cancel` ends them; "
                "once more to leave at once",
                file=sys.stderr,
            )
        self._loop.call_later(PATIENCE, leave, 128 + (self.signal or 0))
        self._detach()


@contextmanager
def leave_on_signals(detach: Callable[[], None]) -> Iterator[Stopping]:
    """Handle INT, TERM and HUP for the body of the ``with``; to be entered in a running event loop.

    A HUP that is ignored already, as ``nohup`` does it, stays ignored.

    Not by the loop's own handlers: those would wait for a plugin that blocks it.

    Args:
        detach: What to do at the first.
    """
    stopping = Stopping(detach)
    before = {}
    try:
        for number in SIGNALS:
            if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue
            before[number] = signal.signal(number, stopping.receive)
    except ValueError:  # not in the main thread: there KeyboardInterrupt remains
        yield stopping
        return
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(exit_code: int) -> NoReturn:
    """End the process now; what was printed is printed.

    The interpreter's own end would wait for every thread, and a plugin's step may hang in one for ever.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue  # nobody reads any more
    os._exit(exit_code)


def leave_if_hung(exit_code: int) -> int:
    """End the process at once where a thread is left that the interpreter would wait for.

    Args:
        exit_code: The exit code.

    Returns:
        The same code, where nothing is in the way of an ordinary end.
    """
    own = threading.current_thread()
    left = [thread for thread in threading.enumerate() if thread is not own and not thread.daemon]
    for thread in left:
        thread.join(timeout=0.5)
    if any(thread.is_alive() for thread in left):
        leave(exit_code)
    return exit_code
