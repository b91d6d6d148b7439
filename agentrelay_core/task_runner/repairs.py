"""What a workspace can do for the commands that repair and clean: show what is rescued or left over, and let it go.

A workspace that can has an attribute ``repairs`` that is a `Repairs`. Everything here blocks, and nothing here decides:
what is to go is decided by a plan, which people see first.
"""

from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

import attrs


@attrs.frozen(kw_only=True)
class Rescued:
    """Work that was kept before what held it went.

    Args:
        ref: Where it is kept.
        commit: The commit that the ref names, full hash.
        run_id: The run that it comes from; empty where that is not known.
        name: The task, or the workstream where no task is known.
        attempt_num: The attempt, from 0.
        saved_at: When it was kept, in seconds since the epoch.
        files: How many files it holds that differ from the commit that it was made on.
        size: How large these are, in bytes.
    """

    ref: str
    commit: str
    run_id: str
    name: str
    attempt_num: int
    saved_at: float
    files: int
    size: int


@attrs.frozen(kw_only=True)
class Leftover:
    """Something that a run left, as it was found.

    Args:
        kind: What it is; ``environment`` for what is no part of the repository, but of where agents were at work.
        name: The path of a worktree or a directory, the name of a branch; what else it is, in words.
        workstream_id: The workstream that it belongs to, where that is known.
        task_id: The task that it belongs to, where that is known.
        attempt_num: The task's attempt, from 0.
        run_id: The run that made it, where that is known.
        tip: The commit of a branch, full hash.
        checked_out: The branch that is checked out in a worktree.
        files: How many files of a worktree are in no commit.
        ignored: Files of a worktree that git ignores and that cannot be made again.
        safe_in: Other refs from which the tip of a branch can be reached.
        stays: Why it cannot go; empty where it can.
        note: What people should know of it; empty for nothing.
    """

    kind: Literal["worktree", "branch", "directory", "environment"]
    name: str
    workstream_id: str = ""
    task_id: str = ""
    attempt_num: int = 0
    run_id: str = ""
    tip: str = ""
    checked_out: str = ""
    files: int = 0
    ignored: tuple[str, ...] = ()
    safe_in: tuple[str, ...] = ()
    stays: str = ""
    note: str = ""

    @property
    def called(self) -> str:
        """What people call it."""
        return self.name if self.kind == "environment" else f"{self.kind} {self.name}"


class EnvironmentRepairs(Protocol):
    """What a graph's runs left where agents were at work, for people who put things in order; all of it blocks."""

    def leftovers(self) -> list[Leftover]:
        """What there is, of kind ``environment``, each with a name of its own; changes nothing of it."""

    def let_go(self, leftover: Leftover) -> None:
        """Remove something, where nothing lives in it.

        Args:
            leftover: What; it may have changed since it was found, and is looked at again.

        Raises:
            UserError: It is in use, or cannot be removed.
        """


@runtime_checkable
class Repairs(Protocol):
    """The repository of a run, or of runs that are over, for people who put things in order."""

    def rescued(self) -> list[Rescued]:
        """All that is kept in the repository, of whatever run, the oldest first."""

    def restore_branch(self, rescued: Rescued, branch: str) -> None:
        """Make a new branch that holds the rescued work; ``UserError`` where it exists or cannot be called so."""

    def restore_files(self, rescued: Rescued, directory: Path) -> int:
        """Write all files, byte for byte, into a directory that is new or empty; return how many there are."""

    def leftovers(self) -> list[Leftover]:
        """What there is of the graph's worktrees, branches and half-made directories; changes nothing of it."""

    def keep(self, leftover: Leftover) -> str | None:
        """Keep what is in a worktree and in no commit, and leave it clean; return the rescue ref if one was needed."""

    def let_go(self, leftover: Leftover, *, ignored: bool = False) -> str | None:
        """Remove something, once all that it holds is safe elsewhere; return the rescue ref if one was needed.

        Args:
            leftover: What; it may have changed since it was found, and is looked at again.
            ignored: Whether files that git ignores go too; they are not kept.
        """
