"""The plumbing: what a merge button does, in a bare repository, without a worktree.

No configuration of the user's takes part, and nothing runs on in the background when a command has ended.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

_DEADLINE: Final = 60.0  # seconds for one git command
_SETTINGS: Final = {
    "http.receivepack": "true",
    "uploadpack.allowAnySHA1InWant": "true",
    "gc.auto": "0",
    "receive.autogc": "false",
}
_FORM: Final = "%H%x00%T%x00%P%x00%an%x00%ae%x00%aI%x00%B"
HEADS: Final = "refs/heads/"
CLOSED_BRANCHES: Final = "EMULATED_GITHUB_CLOSED"  # the variable that tells the hook which branches take no pushes
_UPDATE_HOOK: Final = f"""\
#!/bin/sh
case " ${CLOSED_BRANCHES} " in
*" $1 "*)
    echo "error: GH006: Protected branch update failed for $1." >&2
    echo "error: Changes must be made through a pull request." >&2
    exit 1
    ;;
esac
"""
GITHUB: Final = ("GitHub", "noreply@github.com")


class GitFailedError(Exception):
    """A git command failed in a way that no caller expects; the text holds what it said."""


@attrs.frozen(kw_only=True)
class Commit:
    """A commit, with its author as (name, address)."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: tuple[str, str]
    date: str
    message: str

    @property
    def subject(self) -> str:
        """The first line of its message."""
        return self.message.partition("\n")[0]

    @property
    def body(self) -> str:
        """Its message without the first line."""
        return self.message.partition("\n")[2].strip()


def environment() -> dict[str, str]:
    """The environment of a git command that sees nothing of the user's configuration."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {**kept, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}


@attrs.frozen
class BareRepository:
    """A bare repository at a path."""

    path: Path
    _commits: dict[str, Commit] = attrs.field(factory=dict, eq=False, repr=False)

    @classmethod
    def create(cls, path: Path, *, source: Path | None = None, branch: str = "main") -> BareRepository:
        """Make one, empty or with the branches and tags of another repository.

        Args:
            path: Where.
            source: The repository whose branches and tags it gets, and whose checked-out branch becomes the default.
            branch: The default branch of an empty one.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        repository = cls(path)
        command = ["git", "init", "--quiet", "--bare", f"--initial-branch={branch}", str(path)]
        subprocess.run(command, check=True, timeout=_DEADLINE, env=environment())
        for name, value in _SETTINGS.items():
            repository.git("config", name, value)
        hook = path / "hooks" / "update"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_UPDATE_HOOK, encoding="utf-8")
        hook.chmod(0o755)
        if source is not None:
            repository.git("fetch", "--quiet", str(source), "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
            repository.git("symbolic-ref", "HEAD", BareRepository(source).git("symbolic-ref", "HEAD"))
        return repository

    def attempt(
        self, *arguments: str, given: str | None = None, extra: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run git here, whatever comes of it."""
        return subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_DEADLINE,
            env={**environment(), **(extra or {})},
        )

    def git(self, *arguments: str, given: str | None = None, extra: Mapping[str, str] | None = None) -> str:
        """Run git here; what it printed, without white space at the end.

        Raises:
            GitFailedError: It failed.
        """
        done = self.attempt(*arguments, given=given, extra=extra)
        if done.returncode != 0:
            raise GitFailedError(f"git {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}")
        return done.stdout.rstrip()

    @property
    def default_branch(self) -> str:
        """The branch that HEAD names."""
        return self.git("symbolic-ref", "--short", "HEAD")

    def branches(self) -> dict[str, str]:
        """The tips by branch."""
        listed = self.git("for-each-ref", "--format=%(objectname) %(refname)", HEADS)
        pairs = (line.split(" ", 1) for line in listed.splitlines())
        return {name.removeprefix(HEADS): sha for sha, name in pairs}

    def commit_of(self, name: str) -> str | None:
        """The commit that a name stands for, if there is one."""
        done = self.attempt("rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}")
        return done.stdout.strip() if done.returncode == 0 else None

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether one commit is in the history of another."""
        return self.attempt("merge-base", "--is-ancestor", older, newer).returncode == 0

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor, if there is any."""
        done = self.attempt("merge-base", one, other)
        return done.stdout.strip() if done.returncode == 0 else None

    def merged_tree(self, base: str, head: str) -> str | None:
        """The tree of a merge; None when there are conflicts."""
        done = self.attempt("merge-tree", "--write-tree", "--no-messages", "--allow-unrelated-histories", base, head)
        return done.stdout.partition("\n")[0] if done.returncode == 0 else None

    def write_commit(
        self,
        *,
        tree: str,
        parents: tuple[str, ...],
        message: str,
        author: tuple[str, str],
        at: float,
        author_date: str | None = None,
    ) -> str:
        """Write a commit as GitHub would; `at` is in seconds since the epoch."""
        date = f"@{int(at)} +0000"
        identity = {
            "GIT_AUTHOR_NAME": author[0],
            "GIT_AUTHOR_EMAIL": author[1],
            "GIT_AUTHOR_DATE": author_date or date,
            "GIT_COMMITTER_NAME": GITHUB[0],
            "GIT_COMMITTER_EMAIL": GITHUB[1],
            "GIT_COMMITTER_DATE": date,
        }
        options = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", tree, *options, given=message, extra=identity)

    def add_files(self, parent: str | None, files: Mapping[str, str | None]) -> str:
        """The tree of a commit with some files written, or taken away where the text is None."""
        with tempfile.TemporaryDirectory() as place:
            extra = {"GIT_INDEX_FILE": str(Path(place) / "index")}
            if parent is not None:
                self.git("read-tree", parent, extra=extra)
            for name, text in files.items():
                if text is None:
                    self.git("update-index", "--force-remove", "--", name, extra=extra)
                    continue
                blob = self.git("hash-object", "-w", "--stdin", given=text)
                self.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}", extra=extra)
            return self.git("write-tree", extra=extra)

    def update(self, ref: str, new: str, old: str | None = None) -> bool:
        """Move a ref, if it still is where it is believed to be; whether it was moved."""
        expected = [old] if old is not None else []
        return self.attempt("update-ref", ref, new, *expected).returncode == 0

    def delete(self, ref: str) -> bool:
        """Delete a ref; whether it is gone."""
        return self.attempt("update-ref", "-d", ref).returncode == 0

    def commits(self, base: str, head: str, *options: str) -> list[Commit]:
        """The commits of head that base has not, oldest first."""
        listed = self.git("log", "--reverse", "--topo-order", f"--format={_FORM}%x01", *options, f"{base}..{head}")
        return [_commit(entry) for entry in listed.split("\x01") if entry.strip()]

    def commit(self, sha: str) -> Commit:
        """A commit, read once."""
        if sha not in self._commits:
            self._commits[sha] = _commit(self.git("show", "--no-patch", f"--format={_FORM}", sha))
        return self._commits[sha]

    def changes(self, base: str, head: str) -> list[tuple[str, int, int, str]]:
        """The files that head changes since it left base: status letter, lines added, lines deleted, path."""
        span = f"{base}...{head}"
        letters = self.git("diff", "--no-renames", "--name-status", "-z", span).split("\0")
        status = dict(zip(letters[1::2], letters[::2], strict=False))
        found = []
        for line in self.git("diff", "--no-renames", "--numstat", "-z", span).split("\0"):
            if line:
                added, deleted, path = line.split("\t", 2)
                found.append((status[path], int(added.strip("-") or 0), int(deleted.strip("-") or 0), path))
        return found


def _commit(entry: str) -> Commit:
    sha, tree, parents, name, address, date, message = entry.lstrip("\n").split("\0")
    return Commit(
        sha=sha,
        tree=tree,
        parents=tuple(parents.split()),
        author=(name, address),
        date=date,
        message=message.strip("\n"),
    )
