"""A real repository for a test: nothing of whoever runs it takes part, and its remote is a directory."""

import os
import subprocess
from pathlib import Path
from typing import Final

import attrs
import pytest

CONFIGURATION: Final = """\
[user]
\tname = Uma User
\temail = uma@example.org
[init]
\tdefaultBranch = main
[commit]
\tgpgSign = false
"""
_DEADLINE: Final = 60.0  # seconds for one git command


def isolate(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let git see a home directory of the test's own, and no variable or file of the user's.

    Args:
        root: Where the home directory is made.
        monkeypatch: Takes it back after the test.
    """
    home = root / "home"
    home.mkdir(exist_ok=True)
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (home / ".gitconfig").write_text(CONFIGURATION, encoding="utf-8")


@attrs.frozen(kw_only=True)
class GitRepository:
    """A git repository.

    Args:
        path: Its worktree.
        remote: The bare repository that is its ``origin``.
    """

    path: Path
    remote: Path

    @classmethod
    def create(cls, path: Path, *, remote: Path) -> "GitRepository":
        """Make both, with one commit on ``main`` that is pushed."""
        path.mkdir()
        repository = cls(path=path, remote=remote)
        repository.git("init", "--quiet")
        repository.git("init", "--quiet", "--bare", str(remote))
        repository.git("remote", "add", "origin", str(remote))
        repository.commit("first", {"README": "hello\n"})
        repository.git("push", "--quiet", "--set-upstream", "origin", "main")
        repository.git("remote", "set-head", "origin", "main")
        return repository

    def git(self, *arguments: str) -> str:
        """Run git here; what it printed, without white space at the end.

        Raises:
            AssertionError: It failed; the text holds what it said.
        """
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, capture_output=True, text=True, check=False, timeout=_DEADLINE
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}"
        return done.stdout.rstrip()

    def lines(self, *arguments: str) -> list[str]:
        """Run git here; the lines that it printed."""
        return self.git(*arguments).splitlines()

    def commit(self, message: str, files: dict[str, str]) -> str:
        """Write files and commit everything; the commit.

        Args:
            message: The commit's message.
            files: Texts by path.
        """
        for name, text in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")
