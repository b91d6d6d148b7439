"""The forge on GitHub keeps what every forge has to keep, by the real gh and git against the emulated GitHub."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from pytest_agentrelay.compliance import ForgeCompliance
from pytest_agentrelay.compliance.repositories import git, make_repository


class TestGitHubForge(ForgeCompliance):
    """Pull requests on GitHub."""

    plugin = "agentrelay_git_gh"
    forge = "github"
    foreign_url = "http://github.localhost/else/where/pull/1"

    @pytest.fixture(autouse=True)
    def _on_github(
        self, _prepare_place: None, emulated_github: Any, new_gh: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        repository = make_repository(self.place / "repository")
        emulated_github.add_repository("acme", "widget", from_=repository)
        self.hosted = emulated_github.repository("acme/widget")
        git(repository, "remote", "add", "origin", emulated_github.remote_url("acme", "widget"))
        for name, value in emulated_github.environment("file").items():
            monkeypatch.setenv(name, value)

    def offer(self, head: str, base: str) -> str:
        """Both branches, on the server, and at the same commits in the user's repository."""
        sha = super().offer(head, base)
        subprocess.run(
            ("git", "push", "-q", "origin", head, base), cwd=self.place / "repository", check=True, timeout=240
        )
        return sha

    def tip(self, branch: str) -> str:
        """Where the branch stands on the server."""
        return str(self.hosted.tip(branch))


def test_the_forge_is_the_plugins_own(tmp_path: Path) -> None:
    """What the class judges is declared by this plugin."""
    judge = TestGitHubForge()
    judge.place = tmp_path
    assert judge.record.factory.__module__ == "agentrelay_git_gh"
