"""An event loop that never waits: when nothing is ready, its clock jumps to the next timer.

What runs in a pool elsewhere runs at once here, in the loop's own thread: no other thread has a say in what comes
first, so that the same seed gives the same order.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

_Arguments = TypeVarTuple("_Arguments")
_Result = TypeVar("_Result")

EPOCH = 1_700_000_000.0  # what the wall clock shows when the virtual time is 0
RESOLUTION = 1e-6  # seconds: weeks are so many that a float holds no nanoseconds beside them


class StuckError(RuntimeError):
    """Nothing is ready, no timer is set: what runs waits for ever."""


class _JumpingSelector(selectors.DefaultSelector):
    """Looks at real files without waiting, and advances the clock by the time that it should have waited."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self.now = now

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise StuckError(
                    "nothing is ready and no timer is set: what runs waits for something that will never come"
                )
            self.now += max(timeout, 0.0)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is made up.

    Args:
        now: The time at which it begins, in seconds.
    """

    def __init__(self, now: float = 0.0) -> None:
        self._clock = _JumpingSelector(now)
        super().__init__(self._clock)
        self._clock_resolution = RESOLUTION

    def time(self) -> float:
        """The virtual time, in seconds."""
        return self._clock.now

    def wall_time(self) -> float:
        """The time of a made-up wall clock, in seconds since the epoch."""
        return EPOCH + self._clock.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Arguments], _Result], *args: *_Arguments
    ) -> "asyncio.Future[_Result]":
        """Call a function at once, as if a thread had done so within no time."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future
