"""The page about GitHub: what it tells to type is typed, in a clone of a repository on the emulated GitHub."""

import re
import subprocess

import pytest
from pages import ROOT, names, rows, section, snippet
from pytest_agentrelay.github.programs import real_gh

from agentrelay_core.graph import read_graph

POLICIES = {"required", "all", "names", "none"}


@pytest.fixture
def clone(repository, variables, tmp_path, emulated_github, real_program):
    """The user's repository, with its remote on the emulated GitHub, where the user is logged in."""
    program, version = real_gh("old")
    real_program("gh", version)
    emulated_github.add_repository("acme", "counter", from_=repository)
    remote = emulated_github.remote_url("acme", "counter")
    subprocess.run(["git", "remote", "add", "origin", remote], cwd=repository, check=True)
    (tmp_path / "bin" / "gh").symlink_to(program)
    variables |= emulated_github.environment("file")
    return repository


@pytest.mark.parametrize("name", names("github"))
def test_documented_run_ends_as_the_page_says(name, clone, variables, emulated_github):
    """The documented lines end with exit code 0, and the pull requests are then as the page says."""
    (clone / "agentrelay.yaml").write_text(snippet(name, "github-graph"))
    done = subprocess.run(
        ["sh", "-ec", snippet(name, "github")], cwd=clone, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    hosted = emulated_github.repository("acme/counter")
    assert sorted((pull.head, pull.base, pull.state) for pull in hosted.pulls) == [
        ("agentrelay/counter/docs", "agentrelay/counter@docs", "merged"),
        ("agentrelay/counter/spec", "agentrelay/counter@default", "merged"),
        ("agentrelay/counter@default", "main", "open"),
        ("agentrelay/counter@docs", "main", "merged"),
    ]
    assert "error" not in done.stdout


@pytest.mark.parametrize("name", names("github-graph"))
def test_documented_graph_is_right(name, tmp_path):
    """The documented graph is read without complaint."""
    path = tmp_path / "agentrelay.yaml"
    path.write_text(snippet(name, "github-graph"))
    assert read_graph(path).diagnostics == ()


def test_states_are_documented():
    """The page has a row for each state in which a merge waits, and for no other."""
    listed = [row[0].strip("`") for row in rows(section("docs/github.md", "What a merge waits for"))]
    folder = ROOT / "plugins/agentrelay-git-gh/agentrelay_git_gh/github"
    sources = "".join((folder / name).read_text() for name in ("clearing.py", "waiting.py"))
    assert {state for state in listed if state not in POLICIES} == set(re.findall(r'\bstate="([a-z ]+)"', sources))
    assert set(listed) >= POLICIES
