"""The two repositories of a run: the user's, which agents can write to, and our own bare one, which they cannot.

Refs in the user's are read and moved by compare-and-swap. Everything that reads content happens in ours, to and from
which `transfer` carries objects.
"""

import errno
import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Final

import attrs

from agentrelay_git_gh.git.loose import read
from agentrelay_git_gh.git.refs import UNUSUAL, checkouts, read_ref, write_ref
from agentrelay_git_gh.git.trusted import Git, GitFailed
from agentrelay_git_gh.git.walking import parents_of


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


# What it means that another ref is called like a directory of this one, or the other way round.
_IN_THE_WAY: Final = {errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY}
# Seconds between looks at a worktree that somebody is just making; git needs about a millisecond for it.
HALF_MADE_PAUSES: Final = (0.01, 0.05, 0.2, 1.0)


@attrs.frozen(kw_only=True, eq=False)
class Repository:
    """The user's repository and ours.

    Args:
        root: Top directory of the user's main checkout.
        common: Its common git directory, shared by all worktrees.
        state_dir: The run's directory, which holds our repository.
        helper_fds: Descriptors that git's processes inherit; see `RunInfo`.
    """

    root: Path
    common: Path
    state_dir: Path
    helper_fds: tuple[int, ...] = ()

    @cached_property
    def user(self) -> Git:
        """Git on the user's repository: refs and new objects alone, never files."""
        return Git(git_dir=self.common, helper_fds=self.helper_fds)

    @cached_property
    def ours(self) -> Git:
        """Git on our bare repository."""
        return Git(git_dir=self.our_directory, helper_fds=self.helper_fds)

    @cached_property
    def our_directory(self) -> Path:
        """Where our bare repository is."""
        return self.state_dir / "repository.git"

    @cached_property
    def objects(self) -> Path:
        """The object directory of our repository."""
        return self.our_directory / "objects"

    @cached_property
    def user_objects(self) -> Path:
        """The object directory of the user's repository."""
        return self.common / "objects"

    @cached_property
    def algorithm(self) -> str:
        """The hash function of both repositories, ``sha1`` or ``sha256``."""
        configured = (self.our_directory / "config").read_text(errors="replace").lower()
        return "sha256" if "objectformat = sha256" in configured else "sha1"

    def user_refs(self, *patterns: str) -> dict[str, Ref]:
        """Read refs of the user's repository.

        Args:
            patterns: Full names, or prefixes that end with a slash.
        """
        if not any(pattern.endswith("/") for pattern in patterns):
            read = self._read_users(patterns)
            if read is not None:
                return read
        refs = {}
        for line in self._listed(*patterns).splitlines():
            name, _, worktree = line.partition("\t")
            sha, _, name = name.partition(" ")
            refs[name] = Ref(sha, Path(worktree) if worktree else None)
        return refs

    def _read_users(self, names: tuple[str, ...]) -> dict[str, Ref] | None:
        """The same without a process; `None` where git has to be asked."""
        found = {name: read_ref(self.common, name) for name in names}
        places = checkouts(self.root, self.common)
        if UNUSUAL in found.values() or any(places.get(name, self.root) is None for name in names):
            return None
        return {name: Ref(sha, places.get(name)) for name, sha in found.items() if sha is not None}

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
        """Read refs of our repository: hashes by full name.

        Args:
            patterns: Full names, prefixes that end with a slash, or names with ``*`` for one component.
        """
        if not any(pattern.endswith("/") or "*" in pattern for pattern in patterns):
            found = {name: read_ref(self.our_directory, name) for name in patterns}
            if UNUSUAL not in found.values():
                return {name: sha for name, sha in found.items() if sha is not None}
        lines = self.ours.text("for-each-ref", "--format=%(objectname) %(refname)", *patterns).splitlines()
        return {name: sha for sha, _, name in (line.partition(" ") for line in lines)}

    def our_tips(self) -> set[str]:
        """What the branches of our repository point to."""
        return set(self.our_refs("refs/heads/").values())

    def set_ours(self, refs: Mapping[str, str]) -> None:
        """Set refs of our repository, which nobody else writes to; in this order.

        Args:
            refs: Commits that ours has, full hashes, by the refs' full names.
        """
        try:
            for name, sha in refs.items():
                write_ref(self.our_directory, name, sha)
        except OSError as error:
            if error.errno not in _IN_THE_WAY:
                raise
            # git says what is in the way, or finds a way
            commands = "".join(f"update {name}\0{sha}\0\0" for name, sha in refs.items())
            self.ours.run("update-ref", "-z", "--stdin", stdin=commands.encode())

    def has(self, sha: str) -> bool:
        """Whether an object is in our repository."""
        if self.objects.joinpath(sha[:2], sha[2:]).is_file():
            return True
        return self.ours.run("cat-file", "-e", sha, accept=(0, 1, 128)).returncode == 0

    def move(self, name: str, new: str, old: str | None, also: Mapping[str, str] | None = None) -> None:
        """Move a ref of the user's repository by compare-and-swap.

        Args:
            name: The ref.
            new: Where it shall point.
            old: Where it points now; `None` means that it must not exist.
            also: What other refs are set to at the same time, wherever they are; all or none are moved.

        Raises:
            RefMoved: It was elsewhere.
        """
        command = f"create {name}\0{new}\0" if old is None else f"update {name}\0{new}\0{old}\0"
        self.change(self.user, command + "".join(f"update {other}\0{sha}\0\0" for other, sha in (also or {}).items()))

    def set_users(self, refs: Mapping[str, str]) -> None:
        """Set refs of the user's repository that are ours alone, wherever they are."""
        self.change(self.user, "".join(f"update {name}\0{sha}\0\0" for name, sha in refs.items()))

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
        if descendant == ancestor:
            return True
        commit = read(self.objects, descendant)
        if commit is not None and ancestor in parents_of(commit):
            return True
        return self.ours.says("merge-base", "--is-ancestor", ancestor, descendant)


def commits_of(shas: Iterable[str | None]) -> list[str]:
    """Different hashes, in order, without the missing ones."""
    return list(dict.fromkeys(sha for sha in shas if sha))
