"""File descriptors that a test left open, told by what they lead to."""

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from pytest_agentrelay.leaks.findings import Leak

_FOLDERS: Final = (Path("/proc/self/fd"), Path("/dev/fd"))
_USUAL: Final = "close what was opened, best by a with block"
_REMEDIES: Final = {
    "[eventpoll]": "an event loop was not closed; let asyncio.run or a fixture own it",
    "inotify": "somebody still watches for signals; await, or cancel and await, who waits",
    "[pidfd]": "somebody still waits for a process; await, or cancel and await, who waits",
    "socket:": "close the socket, or the connection or event loop that owns it",
    "pipe:": "close both ends of the pipe; communicate() or a with block does so for a Popen",
}


@attrs.frozen
class Descriptor:
    """An open descriptor.

    Args:
        number: Its number.
        device: The device of what it leads to.
        inode: The inode of that.
        target: What that is called.
    """

    number: int
    device: int
    inode: int
    target: str = attrs.field(eq=False)


def descriptors() -> frozenset[Descriptor]:
    """What this process has open; nothing where the system does not tell."""
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), None)
    if folder is None:
        return frozenset()
    found = []
    for name in os.listdir(folder):  # noqa: PTH208  # names are wanted, one of which is gone when the listing ends
        try:
            status = os.fstat(int(name))
            target = os.readlink(folder / name) if folder == _FOLDERS[0] else _kind(status.st_mode)  # noqa: PTH115
        except OSError:
            continue  # that of the listing itself
        found.append(Descriptor(int(name), status.st_dev, status.st_ino, target))
    return frozenset(found)


def left(before: frozenset[Descriptor]) -> Iterator[Leak]:
    """Descriptors that were opened and not closed.

    Args:
        before: What was open before.
    """
    for descriptor in sorted(descriptors() - before, key=lambda each: each.number):
        if descriptor.number == _of_python():
            continue
        remedy = next((text for sign, text in _REMEDIES.items() if sign in descriptor.target), _USUAL)
        yield Leak(key=descriptor, what=f"file descriptor {descriptor.number} ({descriptor.target})", remedy=remedy)


def _of_python() -> int | None:
    """The pipe to the helper of multiprocessing, which Python opens on first use and keeps to its end."""
    tracker = getattr(sys.modules.get("multiprocessing.resource_tracker"), "_resource_tracker", None)
    return getattr(tracker, "_fd", None)


def _kind(mode: int) -> str:
    kinds = {stat.S_IFREG: "a file", stat.S_IFDIR: "a directory", stat.S_IFSOCK: "socket:", stat.S_IFIFO: "pipe:"}
    return kinds.get(stat.S_IFMT(mode), "a device")
