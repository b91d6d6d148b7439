"""Whole runs through the command line, the real gh and the emulated GitHub; their ends are read on the server."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
from agentrelay_git_gh.failpoints import PLACES
from pytest_agentrelay.github import Fault

GRAPH = """\
name: {name}
forge: {forge}
pr: {pr}
merge_method: {method}
agents:
  script: {{framework: command, command: {command}, pass_env: [{passed}]}}
defaults: {{agent: script}}
workstreams: {workstreams}
tasks: {tasks}
"""
LANE = "{auto_merge: true, base_branch: main, merge_target_branch: main}"
DIAMOND = f"{{start: {LANE}, left: {LANE}, right: {LANE}, end: {LANE}}}"
FOUR_TASKS = """
  a: {description: Write a., workstream_id: start}
  b: {description: Write b., workstream_id: left, dependencies: [a]}
  c: {description: Write c., workstream_id: right, dependencies: [a]}
  d: {description: Write d., workstream_id: end, dependencies: [b, c]}
"""
ONE_LANE = f"{{default: {LANE}}}"
ONE_TASK = "{one: {description: Write one.}}"
ONE_GATED = "{{one: {{description: Write one., completion_gate: '{gate}'}}}}"
WRITE = "echo $AGENTRELAY_TASK_ID > $AGENTRELAY_TASK_ID.txt"


def graph(name, *, forge="github", pr="auto", method="merge", command=WRITE, passed="", lanes=ONE_LANE, tasks=ONE_TASK):
    quoted = "'" + command.replace("'", "''") + "'"
    return GRAPH.format(
        name=name,
        forge=forge,
        pr=pr,
        method=method,
        command=quoted,
        passed=passed,
        workstreams=lanes,
        tasks=tasks,
    )


@attrs.frozen(kw_only=True)
class Project:
    """A user's clone of a repository on GitHub, with another branch checked out than the target."""

    user: object
    hosted: object
    github: object
    gh: object

    def run(self, graph, *, at=None, expect=0):
        """Run a graph with ``agentrelay run``, in another clone if ``at`` is given; what it printed."""
        path = at or self.user.path
        (path / "agentrelay.yaml").write_text(graph)
        argv = (sys.executable, "-m", "agentrelay_core.cli", "run")
        done = subprocess.run(argv, cwd=path, capture_output=True, text=True, check=False, timeout=240)
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def changes(self, before, file):
        """How many commits, merges aside, of the server's target brought a file."""
        return len(self.hosted.git("log", "--format=%H", "--no-merges", f"{before}..main", "--", file).split())


@pytest.fixture
def project(emulated_github, gh, user, tmp_path, monkeypatch):
    emulated_github.add_repository("acme", "widget", from_=user.path)
    for name, value in emulated_github.environment("file").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AGENTRELAY_STATE_DIR", str(tmp_path / "states"))
    user("remote", "add", "origin", emulated_github.remote_url("acme", "widget"))
    user("checkout", "-q", "-b", "mine")
    return Project(user=user, hosted=emulated_github.repository("acme/widget"), github=emulated_github, gh=gh)


@pytest.fixture
def new_only(request):
    """For what does not depend on gh's version."""
    if request.node.callspec.params["gh"] == "old":
        pytest.skip("the same as with the new gh")


@pytest.mark.slow
def test_diamond_over_four_workstreams_comes_to_its_end(project):
    """Each task's change is on the server's target exactly once, by one merge each and one for each workstream."""
    before, main = project.hosted.tip("main"), project.user("rev-parse", "main")
    project.run(graph("diamond", lanes=DIAMOND, tasks=FOUR_TASKS))
    assert [pull.state for pull in project.hosted.pulls] == ["merged"] * 8
    merged = project.github.happened("merged")
    assert len({effect.number for effect in merged}) == len(merged) == 8
    target = project.hosted.git("rev-list", "--first-parent", f"{before}..main").split()
    assert {effect.sha for effect in merged if effect.branch == "main" or effect.sha in target} == set(target)
    subjects = project.hosted.git("log", "--format=%s", "--first-parent", f"{before}..main").splitlines()
    assert sorted(subjects) == ["diamond: end", "diamond: left", "diamond: right", "diamond: start"]
    assert [project.changes(before, f"{task}.txt") for task in "abcd"] == [1, 1, 1, 1]
    assert project.user("rev-parse", "main") == main
    assert project.user("symbolic-ref", "--short", "HEAD") == "mine"
    for lane in ("start", "left", "right", "end"):
        branch = f"agentrelay/diamond@{lane}"
        assert project.user("rev-parse", branch) == project.hosted.tip(branch)


@pytest.mark.slow
def test_local_forge_ends_in_the_same_tree(project, new_only, tmp_path):
    """The same graph, with pull requests on GitHub and with local ones, makes the same files."""
    clone = tmp_path / "clone"
    subprocess.run(("git", "clone", "-q", str(project.user.path), str(clone)), check=True)
    subprocess.run(("git", "branch", "-q", "main", "origin/main"), cwd=clone, check=True)
    asked = len(project.github.requests)
    project.run(graph("diamond", forge="local", lanes=DIAMOND, tasks=FOUR_TASKS), at=clone)
    assert len(project.github.requests) == asked
    project.run(graph("diamond", lanes=DIAMOND, tasks=FOUR_TASKS))
    local = subprocess.check_output(("git", "rev-parse", "main^{tree}"), cwd=clone, text=True).strip()
    assert project.hosted.git("rev-parse", "main^{tree}").strip() == local


@pytest.mark.slow
def test_no_token_reaches_an_agent_or_what_is_written_down(project, new_only, tmp_path, monkeypatch):
    """With a token in our own environment the agent has none, and no command line, log or record holds it."""
    for name, value in project.github.environment("token").items():
        monkeypatch.setenv(name, value)
    token = project.github.token
    assert os.environ["GH_TOKEN"] == token
    project.user("remote", "set-url", "origin", f"http://octocat:{token}@github.localhost/acme/widget.git")
    argv, real = tmp_path / "argv", shlex.quote(subprocess.check_output(("which", "git"), text=True).strip())
    git = tmp_path / "bin" / "git"
    git.write_text(f"#!/bin/sh\n{{ tr '\\0' ' ' </proc/$$/cmdline; echo; }} >>{argv}\nexec {real} \"$@\"\n")
    git.chmod(0o755)
    printed = project.run(
        graph("quiet", pr="orchestrator", command=f"{WRITE}; env; env > seen.txt; cat /proc/*/cmdline || true")
    )
    assert [pull.state for pull in project.hosted.pulls] == ["merged", "merged"]
    seen = project.hosted.git("show", "main:seen.txt")
    assert "AGENTRELAY_TASK_ID=one" in seen
    assert token not in seen
    assert not [line for line in seen.splitlines() if line.startswith(("GH_", "GITHUB_", "GIT_CONFIG"))]
    assert token not in printed
    assert " push " in argv.read_text()
    assert token not in argv.read_text()
    assert "pulls/1/merge" in "".join(project.gh.command_lines)
    assert token not in "".join(project.gh.command_lines)
    places = (tmp_path / "states", project.user.path / ".workflow", project.user.path / ".agentrelay")
    written = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert any(path.name == "forge.json" for path in written)
    assert [path for path in written if token.encode() in path.read_bytes()] == []


OPENS_ITSELF = """\
echo work > work.txt && git add -A && git commit -qm 'Do it' && branch=$(git branch --show-current) &&
git push -q origin HEAD &&
gh pr create --head $branch --base agentrelay/own@default --title 'Mine' --body 'By me' > url &&
printf '%s\\n%s\\n' now "$(tail -1 url)" > signal && rm url && mv signal $AGENTRELAY_SIGNAL_DIR/.done
""".replace("\n", " ")
PASSED = "GH_HOST, GH_CONFIG_DIR, HTTP_PROXY, http_proxy, GIT_CONFIG_COUNT, GIT_CONFIG_KEY_0, GIT_CONFIG_VALUE_0"


@pytest.mark.slow
def test_what_an_agent_pushed_and_opened_itself_is_merged(project):
    """An agent's own pull request is the one that is merged; there is no second one."""
    before = project.hosted.tip("main")
    project.run(graph("own", command=OPENS_ITSELF, passed=PASSED))
    assert [(pull.title, pull.state) for pull in project.hosted.pulls] == [
        ("Mine", "merged"),
        ("own: default", "merged"),
    ]
    assert project.changes(before, "work.txt") == 1


@pytest.mark.slow
@pytest.mark.parametrize("method", ["squash", "rebase"])
def test_other_merge_methods_come_to_their_end(project, new_only, method):
    """Squashed or rebased, a task's change is on the target once, and the local integration branch is the server's."""
    before = project.hosted.tip("main")
    project.run(graph("other", method=method))
    assert {effect.method for effect in project.github.happened("merged")} == {method}
    assert project.changes(before, "one.txt") == 1
    branch = "agentrelay/other@default"
    assert project.user("rev-parse", branch) == project.hosted.tip(branch)


def test_forge_without_a_login_is_refused_by_name(project, new_only, tmp_path, monkeypatch):
    """Without a login `forge: github` is refused before anything is touched, with what to type."""
    for name in ("GH_CONFIG_DIR", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    printed = project.run(graph("none"), expect=5)
    assert "gh auth login --hostname github.localhost" in printed
    assert project.user("branch", "--list", "agentrelay/*") == ""
    assert Path(tmp_path / "states").is_dir()


MOMENTS = {
    "the lane's branch was pushed": ("git POST .*git-receive-pack", 0),
    "the task's branch was pushed": ("git POST .*git-receive-pack", 1),
    "the task's pull request was opened": ("^POST .*/pulls$", 0),
    "the task was merged": ("^PUT .*/merge$", 0),
    "the lane's pull request was opened": ("^POST .*/pulls$", 1),
    "the lane was merged": ("^PUT .*/merge$", 1),
}


@pytest.mark.slow
@pytest.mark.fault("G14")
@pytest.mark.parametrize("moment", MOMENTS)
def test_run_that_is_killed_between_a_deed_and_its_record_goes_on(project, new_only, moment):
    """Killed right after GitHub did something, the next session finds it: one pull request and one merge each."""
    before = project.hosted.tip("main")
    match, skip = MOMENTS[moment]
    started = []
    kill = project.github.script(Fault(match=match, skip=skip, after=lambda: started[0].kill()))
    text = graph("killed")
    (project.user.path / "agentrelay.yaml").write_text(text)
    argv = (sys.executable, "-m", "agentrelay_core.cli", "run")
    with subprocess.Popen(argv, cwd=project.user.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        started.append(process)
        assert process.wait(120) == -signal.SIGKILL
    assert kill.met == 1
    project.run(text)
    assert [pull.state for pull in project.hosted.pulls] == ["merged", "merged"]
    assert len(project.github.happened("opened")) == len(project.github.happened("merged")) == 2
    assert project.changes(before, "one.txt") == 1
    assert project.user("rev-parse", "agentrelay/killed@default") == project.hosted.tip("agentrelay/killed@default")


# In the order in which a run passes them, each session going on from the last one's end: the task's, then its lane's.
PLACES_OF_TASK = ("pushed", "push-noted", "opened", "merge-asked", "merged", "fetched", "ref-moved", "merge-noted")
PLACES_OF_LANE = ("opening-noted", "merge-asked", "merged")


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.fault("G14")
def test_run_that_is_killed_at_every_place_in_turn_goes_on(project, new_only):
    """Killed eleven times, between a deed and its record each time, a run opens and merges each pull request once."""
    assert set(PLACES_OF_TASK + PLACES_OF_LANE) == set(PLACES)
    text = graph("often")
    before, argv = project.hosted.tip("main"), (sys.executable, "-m", "agentrelay_core.cli", "run")
    (project.user.path / "agentrelay.yaml").write_text(text)
    for place in PLACES_OF_TASK + PLACES_OF_LANE:
        armed = os.environ | {"AGENTRELAY_FAILPOINTS": f"agentrelay-git-gh/{place}=kill"}
        done = subprocess.run(
            argv, cwd=project.user.path, env=armed, capture_output=True, text=True, check=False, timeout=240
        )
        assert done.returncode == -signal.SIGKILL, f"{place}: {done.stdout}{done.stderr}"
    project.run(text)
    assert [pull.state for pull in project.hosted.pulls] == ["merged", "merged"]
    assert len(project.github.happened("opened")) == len(project.github.happened("merged")) == 2
    assert project.changes(before, "one.txt") == 1
    assert [path.name for path in project.user.path.glob(".workflow/often/signals/one/*/.merged")] == [".merged"]
    tree = project.user("rev-parse", "agentrelay/often@default^{tree}")
    assert tree == project.hosted.git("rev-parse", "main^{tree}").strip()
    assert project.user("rev-parse", "agentrelay/often@default") == project.hosted.tip("agentrelay/often@default")


@pytest.mark.slow
@pytest.mark.fault("G13")
@pytest.mark.parametrize("pushes", [1, 4])
def test_what_is_pushed_after_the_gate_has_passed_goes_through_the_gate(project, new_only, tmp_path, pushes):
    """A push between the gate and the merge is verified before it is merged; after the fourth, a person is asked."""
    before, gates, branch = project.hosted.tip("main"), tmp_path / "gates", "agentrelay/moved/one"
    names = [f"theirs-{number}.txt" for number in range(pushes)]
    for number, name in enumerate(names):
        push = lambda name=name: project.hosted.push(branch, {name: name}, actor="uma")  # noqa: E731
        project.github.script(Fault(match="^PUT .*/merge$", skip=number, before=push))
    text = graph("moved", tasks=ONE_GATED.format(gate=f"echo $(ls) >> {gates}; test -e one.txt"))
    if pushes == 4:
        assert "type `agentrelay run` to have it verified" in project.run(text, expect=4)
        assert project.github.happened("merged") == []
    project.run(text)
    assert len(gates.read_text().splitlines()) == pushes + 1
    assert all(name in gates.read_text().splitlines()[-1] for name in names)
    assert [pull.state for pull in project.hosted.pulls] == ["merged", "merged"]
    assert [project.changes(before, name) for name in ("one.txt", *names)] == [1] * (pushes + 1)


@pytest.mark.slow
def test_what_a_failed_attempt_left_open_is_closed_by_the_next(project, new_only):
    """A red check begins another attempt, and its pull request takes the other one's place; both branches stay."""
    names, lane = ("agentrelay/again/one", "agentrelay/again/one@1"), "agentrelay/again@default"
    for number, (branch, ended) in enumerate(((names[0], "failure"), (names[1], "success"), (lane, "success"))):
        judge = lambda branch=branch, ended=ended: project.hosted.set_check(project.hosted.tip(branch), "build", ended)  # noqa: E731
        project.github.script(Fault(match="^POST .*/pulls$", skip=number, after=judge))
    text = graph(
        "again", tasks="{one: {description: Write one., retry: {maximum_attempts: 2, initial_interval: 0.01}}}"
    )
    project.run(text.replace("merge_method:", "checks: [build]\nmerge_method:"))
    first, second, _ = project.hosted.pulls
    assert [pull.state for pull in project.hosted.pulls] == ["closed", "merged", "merged"]
    assert (first.head, second.head) == names
    assert [said.body for said in first.comments] == [
        f"Another attempt took its place: http://github.localhost/acme/widget/pull/2. The branch `{names[0]}` is left "
        "as it is."
    ]
    assert project.hosted.tip(names[0])
