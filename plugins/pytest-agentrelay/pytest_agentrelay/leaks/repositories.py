"""What a test left in a git repository: worktrees, and refs that were meant to be gone."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from pytest_agentrelay.leaks.findings import Leak

# Namespaces whose refs are meant to stay; those of agentrelay are records, such as pull requests and rescued work.
_LASTING: Final = ("heads", "tags", "remotes", "notes", "stash", "agentrelay", "bisect", "replace")
_TEMPORARY: Final = re.compile(r"(?:^|/)(?:tmp|temp|temporary)(?:[-_.][^/]*)?(?:/|$)")
_DEADLINE: Final = 60.0  # seconds for one git command


@attrs.frozen
class State:
    """What was in a repository.

    Args:
        path: Its directory.
        worktrees: Paths of its worktrees.
        refs: Names of its refs.
    """

    path: Path
    worktrees: frozenset[str]
    refs: frozenset[str]


def state_of(path: Path) -> State:
    """Look at a repository.

    Args:
        path: Its directory.
    """
    listed = _git(path, "worktree", "list", "--porcelain").splitlines()
    worktrees = (line.removeprefix("worktree ") for line in listed if line.startswith("worktree "))
    return State(path, frozenset(worktrees), frozenset(_git(path, "for-each-ref", "--format=%(refname)").splitlines()))


def left(before: State) -> Iterator[Leak]:
    """Worktrees and temporary refs that are new in a repository; nothing of one that is gone as a whole.

    Args:
        before: What was there before.
    """
    if not before.path.exists():
        return
    now = state_of(before.path)
    for worktree in sorted(now.worktrees - before.worktrees):
        yield Leak(
            key=("worktree", worktree),
            what=f"git worktree {worktree} of {before.path}",
            remedy=f"close its workstream, or type `git -C {before.path} worktree remove {worktree}`",
        )
    for ref in sorted(now.refs - before.refs):
        if is_temporary(ref):
            yield Leak(
                key=("ref", ref),
                what=f"temporary ref {ref} of {before.path}",
                remedy=f"delete it where it is no longer needed: `git -C {before.path} update-ref -d {ref}`",
            )


def is_temporary(ref: str) -> bool:
    """Whether a ref is of no lasting namespace, or calls itself temporary outside of branches and tags."""
    _, _, name = ref.partition("refs/")
    namespace = name.partition("/")[0]
    if namespace in ("heads", "tags", "remotes"):
        return False
    return namespace not in _LASTING or _TEMPORARY.search(name) is not None


def _git(path: Path, *arguments: str) -> str:
    command = ["git", "-C", str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=_DEADLINE).stdout
