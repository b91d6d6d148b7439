"""One owner per run: a lock held for life, so that two orchestrators never drive one run.

After locking, the file that is locked is compared with the one that stands at the path, and the file is never removed:
a lock on a file that was replaced would protect nothing.
"""

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from agentrelay_core.runtime import UserError

LOCK_FILE = "owner.lock"


class RunIsOwned(UserError):
    """Another process drives this run (exit 75)."""


@contextlib.contextmanager
def owned(state_dir: Path) -> Iterator[None]:
    """Own a run for the body of the ``with``.

    Args:
        state_dir: The run's state directory.

    Raises:
        RunIsOwned: Another process owns it; the text names its process, host and since when.
    """
    try:
        import fcntl
    except ImportError:  # Windows has no flock; there the journal's own write lock is what remains
        yield
        return
    path = state_dir / LOCK_FILE
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(descriptor, 4096).decode(errors="replace")
            os.close(descriptor)
            raise RunIsOwned(f"this run is going on{_describe(owner)}; see `agentrelay status`") from None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(path.stat(), os.fstat(descriptor)):
                break
        os.close(descriptor)
    try:
        os.ftruncate(descriptor, 0)
        us = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S%z")}
        os.pwrite(descriptor, json.dumps(us).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _describe(owner: str) -> str:
    try:
        known = json.loads(owner)
        return f" in process {known['pid']} on {known['host']} since {known['since']}"
    except (ValueError, KeyError, TypeError):
        return " in another process"
