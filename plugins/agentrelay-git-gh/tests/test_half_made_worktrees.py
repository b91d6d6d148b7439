"""Refs are read while somebody else makes a worktree."""

import subprocess

import pytest
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.git.trusted import GitFailed


@pytest.fixture
def half_made(tmp_path):
    """A repository with a worktree whose files are still empty, as git sees it for a moment."""
    root = tmp_path / "repository"
    for command in (
        ["init", "-q", "-b", "main", str(root)],
        ["-C", str(root), "-c", "user.name=u", "-c", "user.email=u@e", "commit", "-q", "--allow-empty", "-m", "first"],
        ["-C", str(root), "worktree", "add", "-q", "--detach", str(tmp_path / "other")],
    ):
        subprocess.run(["git", *command], check=True)
    pointer = root / ".git" / "worktrees" / "other" / "commondir"
    content = pointer.read_text()
    pointer.write_text("")
    return Repository(root=root, common=root / ".git", state_dir=tmp_path / "state"), pointer, content


@pytest.mark.fault("P4")
def test_a_worktree_in_the_making_is_waited_for(half_made, monkeypatch):
    """As soon as its files are written, the refs are read."""
    repository, pointer, content = half_made
    looks = []

    def pause(seconds):
        looks.append(seconds)
        pointer.write_text(content)

    monkeypatch.setattr("agentrelay_git_gh.git.repository.time.sleep", pause)
    assert list(repository.user_refs("refs/heads/")) == ["refs/heads/main"]
    assert len(looks) == 1


def test_a_worktree_that_stays_broken_is_an_error(half_made, monkeypatch):
    """Waiting has an end, and the error names the worktree's file."""
    repository, pointer, _ = half_made
    monkeypatch.setattr("agentrelay_git_gh.git.repository.time.sleep", lambda _: None)
    with pytest.raises(GitFailed, match=pointer.name):
        repository.user_refs("refs/heads/")
