"""Linux's inotify, tamed: one instance for an event loop, and a plain word about each directory that it watches."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncinotify import Event, Inotify, Mask, Watch

_EVENTS_AT_A_TIME = 500


class KernelWatches:
    """Watches directories for what is put there.

    Args:
        inotify: The instance, which is closed with this object.
        mask: What to be told of.
        loop: The event loop whose callbacks the following two are.
        changed: Called with the watch of a directory, and the name of what was written or put there.
        lost: Called with the watch of a directory that is deleted or moved; with `None` when the kernel dropped events,
            so that nothing is certain of any directory.
    """

    def __init__(
        self,
        inotify: "Inotify",
        mask: "Mask",
        loop: asyncio.AbstractEventLoop,
        changed: "Callable[[Watch, str], None]",
        lost: "Callable[[Watch | None], None]",
    ) -> None:
        self._inotify = inotify
        self._mask = mask
        self._loop = loop
        self._changed = changed
        self._lost = lost
        self._is_closed = False
        loop.add_reader(inotify.fd, self._read)

    def add(self, directory: str) -> "Watch | None":
        """Watch a directory; two watches of one directory are the same object.

        Args:
            directory: Its path.

        Returns:
            The watch, `None` if the directory is not there or the system's watches are used up.
        """
        try:
            return self._inotify.add_watch(directory, self._mask)
        except OSError:
            return None

    def remove(self, watch: "Watch") -> None:
        """End a watch.

        Args:
            watch: What `add` gave.
        """
        if self._is_closed:
            return
        try:
            self._inotify.rm_watch(watch)
        except OSError:
            return  # it went with its directory

    def close(self) -> None:
        """End all watches; closing twice changes nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        self._loop.remove_reader(self._inotify.fd)
        try:
            # The kernel may take 20 ms to close an instance that had watches: not on the event loop.
            threading.Thread(target=self._inotify.close, name="agentrelay-close-inotify").start()
        except RuntimeError:  # no thread can be had, for example while the interpreter ends
            self._inotify.close()

    def _read(self) -> None:
        for _ in range(_EVENTS_AT_A_TIME):
            if self._is_closed:
                return
            try:
                event = self._inotify.sync_get()
            except BlockingIOError:
                return
            if event is not None:
                self._handle(event)
        self._loop.call_soon(self._read)  # the rest when others had their turn

    def _handle(self, event: "Event") -> None:
        from asyncinotify import Mask

        if event.mask & Mask.Q_OVERFLOW:
            self._lost(None)
            return
        watch = event.watch
        if watch is None:
            return
        if event.mask & (Mask.IGNORED | Mask.DELETE_SELF | Mask.MOVE_SELF):
            self._lost(watch)
        elif event.name is not None:
            self._changed(watch, event.name.name)


def open_kernel_watches(
    loop: asyncio.AbstractEventLoop,
    changed: "Callable[[Watch, str], None]",
    lost: "Callable[[Watch | None], None]",
) -> KernelWatches | None:
    """Open the instance of an event loop; see `KernelWatches`.

    Args:
        loop: The event loop.
        changed: Called with the watch of a directory, and the name of what was written or put there.
        lost: Called with the watch of a directory that is gone, or with `None`.

    Returns:
        The watches, `None` on a system without inotify, on a loop without readers, or when the system's instances are
        used up.
    """
    if sys.platform != "linux":
        return None
    # Imported on first use: it looks for the C library, which takes 20 ms.
    from asyncinotify import Inotify, Mask

    # MODIFY is left out: it would wake us for each line of agent.log.
    mask = Mask.CREATE | Mask.MOVED_TO | Mask.CLOSE_WRITE | Mask.DELETE_SELF | Mask.MOVE_SELF | Mask.ONLYDIR
    try:
        inotify = Inotify(cache_size=64)
    except OSError:
        return None
    # asyncinotify 4.4 takes CLOEXEC for NONBLOCK; a read without an event would then stop the event loop.
    os.set_blocking(inotify.fd, False)
    try:
        return KernelWatches(inotify, mask, loop, changed, lost)
    except NotImplementedError:
        inotify.close()
        return None
