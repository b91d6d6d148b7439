"""The worktree of a workstream: it belongs to the user's repository, and is filled and read through ours.

Our repository keeps an index of its own for it, in a file that is called after the commit whose tree it holds. It is
never the agent's index, in which files can be hidden; and because a new one replaces the old by renaming, only after
the commit is in place, what it says is true after a crash as well.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.runtime import Parked
from agentrelay_git_gh.git.refs import UNUSUAL, read_small
from agentrelay_git_gh.git.replacing import drop_stale, replace_file
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.git.trusted import TRANSFER_DEADLINE, Git
from agentrelay_git_gh.locks import lock_of
from agentrelay_git_gh.worktrees.leftovers import leftovers

_LONGEST: Final = 8192  # bytes of a file that names a path or a branch
_ASIDE: Final = "aside-"  # how names of half-made indexes begin


@attrs.frozen(kw_only=True, eq=False)
class Worktree:
    """A workstream's worktree.

    Args:
        repository: Both repositories.
        path: Where the files are.
    """

    repository: Repository
    path: Path

    def admin(self) -> Path | None:
        """The directory in which the user's repository knows this worktree, `None` if it does not."""
        here = os.fsencode(f"{self.path}/.git")
        worktrees = self.repository.common / "worktrees"
        usual = worktrees / self.path.name
        if _pointer(usual) == here:  # as git calls it, if no other had that name before
            return usual
        return next(
            (entry.parent for entry in sorted(worktrees.glob("*/gitdir")) if _pointer(entry.parent) == here), None
        )

    def required_admin(self) -> Path:
        """The same, where it must be there."""
        admin = self.admin()
        if admin is None or not self.path.is_dir():
            raise Parked(f"the worktree {self.path} is gone; if it was removed on purpose, run again to make it anew")
        return admin

    def set_head(self, content: str) -> None:
        """Say what is checked out, without a look at files.

        Args:
            content: As `head` gives it.
        """
        replace_file(self.required_admin(), "HEAD", os.fsencode(f"{content}\n"))

    def head(self) -> str:
        """What is checked out, as git writes it: ``ref: refs/heads/…`` or a hash."""
        path = self.required_admin() / "HEAD"
        content = read_small(str(path), _LONGEST)
        if content is None or content == UNUSUAL:
            raise Parked(f"{path} is missing or no usual file; mend it with `git worktree repair`, then run again")
        return content.decode(errors="replace").strip()

    def add(self, commit: str) -> None:
        """Make the worktree, with no branch checked out and no files yet.

        Args:
            commit: Where it starts.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with lock_of("worktrees", self.repository.common):
            arguments = ("worktree", "add", "--quiet", "--no-checkout", "--detach", str(self.path), commit)
            self.repository.user.run(*arguments, cwd=self.repository.root)

    @cached_property
    def indexes(self) -> Path:
        """Where our indexes of this worktree are; one, unless a crash left another."""
        graph, workstream = self.path.parts[-2:]
        return self.repository.our_directory.joinpath("worktrees", graph, workstream)

    def holds(self, commit: str) -> bool:
        """Whether the worktree was last left at this commit, by us."""
        return (self.indexes / commit).exists()

    def leftovers(self, commit: str) -> list[str] | None:
        """Files that differ from a commit; `None` where the worktree was not last left at it, so that it is unknown.

        Args:
            commit: Full hash.
        """
        if not self.holds(commit):
            return None
        return leftovers(attrs.evolve(self.repository.ours, work_tree=self.path, index=self.indexes / commit))

    @contextmanager
    def index_at(self, commit: str) -> Iterator[Git]:
        """Our git with a throw-away copy of the index that holds a commit's tree; see `keep_index`.

        Args:
            commit: Full hash, in our repository.
        """
        if not self.indexes.is_dir():
            self.indexes.mkdir(parents=True, exist_ok=True)
        aside = self.indexes / f"{_ASIDE}{os.urandom(4).hex()}"
        git = attrs.evolve(self.repository.ours, work_tree=self.path, index=aside)
        source = self.indexes / commit
        seated = source.exists()
        if not seated:
            source = max(self._kept(), key=lambda path: path.stat().st_mtime_ns, default=source)
        try:
            if source.exists():
                shutil.copy2(source, aside)  # with its time, by which git knows what may have changed
            if not seated:
                # -i: files of the worktree have no say in what an index of ours holds
                mode = ("-m", "-i") if source.exists() else ()
                git.run("read-tree", *mode, commit, deadline=TRANSFER_DEADLINE)
            yield git
        finally:
            aside.unlink(missing_ok=True)
            aside.with_name(f"{aside.name}.lock").unlink(missing_ok=True)  # of a git process that was killed

    def keep_index(self, git: Git, commit: str) -> None:
        """Make an index ours, and the agent's: the worktree is at this commit now.

        Args:
            git: As `index_at` gave it, its index holding the commit's tree.
            commit: Full hash.
        """
        assert git.index is not None
        self._give_index(git.index)
        git.index.replace(self.indexes / commit)
        for stale in self._kept():
            if stale.name != commit:
                stale.unlink()

    def fill(self, git: Git, commit: str) -> None:
        """Check out a commit's files, removing those that the index holds and the commit does not.

        Args:
            git: As `index_at` gave it; everything in the worktree that matters is in its index or saved.
            commit: Full hash.
        """
        git.run("read-tree", "-u", "--reset", commit, deadline=TRANSFER_DEADLINE)
        self.keep_index(git, commit)

    def forget(self) -> None:
        """Drop our indexes, for a worktree that is gone."""
        shutil.rmtree(self.indexes, ignore_errors=True)

    def settle(self, commit: str) -> bool:
        """Take the worktree for left at a commit, where a killed process had put all of its files in place already.

        Args:
            commit: Full hash, in our repository.

        Returns:
            Whether its files are the commit's.
        """
        with self.index_at(commit) as git:
            if leftovers(git):
                return False
            self.keep_index(git, commit)
        return True

    def was_filled(self) -> bool:
        """Whether the worktree has ever been left at a commit, by us."""
        return self.indexes.is_dir() and bool(self._kept())

    def drop_stale(self) -> None:
        """Remove what a killed process left of half-made indexes; only while nobody else works on the run."""
        for stale in self.indexes.glob(f"{_ASIDE}*"):
            if stale.is_dir():
                shutil.rmtree(stale)
            else:
                stale.unlink()
        admin = self.admin()
        if admin is not None:
            drop_stale(admin)

    def _kept(self) -> list[Path]:
        return [path for path in self.indexes.iterdir() if not path.name.startswith(_ASIDE)]

    def _give_index(self, index: Path) -> None:
        """Replace the agent's index."""
        replace_file(self.required_admin(), "index", index.read_bytes(), index.stat())


def _pointer(admin: Path) -> bytes | None:
    """Which ``.git`` file a record of a worktree belongs to; `None` where it is half made, or being removed."""
    content = read_small(f"{admin}/gitdir", _LONGEST)
    return content.strip() if content is not None and content != UNUSUAL else None
