"""What cannot be worked with is refused before anything is touched; what is not ours is left alone."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest
from agentrelay_git_gh.preparer import WorktreeTaskPreparer
from agentrelay_git_gh.workspace import GitWorkspace

from agentrelay_core.hooks import RunInfo
from agentrelay_core.runtime import (
    AgentFailure,
    IntegrationBoundary,
    IntegrationError,
    Parked,
    TaskRuntime,
    TaskStatus,
    UserError,
)
from agentrelay_core.spec import RunSettings, Task, WorkstreamSpec

DEFAULT = WorkstreamSpec(id="default")


def workspace(repository: Path, tmp_path: Path, **settings: str) -> GitWorkspace:
    state = tmp_path / "state"
    state.mkdir(exist_ok=True)
    run = RunInfo(run_id="r", graph_name="g", repository=repository, state_dir=state, settings=RunSettings(**settings))
    return GitWorkspace(run)


def git(path, *arguments):
    subprocess.run(("git", *arguments), cwd=path, check=True, capture_output=True)


def test_no_repository(tmp_path):
    """A directory outside of any repository is named."""
    with pytest.raises(UserError, match="not a git repository"):
        workspace(tmp_path, tmp_path).preflight()


def test_a_bare_repository(tmp_path, user):
    """A bare repository has no checkout to work beside."""
    git(tmp_path, "clone", "-q", "--bare", str(user.path), "bare")
    with pytest.raises(UserError, match="bare repository; agentrelay works in a checkout"):
        workspace(tmp_path / "bare", tmp_path).preflight()


def test_a_repository_without_a_commit(tmp_path):
    """There is nothing to start from: the message says how to begin."""
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q")
    with pytest.raises(UserError, match="no commit yet; make a first one: git commit"):
        workspace(tmp_path / "empty", tmp_path).preflight()


@pytest.mark.fault("P7")
def test_a_shallow_clone(tmp_path, user):
    """A shallow clone lacks the history that merging needs."""
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{user.path}", "shallow")
    with pytest.raises(UserError, match="git fetch --unshallow"):
        workspace(tmp_path / "shallow", tmp_path).preflight()


@pytest.mark.fault("P7")
def test_refs_in_a_reftable(tmp_path, user):
    """Refs that are not files are refused, with the command that converts them."""
    (user.path / ".git" / "reftable").mkdir()
    with pytest.raises(UserError, match="git refs migrate --ref-format=files"):
        workspace(user.path, tmp_path).preflight()


@pytest.mark.fault("P7")
def test_a_partial_clone(tmp_path, user):
    """A partial clone would have to fetch what is missing."""
    user("config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{user.path}", "partial")
    with pytest.raises(UserError, match="is a partial clone"):
        workspace(tmp_path / "partial", tmp_path).preflight()


@pytest.mark.fault("P7")
def test_submodules(bench, user):
    """A submodule in the base is named."""
    user("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(user.path), "sub")
    user.commit("sub")
    with pytest.raises(UserError, match="sub is a submodule"):
        bench.workspace().open_workstream(DEFAULT)
    assert user("for-each-ref", "refs/heads/agentrelay") == ""


@pytest.mark.fault("P7")
def test_large_file_storage(bench, user):
    """Git LFS in the base is named by the file that asks for it."""
    (user.path / "data").mkdir()
    (user.path / "data" / ".gitattributes").write_text("*.bin filter=lfs diff=lfs\n")
    user.commit("lfs")
    with pytest.raises(UserError, match=r"data/\.gitattributes names files kept by Git LFS"):
        bench.workspace().open_workstream(DEFAULT)


def test_an_old_git(tmp_path, user, monkeypatch):
    """A git without merge-tree --write-tree is refused with both versions."""
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho git version 2.30.2\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(UserError, match=r"git 2\.30\.2 is too old; install git 2\.38"):
        workspace(user.path, tmp_path).preflight()


def test_no_git(tmp_path, user, monkeypatch):
    """A machine without git is told what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="git is not installed"):
        workspace(user.path, tmp_path).preflight()


def test_an_unknown_forge(tmp_path, user):
    """A forge that is not there is named, with those that are."""
    bench = workspace(user.path, tmp_path, forge="github")
    with pytest.raises(UserError, match="forge: github is not available in this version; what there is: auto, local"):
        bench.preflight()


def test_a_detached_head_is_a_base(bench, user):
    """With no branch checked out work starts at the commit; only integrating asks for a target."""
    user("checkout", "-q", "--detach", "main~1")
    branch, _ = bench.workspace().open_workstream(DEFAULT)
    assert user("rev-parse", branch) == user("rev-parse", "main~1")
    with pytest.raises(UserError, match="name the merge_target_branch"):
        asyncio.run(bench.workspace().integrate(DEFAULT))


def test_the_first_runs_branch_stays_the_default(bench, user):
    """What was checked out at the first run is the default of later ones, whatever is checked out then."""
    bench.workspace().preflight()
    user("checkout", "-q", "-b", "elsewhere", "main~1")
    branch, _ = bench.workspace().open_workstream(DEFAULT)
    assert user("rev-parse", branch) == user("rev-parse", "main")


def test_the_remotes_default_comes_first(bench, user):
    """`origin/HEAD` is what an integration branch is cut from, where there is one."""
    user("update-ref", "refs/remotes/origin/trunk", "main~1")
    user("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    branch, _ = bench.workspace().open_workstream(DEFAULT)
    assert user("rev-parse", branch) == user("rev-parse", "main~1")


def test_a_base_branch_that_is_not_there(bench):
    """A `base_branch` that names nothing is a user's error."""
    with pytest.raises(UserError, match="base_branch 'nope' is neither a branch nor a commit"):
        bench.workspace().open_workstream(WorkstreamSpec(id="default", base_branch="nope"))


@pytest.mark.fault("P2")
def test_a_users_branch_of_that_name_is_left_alone(bench, user):
    """A branch that we did not make is never used or moved: the task waits for a person."""
    user("branch", "agentrelay/g/t", "main~1")
    runtime = bench.runtime(Task(id="t"))
    with pytest.raises(Parked, match="the branch agentrelay/g/t is there already and is not ours"):
        bench.prepare(runtime)
    assert user("rev-parse", "agentrelay/g/t") == user("rev-parse", "main~1")


@pytest.mark.fault("P2")
def test_a_users_integration_branch_is_left_alone(bench, user):
    """The same holds for an integration branch."""
    user("branch", "agentrelay/g@default")
    with pytest.raises(Parked, match="agentrelay/g@default is there already and is not ours"):
        bench.workspace().open_workstream(DEFAULT)


@pytest.mark.fault("P2")
def test_a_users_directory_is_left_alone(bench, user):
    """A directory in a worktree's place is not ours to fill."""
    user.write(__agentrelay___worktrees___g___default___mine="1\n")
    with pytest.raises(Parked, match="is no worktree of ours"):
        bench.workspace().open_workstream(DEFAULT)


@pytest.mark.fault("P2")
async def test_attempts_and_runs_have_their_own_branches(bench, user):
    """A later attempt and a later run never take the branch of an earlier one."""
    names = []
    for run, attempt in ((bench.run_id, 0), (bench.run_id, 1), ("later", 0), ("later", 1)):
        bench.run_id = run
        runtime = bench.runtime(Task(id="t"), attempt)
        agent = bench.prepare(runtime)
        agent.write(**{f"f{len(names)}": "1\n"})
        agent.commit("x")
        runtime.state.transition(TaskStatus.FAILED)
        await bench.teardown(runtime)
        names.append(runtime.state.branch_name.removeprefix("agentrelay/g/"))
    assert names == ["t", "t@1", "t@later.0", "t@later.1"]
    assert len(user("branch", "--list", "agentrelay/g/*").splitlines()) == 4


@pytest.mark.fault("P2")
def test_opening_again_finds_what_is_there(bench, user):
    """A second process opens the same workstream: same branch, same worktree, no file touched."""
    first = bench.workspace().open_workstream(DEFAULT)
    (first[1] / "README.md").write_text("work\n")
    assert bench.workspace().open_workstream(DEFAULT) == first
    assert (first[1] / "README.md").read_text() == "work\n"


def test_a_worktree_that_was_removed_by_hand_is_made_anew(bench, user):
    """The directory is gone and git still knows it: it is made again."""
    _, path = bench.workspace().open_workstream(DEFAULT)
    subprocess.run(("rm", "-rf", str(path)), check=True)
    assert bench.workspace().open_workstream(DEFAULT)[1] == path
    assert type(user)(path)("status", "--porcelain") == ""


def test_the_exclude_file_keeps_what_it_holds(bench, user):
    """Our directories are hidden once; the user's own lines stay."""
    exclude = user.path / ".git" / "info" / "exclude"
    exclude.write_text("mine")
    bench.workspace().preflight()
    bench.workspace().preflight()
    assert exclude.read_text() == "mine\n/.agentrelay/worktrees/\n/.workflow/\n"


def test_prepare_names_the_missing_field(user):
    """By hand, without an opened workstream: the field that is missing is named."""
    runtime = TaskRuntime(Task(id="t"))
    with pytest.raises(ValueError, match="integration_branch"):
        WorktreeTaskPreparer(user.path, "g").prepare(runtime)
    runtime.state.integration_branch = "x"
    with pytest.raises(ValueError, match="workstream_worktree_path"):
        WorktreeTaskPreparer(user.path, "g").prepare(runtime)


def test_prepare_by_hand(bench, user, monkeypatch):
    """The two positional arguments suffice; the run gets an id of its own."""
    monkeypatch.setenv("AGENTRELAY_STATE_DIR", str(user.path.parent / "own"))
    runtime = bench.runtime(Task(id="t"))
    from agentrelay_core.orchestrator.places import state_directory

    bench.state.rename(user.path.parent / "moved")
    target = state_directory(user.path, "g")
    target.parent.mkdir(parents=True)
    (user.path.parent / "moved").rename(target)
    runtime.run_id = ""
    WorktreeTaskPreparer(user.path, "g").prepare(runtime)
    assert runtime.state.branch_name == "agentrelay/g/t"
    assert len(runtime.run_id) == len("20261123T090000Z-beef")


def test_a_failure_of_git_is_an_integration_error(bench, user):
    """A broken repository is reported at the workspace's boundary."""
    runtime = bench.runtime(Task(id="t"))
    (user.path / ".git" / "HEAD").rename(user.path / ".git" / "gone")
    with pytest.raises(IntegrationError) as caught:
        bench.prepare(runtime)
    assert caught.value.boundary is IntegrationBoundary.WORKSPACE


@pytest.mark.fault("A7")
def test_nothing_changed(bench):
    """An agent that changed nothing has not done its task, unless the task says so."""
    runtime = bench.runtime(Task(id="t"))
    bench.prepare(runtime)
    with pytest.raises(AgentFailure, match=r"the agent changed nothing.*allow_no_changes: true"):
        bench.workspace().publish(runtime)
    allowed = bench.runtime(Task(id="u", allow_no_changes=True))
    bench.prepare(allowed)
    assert bench.workspace().publish(allowed) is None
    evidence = bench.workspace().verify(allowed, None)
    assert not evidence.changed
    assert evidence.head == evidence.base


@pytest.mark.fault("A7", "P5")
def test_a_rewritten_task_branch_is_no_evidence(bench, user):
    """An agent that resets its branch behind the base has its work refused."""
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    agent("reset", "-q", "--hard", "HEAD~1")
    agent.write(a="1\n")
    agent.commit("on an older base")
    with pytest.raises(AgentFailure, match="the history of agentrelay/g/t was rewritten"):
        bench.workspace().publish(runtime)


@pytest.mark.fault("A7")
def test_a_deleted_task_branch_is_no_evidence(bench, user):
    """An agent that deletes its branch has its attempt failed."""
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    agent("checkout", "-q", "--detach")
    agent("branch", "-q", "-D", "agentrelay/g/t")
    with pytest.raises(AgentFailure, match="branch agentrelay/g/t is gone"):
        bench.workspace().publish(runtime)


def test_leftovers_without_a_name_are_agentrelays(bench, user):
    """A user without name and address gets leftovers committed under ours."""
    Path.home().joinpath(".gitconfig").unlink()
    runtime = bench.runtime(Task(id="t"))
    bench.prepare(runtime).write(a="1\n")
    bench.workspace().publish(runtime)
    assert user("log", "-1", "--format=%an <%ae>", "agentrelay/g/t") == "agentrelay <agentrelay@localhost>"


def test_the_users_own_ignores_hold(bench, user):
    """Files that the user ignores everywhere, or in this repository, are not committed."""
    (Path.home() / ".config" / "git").mkdir(parents=True)
    (Path.home() / ".config" / "git" / "ignore").write_text("*.swp\n")
    (user.path / ".git" / "info" / "exclude").write_text("private\n")
    runtime = bench.runtime(Task(id="t"))
    bench.prepare(runtime).write(a="1\n", b__swp="1\n", private="1\n")
    bench.workspace().publish(runtime)
    assert user("diff", "--name-only", "main", "agentrelay/g/t") == "a"
