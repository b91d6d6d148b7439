"""Deadlines for every wait of every task, by one timer for all of them.

A timer per step would cost more than the step (speed.md). Here a wait is one assignment, and a look at all of them
once in a while; the deadline is read at that moment, so that it can be extended while the wait goes on.
"""

import asyncio
from enum import Enum
from time import monotonic

# The longest and the shortest time between two looks, in seconds.
SLOWEST = 1.0
FASTEST = 0.02


class Interruption(Enum):
    """Why a wait was ended from our side."""

    OVERDUE = "overdue"
    DETACHED = "detached"


class Wait:
    """What one task's run waits for at the moment.

    Attributes:
        due: When the wait is overdue, in seconds of the monotonic clock; `None` for no deadline.
        interruption: Why we ended the wait, if we did.
        detachable: Whether the wait may be left at once.
    """

    __slots__ = ("detachable", "due", "interruption", "task")

    def __init__(self, task: "asyncio.Task[object]") -> None:
        self.task = task
        self.due: float | None = None
        self.interruption: Interruption | None = None
        self.detachable = False

    def interrupt(self, why: Interruption) -> None:
        """End the wait by cancelling its task; `taken_back` tells this apart from a cancellation by others."""
        self.interruption = why
        self.task.cancel()

    def taken_back(self) -> Interruption | None:
        """The reason of our own interruption, and its cancellation undone; `None` if others cancelled too."""
        why = self.interruption
        if why is None:
            return None
        self.interruption = None
        return why if self.task.uncancel() == 0 else None


class Watchdog:
    """Interrupts waits that are overdue."""

    def __init__(self) -> None:
        self.waits: set[Wait] = set()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> Wait:
        """Begin to watch the current task."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a step is awaited outside of a task")
        wait = Wait(task)
        self.waits.add(wait)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FASTEST, self._look)
        return wait

    def forget(self, wait: Wait) -> None:
        """Stop watching."""
        self.waits.discard(wait)

    def _look(self) -> None:
        if not self.waits:
            self._timer = None
            return
        now = monotonic()
        pause = SLOWEST
        for wait in list(self.waits):
            if wait.due is None:
                continue
            if wait.due <= now:
                wait.due = None
                wait.interrupt(Interruption.OVERDUE)
            else:
                pause = min(pause, wait.due - now)
        self._timer = asyncio.get_running_loop().call_later(max(pause, FASTEST), self._look)
