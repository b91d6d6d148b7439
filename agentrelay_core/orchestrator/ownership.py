"""One owner per run: a lock held for life, so that two orchestrators never drive one run.

After locking, the file that is locked is compared with the one that stands at the path, and the file is never removed:
a lock on a file that was replaced would protect nothing. Short-lived helpers of an owner (git) inherit the lock, so
that a successor waits for the last one of a dead owner. A takeover puts a new file in place of one that a stuck owner
holds; the journal's epoch then keeps that owner from writing (``journal/storage.py``).
"""

import asyncio
import contextlib
import json
import os
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from agentrelay_core.processes import ProcessIdentity, alive, identify
from agentrelay_core.runtime import Parked, UserError

LOCK_FILE = "owner.lock"
# Seconds between looks at a lock that somebody holds, and for which helpers of a dead owner are waited for.
LOOK_AGAIN = 0.1
HELPERS_PATIENCE = 30.0


class RunIsOwned(UserError):
    """Another process drives this run (exit 75)."""


@contextlib.asynccontextmanager
async def owned(
    state_dir: Path, *, wait: bool = False, takeover: bool = False, patience: float = HELPERS_PATIENCE
) -> AsyncIterator[int | None]:
    """Own a run for the body of the ``async with``.

    Args:
        state_dir: The run's state directory.
        wait: Wait until the present owner has ended; otherwise it is an error.
        takeover: Own it at once, whoever else does; for an owner that is stuck.
        patience: Seconds for which helpers of a dead owner are waited for.

    Yields:
        The descriptor of the lock, for helpers to inherit; `None` where the system has no such lock.

    Raises:
        RunIsOwned: Another process owns it; the text names its process, host and since when.
        Parked: The owner is dead, but programs that it started still run; the text names them.
    """
    try:
        import fcntl
    except ImportError:  # Windows has no flock; there the journal's own write lock is what remains
        yield None
        return
    path = state_dir / LOCK_FILE
    if takeover:
        path = state_dir / f"{LOCK_FILE}.{os.getpid()}"
    began = time.monotonic()
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _read(descriptor)
            inode = os.fstat(descriptor).st_ino
            os.close(descriptor)
            if not wait:
                _refuse(owner, inode, time.monotonic() - began, patience)
            await asyncio.sleep(LOOK_AGAIN)
            continue
        if takeover:
            path = path.rename(state_dir / LOCK_FILE)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(path.stat(), os.fstat(descriptor)):
                break
        os.close(descriptor)
    try:
        _write(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


def current_owner(state_dir: Path) -> dict[str, Any] | None:
    """Who owns a run, as its lock says: ``pid``, ``host``, ``since``; `None` when nobody does.

    Args:
        state_dir: The run's state directory.
    """
    import fcntl

    try:
        descriptor = os.open(state_dir / LOCK_FILE, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _refuse(owner: dict[str, Any], inode: int, waited: float, patience: float) -> None:
    """Raise for an owner that lives, and for helpers of a dead one that have had their time."""
    identity = _identity(owner)
    if identity is None or owner.get("host") != socket.gethostname() or alive(identity) != "ended":
        raise RunIsOwned(
            f"this run is going on{_describe(owner)}; see `agentrelay status`, wait for it with `agentrelay run --wait`"
        )
    if waited > patience:
        holders = ", ".join(map(str, _holders(inode))) or "unknown"
        raise Parked(
            f"the owner of this run has ended, but programs that it started still run (processes {holders}); "
            f"end them, then type `agentrelay run`"
        )


def _write(descriptor: int) -> None:
    us = identify(os.getpid())
    known = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S%z")}
    if us is not None:
        known["process"] = us.to_json()
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(known).encode(), 0)


def _read(descriptor: int) -> dict[str, Any]:
    try:
        known = json.loads(os.pread(descriptor, 4096, 0))
    except ValueError:
        return {}
    return known if isinstance(known, dict) else {}


def _identity(owner: dict[str, Any]) -> ProcessIdentity | None:
    try:
        return ProcessIdentity.from_json(owner["process"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _holders(inode: int) -> list[int]:
    """Processes that have a file open, as far as the system tells."""
    holders = []
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if entry.stat().st_ino == inode and int(entry.parts[2]) != os.getpid():
                holders.append(int(entry.parts[2]))
    return sorted(set(holders))


def _describe(owner: dict[str, Any]) -> str:
    try:
        return f" in process {owner['pid']} on {owner['host']} since {owner['since']}"
    except KeyError:
        return " in another process"
