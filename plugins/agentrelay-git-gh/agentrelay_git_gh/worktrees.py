"""The worktree of a workstream: it belongs to the user's repository, and is filled and read through ours.

Our repository keeps an index of its own for it, in a file that is called after the commit whose tree it holds. It is
never the agent's index, in which files can be hidden; and because a new one replaces the old by renaming, only after
the commit is in place, what it says is true after a crash as well.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.runtime import Parked, Transient
from agentrelay_git_gh.locks import lock_of
from agentrelay_git_gh.repository import Repository
from agentrelay_git_gh.trusted import TRANSFER_DEADLINE, Git

_INDEX_PATIENCE: Final = 5.0  # seconds that another git process is given to finish with the agent's index


@attrs.frozen(kw_only=True)
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
        here = str(self.path / ".git")
        for entry in sorted((self.repository.common / "worktrees").glob("*/gitdir")):
            with suppress(OSError):  # another worktree, which is being removed just now
                if entry.read_text(errors="surrogateescape").strip() == here:
                    return entry.parent
        return None

    def required_admin(self) -> Path:
        """The same, where it must be there."""
        admin = self.admin()
        if admin is None or not self.path.is_dir():
            raise Parked(f"the worktree {self.path} is gone; if it was removed on purpose, run again to make it anew")
        return admin

    def head(self) -> str:
        """What is checked out, as git writes it: ``ref: refs/heads/…`` or a hash."""
        return (self.required_admin() / "HEAD").read_text(errors="replace").strip()

    def add(self, commit: str) -> None:
        """Make the worktree, with no branch checked out and no files yet.

        Args:
            commit: Where it starts.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with lock_of("worktrees", self.repository.common):
            arguments = ("worktree", "add", "--quiet", "--no-checkout", "--detach", str(self.path), commit)
            self.repository.user.run(*arguments, cwd=self.repository.root)

    @property
    def indexes(self) -> Path:
        """Where our indexes of this worktree are; one, unless a crash left another."""
        graph, workstream = self.path.parts[-2:]
        return self.repository.our_directory / "worktrees" / graph / workstream

    def holds(self, commit: str) -> bool:
        """Whether the worktree was last left at this commit, by us."""
        return (self.indexes / commit).exists()

    @contextmanager
    def index_at(self, commit: str) -> Iterator[Git]:
        """Our git with a throw-away copy of the index that holds a commit's tree; see `keep_index`.

        Args:
            commit: Full hash, in our repository.
        """
        self.indexes.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="aside-", dir=self.indexes) as aside:
            git = attrs.evolve(self.repository.ours, work_tree=self.path, index=Path(aside) / "index")
            source = self.indexes / commit
            seated = source.exists()
            if not seated:
                source = max(self._kept(), key=lambda path: path.stat().st_mtime_ns, default=source)
            if source.exists():
                shutil.copy2(source, Path(aside) / "index")  # with its time, by which git knows what may have changed
            if not seated:
                mode = ("-m",) if source.exists() else ()
                git.run("read-tree", *mode, commit, deadline=TRANSFER_DEADLINE)
            yield git

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

    def drop_stale(self) -> None:
        """Remove what a killed process left of half-made indexes; only while nobody else works on the run."""
        for stale in self.indexes.glob("aside-*"):
            shutil.rmtree(stale)

    def _kept(self) -> list[Path]:
        return [path for path in self.indexes.iterdir() if path.is_file()]

    def _give_index(self, index: Path) -> None:
        """Replace the agent's index by git's own protocol, so that a git process of the agent is not disturbed."""
        target = self.required_admin() / "index"
        lock = target.with_name("index.lock")
        deadline = time.monotonic() + _INDEX_PATIENCE
        while True:
            try:
                descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
                break
            except FileExistsError:
                if time.monotonic() > deadline:
                    raise Transient(f"another git process holds {lock}; if there is none, remove that file") from None
                time.sleep(0.05)
        with os.fdopen(descriptor, "wb") as file:
            file.write(index.read_bytes())
        shutil.copystat(index, lock)
        lock.replace(target)
