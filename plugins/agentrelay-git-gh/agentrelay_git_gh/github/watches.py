"""What one who waits for a pull request gets from the poller: the last look at it, or why there is none."""

import asyncio
from collections.abc import Callable

import attrs

from agentrelay_git_gh.github.snapshots import Snapshot


@attrs.frozen(kw_only=True)
class Limited:
    """GitHub answers nobody for now.

    Args:
        until: When we ask again, seconds since the epoch.
        reason: Which limit it is.
    """

    until: float
    reason: str


Look = Snapshot | Limited | None
"""What a watcher gets: a pull request, a limit, or `None` where GitHub shows no pull request of the number."""


class Watch:
    """One watcher's view of a pull request; made by `Poller.watching`."""

    def __init__(self, number: int, ensure: Callable[[], None]) -> None:
        self.number = number
        self._ensure = ensure
        self._look: Look = None
        self._failure: Exception | None = None
        self._fresh = asyncio.Event()

    async def next(self) -> Look:
        """Wait for the next look; of several that were missed, the last.

        Raises:
            Exception: Whatever made looking impossible, for every watcher the same.
        """
        if not self._fresh.is_set():
            self._ensure()
        await self._fresh.wait()
        self._fresh.clear()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        return self._look

    def show(self, look: Look) -> None:
        """Hand over a look."""
        self._look = look
        self._fresh.set()

    def fail(self, failure: Exception) -> None:
        """Hand over what makes looking impossible."""
        self._failure = failure
        self._fresh.set()
