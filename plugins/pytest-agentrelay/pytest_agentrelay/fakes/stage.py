"""Where a scripted agent plays: its directories, its voice, and how it is told to stop.

The same acts run in a thread and in a program of their own; only what differs between the two is here.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import attrs


class Ended(Exception):  # no error: how an act ends the agent
    """The agent ends here.

    Args:
        exit_code: Its exit code, or the negative number of a signal.
    """

    def __init__(self, exit_code: int) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


STOPPED = -15  # what ends a program that is stopped: SIGTERM


def _crash_of_a_thread() -> NoReturn:
    raise Ended(-9)


@attrs.frozen(kw_only=True)
class Stage:
    """What an agent has.

    Args:
        task_id: Its task.
        worktree: Where it works.
        signal_dir: Where it signals.
        say: Prints; takes text that ends with a newline.
        stop: Set when the agent is to end.
        crash: Ends the agent at once, as SIGKILL does.
    """

    task_id: str
    worktree: Path
    signal_dir: Path
    say: Callable[[str], None]
    stop: threading.Event = attrs.field(factory=threading.Event)
    crash: Callable[[], NoReturn] = _crash_of_a_thread

    def pause(self, seconds: float | None = None) -> None:
        """Let time go by, or all time; an agent that is stopped meanwhile ends.

        Args:
            seconds: How long; `None` means until it is stopped.

        Raises:
            Ended: It is stopped.
        """
        if self.stop.wait(seconds):
            raise Ended(STOPPED)
