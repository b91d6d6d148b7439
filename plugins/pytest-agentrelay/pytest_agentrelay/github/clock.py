"""A clock that a test can move, so that an hour of waiting takes no time."""

from __future__ import annotations

import time
from collections.abc import Callable


class MovableClock:
    """Seconds since the epoch, by another clock and what it was moved by.

    Args:
        source: The other clock.
    """

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._moved = 0.0

    def __call__(self) -> float:
        """What time it is."""
        return self._source() + self._moved

    def advance(self, seconds: float) -> None:
        """Let that much time have passed."""
        self._moved += seconds
