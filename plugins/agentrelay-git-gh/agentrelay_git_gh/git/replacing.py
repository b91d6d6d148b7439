"""Replacing a file beside the agent's index by git's own protocol, so that a git process of the agent is not disturbed.

A lock of ours is a second name of a file called ``agentrelay-…``. So one that a killed process left can be told from
one that somebody holds, and goes; whoever calls this owns the run, so that no other process of ours is at it.
"""

import os
import time
from pathlib import Path
from typing import Final

from agentrelay_core.runtime import Transient
from agentrelay_git_gh.locks import lock_of

_PATIENCE: Final = 5.0  # seconds that another git process is given to finish
_PAUSE: Final = 0.05
_OURS: Final = "agentrelay-"
_FILES: Final = ("HEAD", "index")


def replace_file(admin: Path, name: str, content: bytes, written: os.stat_result | None = None) -> None:
    """Replace a file in the record of a worktree.

    Args:
        admin: The directory in which the user's repository knows the worktree.
        name: The file: ``HEAD`` or ``index``.
        content: What it shall hold.
        written: Gives the time at which it counts as written; default now.

    Raises:
        Transient: Somebody holds its lock.
    """
    assert name in _FILES
    with lock_of("replacing", admin):
        aside = admin / f"{_OURS}{os.urandom(4).hex()}"
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                if written is not None:
                    os.utime(descriptor, ns=(written.st_atime_ns, written.st_mtime_ns))
            lock = admin / f"{name}.lock"
            _take(lock, aside)
            lock.replace(admin / name)
        finally:
            aside.unlink(missing_ok=True)


def drop_stale(admin: Path) -> None:
    """Remove locks and files that a killed process of ours left.

    Args:
        admin: The directory in which the user's repository knows the worktree.
    """
    with lock_of("replacing", admin):
        for name in _FILES:
            lock = admin / f"{name}.lock"
            if _is_ours(lock, None):
                lock.unlink()
        for stale in admin.glob(f"{_OURS}*"):
            stale.unlink()


def _take(lock: Path, aside: Path) -> None:
    """Take a lock by giving a file its name."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            os.link(aside, lock, follow_symlinks=False)
        except FileExistsError:
            if _is_ours(lock, aside):
                lock.unlink()
                continue
            if time.monotonic() > deadline:
                raise Transient(f"another git process holds {lock}; if there is none, remove that file") from None
            time.sleep(_PAUSE)
        else:
            return


def _is_ours(lock: Path, but: Path | None) -> bool:
    try:
        held = lock.lstat().st_ino
        return any(file.lstat().st_ino == held for file in lock.parent.glob(f"{_OURS}*") if file != but)
    except FileNotFoundError:
        return False
