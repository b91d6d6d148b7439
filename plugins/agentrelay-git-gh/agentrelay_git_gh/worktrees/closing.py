"""Closing a workstream: its worktree goes, once everything in it is safe elsewhere.

git's own ``worktree remove`` would look at the files with whatever filters and fsmonitor are configured, and ``worktree
prune`` would take other people's worktrees on disks that are not mounted just now. So the directory and its record
are removed here, and these two alone.
"""

import logging
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from agentrelay_core.runtime import Parked
from agentrelay_git_gh.git.refs import UNUSUAL, read_small
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.git.transfer import take_over
from agentrelay_git_gh.git.trusted import Git
from agentrelay_git_gh.locks import lock_of
from agentrelay_git_gh.names import REMOVED, attempt_of
from agentrelay_git_gh.worktrees.recovery import keep_leftovers, position
from agentrelay_git_gh.worktrees.snapshot import Owner, committed_repositories, inner_repository
from agentrelay_git_gh.worktrees.worktree import Worktree

_LOG = logging.getLogger(__name__)
_CACHES: Final = frozenset({"__pycache__", "node_modules"})
_CACHE_TAG: Final = "CACHEDIR.TAG"  # https://bford.info/cachedir/: what is in such a directory can be made again
_SHOWN: Final = 5
_LONGEST_HEAD: Final = 1024


def close_worktree(
    repository: Repository, worktree: Worktree, owner: Owner, *, with_ignored: bool = False
) -> str | None:
    """Remove a worktree; ignored files that cannot be made again keep it where it is, and a warning names them.

    Args:
        repository: Both repositories.
        worktree: The worktree.
        owner: Whose work it is where no task is known.
        with_ignored: Whether such files go too, because a person said so.

    Returns:
        The rescue ref, `None` where there was nothing to keep.

    Raises:
        Parked: Something cannot be kept, so it stays where it is.
    """
    admin = worktree.admin()
    kept = None
    if admin is not None and worktree.path.is_dir():
        ignored, kept = _keep_all(repository, worktree, owner)
        if (ignored and not with_ignored) or (admin / "locked").exists():
            shown = ", ".join(ignored[:_SHOWN]) or "locked by `git worktree lock`"
            _LOG.warning("the worktree %s is kept: it holds files that git ignores (%s)", worktree.path, shown)
            return kept
        with lock_of("removed", worktree.path.parent):  # or the one that is just made is swept away below
            aside = Path(tempfile.mkdtemp(prefix=".removed-", dir=worktree.path.parent))
            worktree.path.replace(aside / worktree.path.name)
    if admin is not None:
        forget_admin(repository, admin)
        worktree.forget()
    with lock_of("removed", worktree.path.parent):
        for removed in worktree.path.parent.glob(".removed-*"):  # also of a process that was killed here
            remove_directory(removed)
    for parent in list(worktree.path.parents)[:3]:  # the graph's, worktrees, .agentrelay
        with suppress(OSError):  # in use, or gone
            parent.rmdir()
    return kept


def forget_admin(repository: Repository, admin: Path) -> None:
    """Drop the user's repository's record of a worktree of ours, keeping a commit that nothing else names."""
    content = read_small(str(admin / "HEAD"), _LONGEST_HEAD)
    head = content.decode(errors="replace").strip() if content and content != UNUSUAL else ""
    if head and not head.startswith("ref: ") and not _is_named(repository, head):
        repository.user.run("update-ref", f"refs/agentrelay/rescue/removed/{head}", head)
    # Away with all of it at once: half a record would be nobody's.
    aside = repository.common / f"{REMOVED}{admin.name}-{os.urandom(4).hex()}"
    admin.replace(aside)
    remove_directory(aside)


def _is_named(repository: Repository, commit: str) -> bool:
    return bool(repository.user.text("for-each-ref", "--count=1", f"--contains={commit}"))


def _keep_all(repository: Repository, worktree: Worktree, owner: Owner) -> tuple[list[str], str | None]:
    """Keep what is in no commit; the ignored files that are left, and the rescue ref."""
    where = position(repository, worktree)
    if where is None:
        raise Parked(f"the worktree {worktree.path} stays: a branch without a commit is checked out in it")
    known = worktree.holds(where.commit)
    if not known:
        take_over(repository, where.commit)
    earlier = attempt_of(where.branch or "")
    left_by = Owner(run=owner.run, name=earlier[0], attempt=earlier[1]) if earlier else owner
    with worktree.index_at(where.commit) as git:
        for name in committed_repositories(git):
            if (worktree.path / name).is_dir() and any((worktree.path / name).iterdir()):
                raise inner_repository(git, name)
        kept = keep_leftovers(repository, git, left_by, where, unnamed=where.branch is None and not known)
        return ignored_files(git, worktree.path), kept


def ignored_files(git: Git, path: Path) -> list[str]:
    """Ignored files and directories, but for those that can be made again."""
    listed = git.run("ls-files", "-z", "-o", "-i", "--exclude-standard", "--directory").stdout
    names = os.fsdecode(listed).split("\0")[:-1]
    return [name for name in names if not _is_cache(path / name)]


def _is_cache(path: Path) -> bool:
    return path.name in _CACHES or path.suffix == ".pyc" or (path / _CACHE_TAG).is_file()


def remove_directory(directory: Path) -> None:
    """Remove a directory, also where a program took away the right to write in parts of it."""
    try:
        shutil.rmtree(directory)
    except PermissionError:
        for parent, _, _ in os.walk(directory):
            Path(parent).chmod(0o700)
        shutil.rmtree(directory)
