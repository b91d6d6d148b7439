"""The two repositories of a run: the user's, which agents can write to, and our own bare one, which they cannot.

Refs in the user's are read and moved by compare-and-swap. Everything that reads content happens in ours, to and from
which `transfer` carries objects.
"""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import attrs

from agentrelay_git_gh.trusted import Git, GitFailed


@attrs.frozen
class Ref:
    """A ref as it was read.

    Args:
        sha: The object that it names, full hash.
        checked_out: The worktree in which it is checked out, `None` for none.
    """

    sha: str
    checked_out: Path | None = None


class RefMoved(Exception):
    """A ref was not where it was expected: someone moved it meanwhile."""


# Seconds between looks at a worktree that somebody is just making; git needs about a millisecond for it.
HALF_MADE_PAUSES: Final = (0.01, 0.05, 0.2, 1.0)


@attrs.frozen(kw_only=True)
class Repository:
    """The user's repository and ours.

    Args:
        root: Top directory of the user's main checkout.
        common: Its common git directory, shared by all worktrees.
        state_dir: The run's directory, which holds our repository.
    """

    root: Path
    common: Path
    state_dir: Path

    @property
    def user(self) -> Git:
        """Git on the user's repository: refs and new objects alone, never files."""
        return Git(git_dir=self.common)

    @property
    def ours(self) -> Git:
        """Git on our bare repository."""
        return Git(git_dir=self.our_directory)

    @property
    def our_directory(self) -> Path:
        """Where our bare repository is."""
        return self.state_dir / "repository.git"

    def user_refs(self, *patterns: str) -> dict[str, Ref]:
        """Read refs of the user's repository.

        Args:
            patterns: Full names, or prefixes up to a slash.
        """
        refs = {}
        for line in self._listed(*patterns).splitlines():
            name, _, worktree = line.partition("\t")
            sha, _, name = name.partition(" ")
            refs[name] = Ref(sha, Path(worktree) if worktree else None)
        return refs

    def _listed(self, *patterns: str) -> str:
        form = "--format=%(objectname) %(refname)%09%(worktreepath)"
        for pause in HALF_MADE_PAUSES:
            try:
                return self.user.text("for-each-ref", form, *patterns)
            except GitFailed as failure:
                # Somebody is just making a worktree: git reads its files while they are still empty.
                if b"/worktrees/" not in failure.captured.stderr:
                    raise
                time.sleep(pause)
        return self.user.text("for-each-ref", form, *patterns)

    def our_refs(self, *patterns: str) -> dict[str, str]:
        """Read refs of our repository: hashes by full name; patterns may hold ``*`` for one component."""
        lines = self.ours.text("for-each-ref", "--format=%(objectname) %(refname)", *patterns).splitlines()
        return {name: sha for sha, _, name in (line.partition(" ") for line in lines)}

    def set_ours(self, refs: Mapping[str, str]) -> None:
        """Set refs of our repository, all or none."""
        commands = "".join(f"update {name}\0{sha}\0\0" for name, sha in refs.items())
        self.ours.run("update-ref", "-z", "--stdin", stdin=commands.encode())

    def move(self, name: str, new: str, old: str | None) -> None:
        """Move a ref of the user's repository by compare-and-swap.

        Args:
            name: The ref.
            new: Where it shall point.
            old: Where it points now; `None` means that it must not exist.

        Raises:
            RefMoved: It was elsewhere.
        """
        command = f"create {name}\0{new}\0" if old is None else f"update {name}\0{new}\0{old}\0"
        self.change(self.user, command)

    def change(self, git: Git, commands: str) -> None:
        """Run a transaction of ``update-ref -z --stdin``; `RefMoved` when a ref was not as expected."""
        try:
            git.run("update-ref", "-z", "--stdin", stdin=commands.encode())
        except GitFailed as failure:
            said = failure.captured.stderr
            if any(words in said for words in (b"but expected", b"already exists", b"unable to resolve reference")):
                raise RefMoved(said.decode(errors="replace").strip()) from failure
            raise

    def contains(self, descendant: str, ancestor: str) -> bool:
        """Whether a commit is the other's ancestor, or the same; both must be in our repository."""
        return descendant == ancestor or self.ours.says("merge-base", "--is-ancestor", ancestor, descendant)


def commits_of(shas: Iterable[str | None]) -> list[str]:
    """Different hashes, in order, without the missing ones."""
    return list(dict.fromkeys(sha for sha in shas if sha))
