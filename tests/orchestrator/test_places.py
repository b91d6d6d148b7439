"""Where a run's files live: one place for all worktrees of a repository, private, and found without asking git."""

import hashlib
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from agentrelay_core.orchestrator.places import (
    common_git_directory,
    ensure,
    journal_path,
    new_run_id,
    repository_root,
    state_directory,
)
from agentrelay_core.runtime import UserError


def git(*arguments: str, at: Path) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments],
        cwd=at,
        check=True,
        capture_output=True,
    )


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a commit and a linked worktree beside it."""
    place = tmp_path / "repository"
    place.mkdir()
    git("init", "-q", at=place)
    git("commit", "-q", "--allow-empty", "-m", "first", at=place)
    git("worktree", "add", "-q", "../linked", at=place)
    return place


def test_every_way_into_a_repository_leads_to_one_place(repository: Path) -> None:
    """Worktree, folder within, linked worktree, symbolic link and git directory share one common git directory."""
    (repository / "a" / "b").mkdir(parents=True)
    (repository.parent / "link").symlink_to(repository)
    ways = [
        repository,
        repository / "a" / "b",
        repository / "a" / "not there yet",
        repository.parent / "linked",
        repository.parent / "link",
        repository / ".git",
    ]
    assert {common_git_directory(way) for way in ways} == {(repository / ".git").resolve()}


def test_bare_repositories_and_submodules_are_repositories(repository: Path, tmp_path: Path) -> None:
    """A bare clone is its own git directory; a submodule's `.git` file is followed to its own."""
    git("clone", "-q", "--bare", str(repository), "bare.git", at=tmp_path)
    assert common_git_directory(tmp_path / "bare.git") == (tmp_path / "bare.git").resolve()
    git("-c", "protocol.file.allow=always", "submodule", "add", "-q", "../bare.git", "sub", at=repository)
    assert common_git_directory(repository / "sub") == (repository / ".git/modules/sub").resolve()


def test_the_root_is_the_main_worktree(repository: Path, tmp_path: Path) -> None:
    """From a folder or a linked worktree the root is the main worktree; of a bare repository, the repository."""
    (repository / "a").mkdir()
    assert {repository_root(way) for way in (repository / "a", tmp_path / "linked")} == {repository.resolve()}
    git("clone", "-q", "--bare", str(repository), "bare.git", at=tmp_path)
    assert repository_root(tmp_path / "bare.git") == (tmp_path / "bare.git").resolve()


def test_no_program_is_run(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory is found with no git on PATH, whatever the repository's configuration says."""
    (repository / ".git" / "config").write_text("[core]\n\tfsmonitor = touch /tmp/no\n\tworktree = /nowhere\n")
    monkeypatch.setenv("PATH", "")
    assert common_git_directory(repository.parent / "linked") == (repository / ".git").resolve()


def test_the_place_of_a_graph(repository: Path, tmp_path: Path) -> None:
    """`<base>/<12 hex of the common git directory>/<graph>`: the setting, then the variable, then the user's own."""
    digest = hashlib.sha256(os.fsencode((repository / ".git").resolve())).hexdigest()[:12]
    variable = {"AGENTRELAY_STATE_DIR": str(tmp_path / "variable")}
    assert state_directory(repository, "g", environ=variable) == tmp_path / "variable" / digest / "g"
    assert state_directory(tmp_path / "linked", "g", environ=variable) == tmp_path / "variable" / digest / "g"
    override = tmp_path / "override"
    assert state_directory(repository, "g", override=override, environ=variable) == override / digest / "g"
    assert state_directory(None, "g", override=override, environ={}) == override / "g"


def test_the_users_own_state_directory(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a setting or a variable it lies in the user's state directory, under `agentrelay`."""
    monkeypatch.setenv("XDG_STATE_HOME", str(repository.parent / "state"))
    place = state_directory(repository, "g", environ={"AGENTRELAY_STATE_DIR": ""})
    assert place.name == "g"
    assert re.fullmatch("[0-9a-f]{12}", place.parent.name)
    assert place.parent.parent.name == "agentrelay"


def test_a_relative_place_becomes_absolute(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later change of the working directory moves nothing, and `~` is the user's home."""
    monkeypatch.chdir(repository.parent)
    monkeypatch.setenv("HOME", str(repository.parent / "home"))
    assert state_directory(None, "g", override=Path("here")) == Path.cwd() / "here" / "g"
    assert state_directory(None, "g", override=Path("~/here")) == repository.parent / "home" / "here" / "g"


def test_no_repository(tmp_path: Path) -> None:
    """Outside of a repository the error names the path and `git init`; without path and place, the setting."""
    with pytest.raises(UserError, match=rf"not a git repository: {re.escape(str(tmp_path))}, .*`git init`"):
        state_directory(tmp_path, "g", override=tmp_path)
    with pytest.raises(UserError, match="set `state_dir`"):
        state_directory(None, "g", environ={})


@pytest.mark.parametrize("name", ["../up", "a/b", "", "a."])
def test_a_name_that_is_no_directory(tmp_path: Path, name: str) -> None:
    """A graph's name never leads out of the base."""
    with pytest.raises(UserError, match="the graph's name"):
        state_directory(None, name, override=tmp_path)


def test_broken_pointers(repository: Path, tmp_path: Path) -> None:
    """A worktree whose repository is gone, and a `.git` file of other content, are named with a way out."""
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / ".git").write_bytes(b"\xff\xfe nothing")
    with pytest.raises(UserError, match="without a `gitdir:` line"):
        common_git_directory(tmp_path / "odd")
    repository.rename(tmp_path / "moved")
    with pytest.raises(UserError, match="run `git worktree repair`"):
        common_git_directory(tmp_path / "linked")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_what_is_made_is_private(tmp_path: Path) -> None:
    """All directories that are made have mode 0700; those that exist are left alone; twice is once."""
    (tmp_path / "there").mkdir(mode=0o755)
    place = tmp_path / "there" / "0123456789ab" / "g"
    assert ensure(ensure(place)) == place
    assert [stat.S_IMODE(each.stat().st_mode) for each in (place, place.parent)] == [0o700, 0o700]
    assert stat.S_IMODE(place.parent.parent.stat().st_mode) == 0o755
    assert journal_path(place).parent == place


def test_run_ids() -> None:
    """A run's id is its UTC second and four hexadecimal digits."""
    assert new_run_id(now=1735689600.9, token="beef") == "20250101T000000Z-beef"
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{4}", new_run_id())
