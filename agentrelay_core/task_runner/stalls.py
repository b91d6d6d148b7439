"""Agents that do nothing any more: people are told, and where the task says so the agent is stopped.

All agents are looked at together, in a thread, a few times within the deadline: a file system that hangs delays the
looks and nothing else. Whoever was not looked at for long, because the machine slept or the process stood still, is
given the whole time again.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterable
from time import monotonic
from typing import TYPE_CHECKING, Protocol

from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.spec import Deadlines

if TYPE_CHECKING:
    from agentrelay_core.task_runner.traces import Traces

# Looks within a deadline; so much sooner or later is a stall noticed.
LOOKS = 5
# The longest and the shortest time between two looks, in seconds.
SLOWEST = 180.0
FASTEST = 0.05
# The part of that time by which a look may come early.
EARLY = 0.25
# Seconds between two warnings about one stall.
REPEAT = 3600.0

_DEFAULTS = Deadlines()
Seen = tuple["Stall", bool, str | None]
Begin = Callable[[Callable[[], None]], None]
"""Begins some work that may take long, and returns at once."""


def begin_in_thread(work: Callable[[], None]) -> None:
    """Begin a look in a thread of its own.

    No pool: a look that hangs would hold one of its threads, and the end of the process would wait for it.
    """
    threading.Thread(target=work, name="agentrelay-stalls", daemon=True).start()


class Awaited(Protocol):
    """A task whose agent is waited for."""

    runtime: TaskRuntime

    def warn(self, message: str) -> None:
        """Tell people."""

    def hung(self, reason: str) -> None:
        """End the wait: the agent does nothing any more."""


class Stall:
    """One agent's clock of progress.

    Args:
        awaited: The agent's task; its deadlines are read when they are needed.
        now: When the wait for it began, in seconds of the monotonic clock.
    """

    __slots__ = ("_asked", "_pause", "_paused_for", "_warned", "asks", "awaited", "looked", "since", "traces")

    def __init__(self, awaited: Awaited, now: float) -> None:
        self.awaited = awaited
        self.looked = now
        self.since = now
        self.traces: Traces | None = None
        self.asks = False
        self._warned: float | None = None
        self._asked: str | None = None
        self._paused_for: Deadlines | None = None
        self._pause = 0.0

    @property
    def deadlines(self) -> Deadlines:
        """The deadlines as they are now."""
        return self.awaited.runtime.task.deadlines or _DEFAULTS

    @property
    def pause(self) -> float:
        """Seconds between two looks at it."""
        deadlines = self.awaited.runtime.task.deadlines or _DEFAULTS
        if deadlines is not self._paused_for:  # asked of every agent at every look, and hardly ever another
            shortest = min(deadlines.stall, deadlines.stall_stop or deadlines.stall)
            self._paused_for, self._pause = deadlines, min(max(shortest / LOOKS, FASTEST), SLOWEST)
        return self._pause

    def begin_anew(self, now: float) -> None:
        """Count from now on."""
        self.since = now
        self._warned = None

    def judge(self, now: float, progressed: bool, question: str | None = None) -> None:
        """Say what a look comes to.

        Args:
            now: When it was made, in seconds of the monotonic clock.
            progressed: Whether there was anything new.
            question: What the agent waits for a person to answer, `None` when it does not; it is not stopped then.
        """
        if question is not None and question != self._asked:
            self.awaited.warn(f"the agent waits for input: {question or 'it does not say what for'}")
        self._asked = question
        resting = self.awaited.runtime.artifacts.resting
        if progressed or resting or question is not None or self.asks:
            self.begin_anew(now)
            return
        idle, deadlines = now - self.since, self.deadlines
        if deadlines.stall_stop is not None and idle >= deadlines.stall_stop:
            self.awaited.hung(
                f"hung: no progress for {duration(idle)}; the task's deadlines.stall_stop is "
                f"{duration(deadlines.stall_stop)}"
            )
        elif idle >= deadlines.stall and (self._warned is None or now - self._warned >= REPEAT):
            self._warned = now
            ends = deadlines.stall_stop or deadlines.wall
            self.awaited.warn(
                f"no progress for {duration(idle)}: no new output, files, commits or CPU time; "
                f"see `agentrelay logs {self.awaited.runtime.task.id}`; it is stopped after {duration(ends)}"
                f"{'' if deadlines.stall_stop else ' in all'}"
            )


class Stalls:
    """Looks after all agents that are waited for.

    Args:
        clock: The watchdog's.
        begin: Begins a look where it does not block the event loop.
    """

    def __init__(self, clock: Callable[[], float] = monotonic, begin: Begin = begin_in_thread) -> None:
        self._clock = clock
        self._begin = begin
        # Most waits of no-op tasks end before the next tick, and need no clock.
        self._new: dict[Awaited, None] = {}
        self._watched: dict[Awaited, Stall] = {}
        self._looking = False
        self._next = 0.0

    def watch(self, awaited: Awaited) -> None:
        """Begin to look after an agent."""
        self._new[awaited] = None

    def forget(self, awaited: Awaited) -> None:
        """Stop looking after an agent; forgetting it again changes nothing."""
        self._new.pop(awaited, None)
        self._watched.pop(awaited, None)

    def progressed(self, awaited: Awaited, *, asks: bool = False) -> None:
        """Take note of progress that an agent's steps tell of, or that it asks a person; then it is not stopped."""
        stall = self._watched.get(awaited)
        if stall is None and awaited in self._new:
            self._take_in(self._clock())
            stall = self._watched[awaited]
        if stall is not None:
            stall.asks = asks
            stall.begin_anew(self._clock())

    def tick(self, now: float, *, after_gap: bool) -> float:
        """Look at those whose turn it is.

        Args:
            now: Seconds of the monotonic clock.
            after_gap: Whether this comes much later than it should have.

        Returns:
            Seconds until the next turn, at most.
        """
        if after_gap:
            for stall in self._watched.values():
                stall.begin_anew(now)
        if self._new:
            self._take_in(now)
        if not self._watched or self._looking:
            return SLOWEST
        if self._next <= now:
            self._begin_looks(now)
        return self._next - now

    def _take_in(self, now: float) -> None:
        if not self._watched:
            self._next = now + SLOWEST
        for awaited in self._new:
            stall = self._watched[awaited] = Stall(awaited, now)
            self._next = min(self._next, now + stall.pause)
        self._new.clear()

    def _begin_looks(self, now: float) -> None:
        """Begin to look at those whose turn it is, or is soon, and find out when the next one is."""
        due = []
        following = now + SLOWEST
        for stall in self._watched.values():
            pause = stall.pause
            # Those whose turn comes soon as well, so that looks gather and a thousand agents need few of them.
            if stall.looked + pause * (1 - EARLY) <= now:
                stall.looked = now
                due.append(stall)
            if stall.looked + pause < following:
                following = stall.looked + pause
        self._next = following
        if due:
            self._looking = True
            loop = asyncio.get_running_loop()
            self._begin(lambda: self._look(loop, now, due))

    def _look(self, loop: asyncio.AbstractEventLoop, now: float, stalls: Iterable[Stall]) -> None:
        """In a thread: look at agents, and hand what was seen to the event loop."""
        from agentrelay_core.task_runner.traces import Traces  # the first agent is at work long before

        seen: list[Seen] = []
        try:
            for stall in stalls:
                if stall.traces is None:
                    stall.traces = Traces(stall.awaited.runtime, self._clock)
                seen.append((stall, stall.traces.look(), stall.traces.question))
        finally:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(self._judge, now, seen)

    def _judge(self, now: float, seen: Iterable[Seen]) -> None:
        self._looking = False
        for stall, progressed, question in seen:
            if self._watched.get(stall.awaited) is stall:
                stall.judge(now, progressed, question)


def duration(seconds: float) -> str:
    """Seconds for people: the two largest units that are not nought."""
    if seconds < 60:
        return f"{round(seconds, 1 if seconds < 10 else None):g} s"
    minutes = int(seconds // 60)
    if minutes < 60:
        rest = int(seconds % 60)
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
