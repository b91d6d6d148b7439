"""Whole runs through the command line, the real gh and the emulated GitHub; what became of them is read on the server."""

import subprocess
import sys

import attrs
import pytest

GRAPH = """\
name: diamond
forge: {forge}
pr: {pr}
agents:
  script: {{framework: command, command: {command!r}}}
defaults: {{agent: script}}
workstreams:
  left: {{{lane}}}
  right: {{{lane}}}
  end: {{{lane}}}
  start: {{{lane}}}
tasks:
  a: {{description: Write a., workstream_id: start}}
  b: {{description: Write b., workstream_id: left, dependencies: [a]}}
  c: {{description: Write c., workstream_id: right, dependencies: [a]}}
  d: {{description: Write d., workstream_id: end, dependencies: [b, c]}}
"""
LANE = "auto_merge: true, base_branch: main, merge_target_branch: main"
WRITE = "echo $AGENTRELAY_TASK_ID > $AGENTRELAY_TASK_ID.txt"


@attrs.frozen(kw_only=True)
class Project:
    """A user's clone of a repository on GitHub, with another branch checked out than the target."""

    user: object
    hosted: object
    github: object

    def run(self, graph, *, expect=0):
        """Run a graph with ``agentrelay run``; what it printed."""
        (self.user.path / "agentrelay.yaml").write_text(graph)
        done = subprocess.run(
            (sys.executable, "-m", "agentrelay_core.cli", "run"),
            cwd=self.user.path,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def tree(self, branch="main"):
        """The files of a branch on the server."""
        return self.hosted.git("ls-tree", "-r", "--name-only", branch).split()


@pytest.fixture
def project(emulated_github, gh, user, tmp_path, monkeypatch):
    emulated_github.add_repository("acme", "widget", from_=user.path)
    for name, value in emulated_github.environment("file").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AGENTRELAY_STATE_DIR", str(tmp_path / "states"))
    user("remote", "add", "origin", emulated_github.remote_url("acme", "widget"))
    user("checkout", "-q", "-b", "mine")
    return Project(user=user, hosted=emulated_github.repository("acme/widget"), github=emulated_github)


def graph(forge="github", pr="auto", command=WRITE, lane=LANE):
    return GRAPH.format(forge=forge, pr=pr, command=command, lane=lane)


def test_diamond_over_four_workstreams_comes_to_its_end(project):
    """Each task's change is on the server's target exactly once, by one merge each and one for each workstream."""
    before = project.hosted.tip("main")
    main = project.user("rev-parse", "main")
    project.run(graph())
    assert {"a.txt", "b.txt", "c.txt", "d.txt"} <= set(project.tree())
    merged = project.github.happened("merged")
    assert len(merged) == 8
    assert all(pull.state == "closed" for pull in project.hosted.pulls)
    subjects = project.hosted.git("log", "--format=%s", "--first-parent", f"{before}..main").splitlines()
    assert sorted(subjects) == ["diamond: end", "diamond: left", "diamond: right", "diamond: start"]
    for task in "abcd":
        added = project.hosted.git("log", "--format=%H", "--no-merges", f"{before}..main", "--", f"{task}.txt")
        assert len(added.split()) == 1
    assert project.user("rev-parse", "main") == main
    assert project.user("symbolic-ref", "--short", "HEAD") == "mine"
    for lane in ("start", "left", "right", "end"):
        branch = f"agentrelay/diamond@{lane}"
        assert project.user("rev-parse", branch) == project.hosted.tip(branch)
