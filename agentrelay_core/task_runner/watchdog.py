"""Deadlines for every wait of every task, by one timer for all of them.

A timer per step would cost more than the step (speed.md). Here a wait is one assignment, and a look at all of them
once in a while; the deadline is read at that moment, so that it can be extended while the wait goes on. Time in which
we did not run counts for no wait: after a pause of the machine or of this process nobody is overdue at once.
"""

import asyncio
from collections.abc import Callable
from enum import Enum
from time import monotonic

from agentrelay_core.task_runner.stalls import Awaited, Begin, Stalls, begin_in_thread

# The longest and the shortest time between two looks, in seconds.
SLOWEST = 30.0
FASTEST = 0.02
# A wait that is not short is first looked at within this time, in seconds, and its clock begins then: most end before,
# and need none. Shorter than the second, it is begun exactly.
SOON = 1.0
SHORT = 20.0
# A look that comes later than this, in seconds, comes after a time in which we did not run.
GAP = 5.0


class Interruption(Enum):
    """Why a wait was ended from our side."""

    OVERDUE = "overdue"
    HUNG = "hung"
    DETACHED = "detached"


class Wait:
    """What one task's run waits for at the moment.

    Attributes:
        limit: How long it may last, in seconds, or what gives that, for a deadline that may be extended; `None` while
            nothing is waited for.
        began: When it began, in seconds of the watchdog's clock; for a long wait, when it was first looked at.
        due: When it is overdue, likewise; `None` before the first look.
        interruption: Why we ended the wait, if we did.
        given_up: Whether we ended the last wait because it lasted too long, or because the agent hung.
        error: What ends a wait that is ended as hung.
        detachable: Whether the wait may be left at once.
    """

    __slots__ = ("began", "detachable", "due", "error", "given_up", "interruption", "limit", "task")

    def __init__(self, task: "asyncio.Task[object]") -> None:
        self.task = task
        self.due: float | None = None
        self.began = 0.0
        self.limit: float | Callable[[], float] | None = None
        self.interruption: Interruption | None = None
        self.given_up = False
        self.error: Exception | None = None
        self.detachable = False

    def interrupt(self, why: Interruption, error: Exception | None = None) -> None:
        """End the wait by cancelling its task; `taken_back` tells this apart from a cancellation by others.

        A wait that is being ended is not ended once more.
        """
        if self.interruption is not None:
            return
        self.interruption = why
        self.error = error
        self.task.cancel()

    def taken_back(self) -> Interruption | None:
        """The reason of our own interruption, and its cancellation undone; `None` if others cancelled too."""
        why = self.interruption
        if why is None:
            return None
        self.interruption = None
        self.given_up = why is not Interruption.DETACHED
        return why if self.task.uncancel() == 0 else None


class Watchdog:
    """Interrupts waits that are overdue, and looks after agents that may hang.

    Args:
        clock: Gives seconds that no change of the wall clock touches.
        begin: Begins a look at agents where it does not block the event loop.
    """

    def __init__(self, clock: Callable[[], float] = monotonic, begin: Begin = begin_in_thread) -> None:
        # In the order in which they began, so that those that are overdue together end in that order.
        self.waits: dict[Wait, None] = {}
        self.stalls = Stalls(clock, begin)
        self.clock = clock
        self._planned = 0.0
        self._soon = False
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> Wait:
        """Begin to watch the current task."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a step is awaited outside of a task")
        wait = Wait(task)
        self.waits[wait] = None
        if self._timer is None:
            self._plan(self.clock(), FASTEST)
        return wait

    def forget(self, wait: Wait) -> None:
        """Stop watching."""
        self.waits.pop(wait, None)

    def begin(self, wait: Wait, limit: float | Callable[[], float]) -> None:
        """Begin a wait; it ends when its ``limit`` is set to `None`.

        Args:
            wait: Whose.
            limit: Seconds that it may last, or what gives them.
        """
        seconds = _seconds(limit)
        wait.limit = limit
        if seconds < SHORT:
            wait.began = self.clock()
            wait.due = wait.began + seconds
            self._look_by(wait.due)
        else:
            wait.due = None
            self._look_soon()

    def watch_agent(self, awaited: Awaited) -> None:
        """Begin to look after an agent that may hang."""
        self.stalls.watch(awaited)
        self._look_soon()

    def look(self) -> float:
        """Look at all waits once.

        Returns:
            Seconds until the next look.
        """
        self._soon = False
        now = self.clock()
        late = now - self._planned
        pause = SLOWEST
        for wait in list(self.waits):
            limit, due = wait.limit, wait.due
            if limit is None:
                continue
            if due is None:
                wait.began = now
                wait.due = due = now + _seconds(limit)
            elif late > GAP:
                wait.due = due = due + late
                wait.began += late
            if due <= now and callable(limit):
                wait.due = due = wait.began + limit()
            if due <= now:
                wait.limit = None
                wait.interrupt(Interruption.OVERDUE)
            elif due - now < pause:
                pause = due - now
        pause = min(pause, self.stalls.tick(now, after_gap=late > GAP))
        return max(pause, FASTEST)

    def _look_soon(self) -> None:
        if not self._soon:
            self._soon = True
            self._look_by(self.clock() + SOON)

    def _look_by(self, when: float) -> None:
        """Look no later than at a time, for a wait that is due before the next look."""
        if self._timer is not None and when < self._planned:
            self._timer.cancel()
            now = self.clock()
            self._plan(now, max(when - now, FASTEST))

    def _timeout(self) -> None:
        if not self.waits:
            self._timer = None
            return
        pause = self.look()
        self._plan(self.clock(), pause)

    def _plan(self, now: float, pause: float) -> None:
        self._planned = now + pause
        self._timer = asyncio.get_running_loop().call_later(pause, self._timeout)


def _seconds(limit: float | Callable[[], float]) -> float:
    return limit() if callable(limit) else limit
