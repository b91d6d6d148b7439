"""Locks between threads of one process, found by name.

Steps are made afresh for each task and share nothing but the repository, so the lock of a path or a branch has to be
found by its name; it lives as long as someone holds it. Between processes git's own locks and compare-and-swap guard.
"""

import threading
from weakref import WeakValueDictionary


class _Lock:
    """A lock that can be referred to weakly."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


_locks: WeakValueDictionary[tuple[str, ...], _Lock] = WeakValueDictionary()
_guard = threading.Lock()


def lock_of(*name: object) -> _Lock:
    """The lock of that name.

    Args:
        name: For example a repository's path and a branch.
    """
    key = tuple(str(part) for part in name)
    with _guard:
        return _locks.setdefault(key, _Lock())
