"""What an agent's commits may hold: limits that are checked before its work goes anywhere."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from agentrelay_core.runtime import AgentFailure
from agentrelay_git_gh.git.trusted import Git
from agentrelay_git_gh.git.walking import Change, NotLoose, changes

MOST_FILES: Final = 50_000
LARGEST_FILE: Final = 100 * 1024 * 1024  # what GitHub takes, too
_MEBIBYTE: Final = 1024 * 1024


def inspect(ours: Git, base: str, head: str, *, sizes: bool = True) -> bool:
    """Check what changed between two commits.

    Args:
        ours: Our repository, which has both.
        base: Where the work began, full hash.
        head: Where it is now, full hash.
        sizes: Whether sizes are looked at; off where the files were, by `check_files`.

    Returns:
        Whether anything changed.

    Raises:
        AgentFailure: The change holds what cannot be merged; names the file.
    """
    if base == head:
        return False
    changed = _changes(ours, base, head)
    _check_count(len(changed))
    blobs = {}
    for name, mode, sha in changed:
        if mode == b"160000":
            raise AgentFailure(
                f"{os.fsdecode(name)} is a git repository of its own, which cannot be merged; remove its .git"
            )
        if mode:
            blobs[sha.encode()] = name
    if blobs and sizes:
        _check_sizes(ours, blobs)
    return bool(changed)


def _changes(ours: Git, base: str, head: str) -> list[Change]:
    assert ours.git_dir is not None
    with suppress(NotLoose):
        return changes(ours.git_dir / "objects", base, head)
    raw = ours.run("diff-tree", "-r", "-z", "--raw", "--no-renames", base, head).stdout.split(b"\0")
    found = []
    for fact, name in zip(raw[:-1:2], raw[1::2], strict=True):
        _, mode, _, sha, status = fact.split(b" ")
        gone = status.startswith(b"D")
        found.append(Change(name, b"" if gone else mode, "" if gone else sha.decode()))
    return found


def check_files(top: Path, names: Sequence[str]) -> None:
    """Check files before they are committed; git would read all of a file that is too large.

    Args:
        top: The worktree.
        names: Paths relative to it; some may be gone. One that ends with a slash is a repository of its own.

    Raises:
        AgentFailure: They hold what cannot be merged; names the file.
    """
    _check_count(len(names))
    for name in names:
        if name.endswith("/"):
            raise AgentFailure(f"{name} is a git repository of its own, which cannot be merged; remove its .git")
        with suppress(OSError):  # gone, which is a change as any other
            _check_size(name, (top / name).lstat().st_size)


def _check_count(count: int) -> None:
    if count > MOST_FILES:
        raise AgentFailure(
            f"the work changes {count} files, more than the {MOST_FILES} that are merged at a time; "
            "list what is generated in .gitignore"
        )


def _check_size(name: str, size: int) -> None:
    if size > LARGEST_FILE:
        raise AgentFailure(
            f"{name} has {size // _MEBIBYTE} MiB, more than the {LARGEST_FILE // _MEBIBYTE} MiB that are merged; "
            "list it in .gitignore"
        )


def _check_sizes(ours: Git, blobs: dict[bytes, bytes]) -> None:
    asked = b"".join(blob + b"\n" for blob in blobs)
    answers = ours.run("cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked).stdout.splitlines()
    for answer in answers:
        blob, _, size = answer.partition(b" ")
        _check_size(os.fsdecode(blobs[blob]), int(size))
