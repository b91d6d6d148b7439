"""Being told at once when a signal appears, at next to no cost for thousands of waiting tasks.

On Linux the kernel tells: one inotify instance for each event loop, for the system allows few, and one watch for each
directory. Where there is no watch (another system, a directory that is not there or was deleted, no watches left) one
shared timer looks; it also looks at watched directories every few seconds, should the kernel's word ever fail.
"""

import asyncio
import math
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentrelay_core.signals.kernel_watches import open_kernel_watches
from agentrelay_core.signals.layout import DONE, FAILED

if TYPE_CHECKING:
    from asyncinotify import Watch

SAFETY_NET: Final = 10.0
"""Seconds between looks at a directory that is watched."""

_SIGNALS = frozenset({DONE, FAILED})
_LOOKS_AT_A_TIME = 250  # about a millisecond of the event loop
_PAUSE = 0.01
_SEES_LINKS = os.access in os.supports_follow_symlinks  # so that a dangling link is seen as well


class Notices:
    """What one waiter is told of one directory."""

    __slots__ = ("_changed", "_waiting", "directory", "names", "next_look", "poll_interval", "watch")

    def __init__(self, directory: Path, poll_interval: float, names: frozenset[str] | None = _SIGNALS) -> None:
        self.directory = str(directory)
        self.poll_interval = poll_interval
        self.names = names
        self.watch: Watch | None = None
        self.next_look = 0.0
        self._changed = False
        self._waiting: asyncio.Future[None] | None = None

    async def changed(self, until: float | None = None) -> None:
        """Wait until the directory may hold another signal than before.

        Args:
            until: The loop's time at which to return in any case, `None` for none.
        """
        if not self._changed:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            timer = None if until is None else loop.call_at(until, self.notify)
            try:
                await self._waiting
            finally:
                self._waiting = None
                if timer is not None:
                    timer.cancel()
        self._changed = False

    def notify(self) -> None:
        """Wake the waiter, or let it not sleep at its next wait."""
        self._changed = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def plan(self, now: float) -> None:
        """Set the time of the next look; waiters of one interval share theirs, so that the timer fires once for all."""
        interval = self.poll_interval if self.watch is None else max(SAFETY_NET, self.poll_interval)
        self.next_look = (math.floor(now / interval) + 1) * interval

    def concern(self, name: str) -> bool:
        """Whether a file of that name is of interest."""
        return self.names is None or name in self.names

    def holds_a_signal(self) -> bool:
        """Whether a signal is there, whatever it is."""
        if self.names is None:
            with suppress(OSError):  # gone, or not there yet
                return bool(os.listdir(self.directory))  # noqa: PTH208  # names alone, on the event loop
            return False
        done, failed = f"{self.directory}/{DONE}", f"{self.directory}/{FAILED}"
        if _SEES_LINKS:
            return os.access(done, os.F_OK, follow_symlinks=False) or os.access(failed, os.F_OK, follow_symlinks=False)
        return os.access(done, os.F_OK) or os.access(failed, os.F_OK)


class _Notifier:
    """One event loop's watches and timer; lives as long as somebody waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiters: dict[Notices, None] = {}
        self._by_watch: dict[Watch, list[Notices]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._watches = open_kernel_watches(loop, self._on_changed, self._on_lost)

    def join(self, notices: Notices) -> None:
        self._waiters[notices] = None
        self._arm(notices)
        notices.plan(self._loop.time())
        self._wake_by(notices.next_look)

    def leave(self, notices: Notices) -> bool:
        """Forget a waiter; whether it was the last."""
        del self._waiters[notices]
        self._disarm(notices)
        return not self._waiters

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._watches is not None:
            self._watches.close()

    def _arm(self, notices: Notices) -> None:
        watch = None if self._watches is None else self._watches.add(notices.directory)
        if watch is not None:
            notices.watch = watch
            self._by_watch.setdefault(watch, []).append(notices)

    def _disarm(self, notices: Notices) -> None:
        watch, notices.watch = notices.watch, None
        if watch is None or self._watches is None:
            return
        sharing = self._by_watch[watch]
        sharing.remove(notices)
        if not sharing:
            del self._by_watch[watch]
            self._watches.remove(watch)

    def _on_changed(self, watch: "Watch", name: str) -> None:
        for notices in self._by_watch.get(watch, ()):
            if notices.concern(name):
                notices.notify()

    def _on_lost(self, watch: "Watch | None") -> None:
        # Without a watch a waiter is polled, and each poll tries to watch again.
        for notices in list(self._waiters if watch is None else self._by_watch.get(watch, ())):
            self._disarm(notices)
            notices.next_look = self._loop.time()
            self._wake_by(notices.next_look)

    def _wake_by(self, when: float) -> None:
        if self._timer is None or self._timer.when() > when:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(when, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._loop.time()
        due = [notices for notices in self._waiters if notices.next_look <= now]
        for notices in due[:_LOOKS_AT_A_TIME]:
            if notices.watch is None:
                self._arm(notices)
            if notices.holds_a_signal():
                notices.notify()
            notices.plan(now)
        if len(due) > _LOOKS_AT_A_TIME:
            self._wake_by(now + _PAUSE)
        elif self._waiters:
            self._wake_by(min(notices.next_look for notices in self._waiters))


_NOTIFIERS: "weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Notifier]" = weakref.WeakKeyDictionary()
"""By event loop, because an inotify instance belongs to one; empty when nobody waits."""


@contextmanager
def notices_of(directory: Path, poll_interval: float, *, names: frozenset[str] | None = _SIGNALS) -> Iterator[Notices]:
    """Be told of a directory's signals; look only once this is entered, so that nothing is missed in between.

    Args:
        directory: The directory; it may come later, go and come again.
        poll_interval: Seconds between looks while it cannot be watched.
        names: The files that are of interest; `None` means all.
    """
    loop = asyncio.get_running_loop()
    for other in [each for each in _NOTIFIERS if each.is_closed()]:
        _NOTIFIERS.pop(other).close()  # its waiters never got the chance to leave
    notifier = _NOTIFIERS.get(loop)
    if notifier is None:
        notifier = _NOTIFIERS[loop] = _Notifier(loop)
    notices = Notices(directory, poll_interval, names)
    notifier.join(notices)
    try:
        yield notices
    finally:
        if notifier.leave(notices):
            _NOTIFIERS.pop(loop, None)
            notifier.close()
