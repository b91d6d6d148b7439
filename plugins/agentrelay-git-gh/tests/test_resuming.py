"""Going on after a killed session: what is there is found, what is half there is made again, and agents are let be."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import agentrelay_git_gh
import attrs
import pytest
from agentrelay_git_gh.attempts import attempt_of_task
from agentrelay_git_gh.forges.local_merger import LocalTaskMerger
from agentrelay_git_gh.git import replacing
from agentrelay_git_gh.git.trusted import Git
from agentrelay_git_gh.names import base_ref, head_ref, rescue_ref
from agentrelay_git_gh.preparer import WorktreeTaskPreparer
from agentrelay_git_gh.worktrees.worktree import Worktree

from agentrelay_core.hooks import StepContext
from agentrelay_core.runtime import TaskRuntime, TaskStatus, Transient
from agentrelay_core.spec import Task, WorkstreamSpec

TASK = Task(id="t", description="Do it")


def preparer(bench) -> WorktreeTaskPreparer:
    return WorktreeTaskPreparer(bench.user.path, bench.graph, run_id=bench.run_id, state_dir=bench.state)


def merger(bench) -> LocalTaskMerger:
    return LocalTaskMerger(bench.user.path, bench.graph, run_id=bench.run_id, state_dir=bench.state)


def again(bench, task: Task = TASK) -> TaskRuntime:
    """The task as a later session has it."""
    runtime = bench.runtime(task)
    runtime.resumed = True
    return runtime


def files(path: Path) -> dict[str, tuple[bytes, int]]:
    """All files below a directory, with their times."""
    return {str(file): (file.read_bytes(), file.stat().st_mtime_ns) for file in path.rglob("*") if file.is_file()}


@pytest.fixture
def calls(monkeypatch):
    """The git commands that are run from now on."""
    seen = []
    run = Git.run

    def recording(self, *arguments, **more):
        seen.append(arguments[0])
        return run(self, *arguments, **more)

    monkeypatch.setattr(Git, "run", recording)
    return seen


def test_a_fresh_attempt_costs_nothing(bench, calls):
    """For an attempt that no earlier session can have begun, both steps answer without looking."""
    runtime = bench.runtime(TASK)
    calls.clear()
    assert preparer(bench).reconcile(runtime) == "absent"
    assert merger(bench).reconcile(runtime) == "absent"
    assert calls == []


def test_a_prepared_attempt_is_found(bench, user):
    """Branch, paths and nonce are set as prepare set them, and no file of the agent's is touched."""
    first = bench.runtime(TASK)
    agent = bench.prepare(first)
    agent.write(mine="1\n")
    agent.commit("mine")
    agent.write(README__md="being written\n", untracked="u\n")
    second = again(bench)
    before = files(user.path / ".agentrelay") | files(first.state.signal_dir)
    assert preparer(bench).reconcile(second) == "present"
    assert files(user.path / ".agentrelay") | files(first.state.signal_dir) == before
    for field in ("branch_name", "worktree_path", "signal_dir"):
        assert getattr(second.state, field) == getattr(first.state, field)
    assert second.artifacts.signal_nonce == first.artifacts.signal_nonce
    assert bench.workspace().publish(second) is not None


@pytest.mark.fault("A14")
def test_the_nonce_is_ours(bench):
    """What an agent made of its manifest is not believed."""
    first = bench.runtime(TASK)
    bench.prepare(first)
    (first.state.signal_dir / "manifest.json").write_text(json.dumps({"nonce": "forged"}))
    second = again(bench)
    assert preparer(bench).reconcile(second) == "present"
    assert second.artifacts.signal_nonce == first.artifacts.signal_nonce


@pytest.mark.parametrize("command", ["switch -q -c mine", "checkout -q --detach"])
def test_an_agent_elsewhere_is_let_be(bench, command):
    """An agent that has checked out something else, with changes, is not disturbed."""
    agent = bench.prepare(bench.runtime(TASK))
    agent(*command.split())
    agent.write(changed="1\n")
    before = files(agent.path)
    assert preparer(bench).reconcile(again(bench)) == "present"
    assert files(agent.path) == before


@pytest.mark.fault("P2")
def test_half_an_attempt_is_prepared_again(bench, user):
    """A branch without a signal directory is no prepared attempt; preparing again takes that branch."""
    runtime = again(bench)
    repository = bench.workspace()._ready()
    main = user("rev-parse", "main")
    repository.set_ours({base_ref(bench.run_id, "agentrelay/g/t"): main})
    assert preparer(bench).reconcile(runtime) == "absent"
    repository.move(head_ref("agentrelay/g/t"), main, None)
    assert preparer(bench).reconcile(runtime) == "absent"
    agent = bench.prepare(runtime)
    assert runtime.state.branch_name == "agentrelay/g/t"
    assert agent("status", "--porcelain", "--branch") == "## agentrelay/g/t"


@pytest.mark.fault("P1", "P2")
def test_files_that_were_put_in_place_are_no_leftovers(bench, user):
    """Killed after the files were changed and before the branch was checked out, nothing is rescued."""
    bench.runtime(TASK)
    user.write(README__md="newer\n")
    newer = user.commit("newer")
    repository = bench.workspace()._ready()
    worktree = Worktree(repository=repository, path=user.path / ".agentrelay/worktrees/g/default")
    user("update-ref", "refs/heads/agentrelay/g@default", newer)
    runtime = again(bench)
    attempt = attempt_of_task(preparer(bench)._places, runtime)
    preparer(bench)._branch(attempt, runtime.state.integration_branch)
    with worktree.index_at(worktree.head()) as git:
        git.run("read-tree", "-u", "--reset", newer)
    agent = bench.prepare(runtime)
    assert agent("status", "--porcelain", "--branch") == "## agentrelay/g/t"
    assert (agent.path / "README.md").read_text() == "newer\n"
    assert user("for-each-ref", "refs/agentrelay/rescue") == ""


def test_a_worktree_that_was_made_anew_is_checked_out(bench):
    """The worktree was removed meanwhile: the branch is checked out again, with the same nonce."""
    first = bench.runtime(TASK)
    agent = bench.prepare(first)
    agent.write(mine="1\n")
    tip = agent.commit("mine")
    subprocess.run(("rm", "-r", str(agent.path)), check=True)
    second = again(bench)
    assert preparer(bench).reconcile(second) == "absent"
    agent = bench.prepare(second)
    assert agent("rev-parse", "HEAD") == tip
    assert agent("status", "--porcelain", "--branch") == "## agentrelay/g/t"
    assert second.artifacts.signal_nonce == first.artifacts.signal_nonce


def test_another_tasks_worktree_is_prepared(bench):
    """Where another task's branch is checked out, preparing is due, and keeps what is there first."""
    bench.prepare(bench.runtime(TASK))
    agent = bench.prepare(bench.runtime(Task(id="other")))
    agent.write(others="1\n")
    second = again(bench)
    assert preparer(bench).reconcile(second) == "absent"
    bench.prepare(second)
    assert agent("show", f"{rescue_ref(bench.run_id, 'other', 0)}:others") == "1"


@pytest.mark.fault("P1")
def test_a_worktree_without_files_is_made_again(bench, user):
    """A process that was killed between making the worktree and filling it leaves nothing in the way."""
    workspace = bench.workspace()
    repository = workspace._ready()
    worktree = Worktree(repository=repository, path=user.path / ".agentrelay/worktrees/g/default")
    worktree.add(user("rev-parse", "main"))
    (worktree.required_admin() / "locked").write_text("initializing\n")
    workspace.open_workstream(WorkstreamSpec(id="default"))
    assert (worktree.path / "README.md").read_text() == "hello\n"
    assert not (worktree.required_admin() / "locked").exists()
    assert user("worktree", "list").count("\n") == 1


@pytest.fixture
def verified(bench):
    """A task whose work was verified and not merged."""
    runtime = bench.runtime(TASK)
    bench.prepare(runtime).write(a="1\n")
    workspace = bench.workspace()
    runtime.artifacts.pr_url = workspace.publish(runtime)
    workspace.verify(runtime, runtime.artifacts.pr_url)
    runtime.resumed = True
    return runtime


@pytest.mark.fault("G9")
def test_a_merge_is_found(bench, user, verified):
    """A merge that is in the integration branch is not made again, and `.merged` is written where it is missing."""
    assert merger(bench).reconcile(verified) == "absent"
    bench.merge(verified, verified.artifacts.pr_url)
    tip = user("rev-parse", "agentrelay/g@default")
    directory, verified.state.signal_dir = verified.state.signal_dir, None  # as a run has it that goes on
    (directory / ".merged").unlink()
    assert merger(bench).reconcile(verified) == "present"
    assert (directory / ".merged").is_file()
    verified.state.signal_dir = directory
    bench.merge(verified, verified.artifacts.pr_url)
    assert user("rev-parse", "agentrelay/g@default") == tip


def test_a_merge_that_was_undone_is_absent(bench, user, verified):
    """A record alone is no evidence: where the target does not hold the merge, it is made again, with the same hash."""
    bench.merge(verified, verified.artifacts.pr_url)
    tip = user("rev-parse", "agentrelay/g@default")
    user("update-ref", "refs/heads/agentrelay/g@default", f"{tip}^1")
    assert merger(bench).reconcile(verified) == "absent"
    bench.merge(verified, verified.artifacts.pr_url)
    assert user("rev-parse", "agentrelay/g@default") == tip


def test_another_head_is_absent(bench, verified):
    """What was merged is not what was verified last: the merge is not taken for this one's."""
    bench.merge(verified, verified.artifacts.pr_url)
    verified.state.attempt_num = 1
    assert merger(bench).reconcile(verified) == "absent"


def test_publishing_again_opens_nothing_new(bench, user, verified):
    """A pull request that was opened just before the end of the process is found, also when its text has changed."""
    ours = bench.state / "repository.git" / "pull-requests" / "g" / "1.json"
    ours.unlink()
    verified.artifacts.concerns.append("one more")
    assert bench.workspace().publish(verified) == verified.artifacts.pr_url
    assert user("for-each-ref", "--format=%(refname)", "refs/agentrelay/pr") == "refs/agentrelay/pr/1"


@pytest.mark.fault("D1")
async def test_a_rescue_that_was_not_shown_is_shown(bench, user):
    """Kept in our repository and not yet in the user's when the process was killed: both have it in the end."""
    runtime = bench.runtime(TASK)
    agent = bench.prepare(runtime)
    agent.write(one="1\n")
    runtime.state.transition(TaskStatus.FAILED)
    await bench.teardown(runtime)
    ref = rescue_ref(bench.run_id, "t", 0)
    user("update-ref", "-d", ref)
    agent.write(two="2\n")
    agent("symbolic-ref", "HEAD", "refs/heads/agentrelay/g/t")
    user("update-ref", "refs/heads/agentrelay/g/t", "main")
    await bench.teardown(runtime)
    names = user("log", "-m", "--format=", "--name-only", ref).split()
    assert {"one", "two"} <= set(names)


@pytest.fixture
def admin(bench, user):
    """The record of a prepared task's worktree."""
    agent = bench.prepare(bench.runtime(TASK))
    return Path(agent("rev-parse", "--absolute-git-dir"))


@pytest.mark.fault("P3")
def test_our_own_stale_lock_goes(bench, admin):
    """A lock that a killed process of ours left is told by its second name, and removed."""
    for name in ("HEAD", "index"):
        aside = admin / f"agentrelay-{name}"
        aside.write_text("half\n")
        os.link(aside, admin / f"{name}.lock")
    head = (admin / "HEAD").read_text()
    replacing.replace_file(admin, "HEAD", b"ref: refs/heads/other\n")
    assert (admin / "HEAD").read_text() == "ref: refs/heads/other\n"
    (admin / "HEAD").write_text(head)
    bench.workspace().open_workstream(WorkstreamSpec(id="default"))
    assert sorted(path.name for path in admin.glob("*.lock")) == []
    assert sorted(admin.glob("agentrelay-*")) == []


@pytest.mark.fault("P3")
def test_somebodys_lock_stays(admin, monkeypatch):
    """A lock that is not ours is waited for, named, and never removed."""
    monkeypatch.setattr(replacing, "_PATIENCE", 0.1)
    (admin / "index.lock").write_text("")
    with pytest.raises(Transient, match=r"index\.lock"):
        replacing.replace_file(admin, "index", b"")
    assert (admin / "index.lock").exists()
    assert sorted(admin.glob("agentrelay-*")) == []


@pytest.mark.fault("P3")
def test_locks_in_our_repository_go(bench, user):
    """What git left locked in our repository when the machine stopped does not stop the next session."""
    bench.prepare(bench.runtime(TASK)).write(a="1\n")
    ours = bench.state / "repository.git"
    for name in ("HEAD.lock", "packed-refs.lock", "refs/heads/agentrelay/g/t.lock"):
        (ours / name).parent.mkdir(parents=True, exist_ok=True)
        (ours / name).write_text("")
    runtime = again(bench)
    assert preparer(bench).reconcile(runtime) == "present"
    assert bench.workspace().publish(runtime) is not None
    assert not list(ours.rglob("*.lock"))


@pytest.mark.fault("O4")
async def test_helpers_inherit_the_runs_lock(bench, tmp_path, monkeypatch):
    """Every git process of a whole life has the descriptors that the run says, so that its lock outlives us in them."""
    reading, writing = os.pipe()
    log = tmp_path / "seen"
    real = shutil.which("git")
    shim = tmp_path / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text(
        f'#!/bin/sh\n[ -e /proc/self/fd/{writing} ] && echo yes >> {log} || echo "no $*" >> {log}\nexec {real} "$@"\n'
    )
    shim.chmod(0o755)
    run = attrs.evolve(bench.run, helper_fds=(writing,))
    context = StepContext(runtime=bench.runtime(TASK), run=run)
    monkeypatch.setenv("PATH", f"{shim.parent}{os.pathsep}{os.environ['PATH']}")
    runtime, workspace = context.runtime, agentrelay_git_gh._workspace(run)
    workspace.open_workstream(WorkstreamSpec(id="default"))
    agentrelay_git_gh._preparer(context).prepare(runtime)
    (runtime.state.worktree_path / "a").write_text("1\n")
    url = workspace.publish(runtime)
    workspace.verify(runtime, url)
    agentrelay_git_gh._merger(context).merge_pr(runtime, url)
    await agentrelay_git_gh._teardown(context).teardown(runtime)
    workspace.close_workstream(WorkstreamSpec(id="default"))
    os.close(reading)
    os.close(writing)
    lines = log.read_text().splitlines()
    assert len(lines) > 12
    assert set(lines) == {"yes"}


def test_index_that_was_half_made_in_a_directory_is_no_obstacle(bench):
    """What a killed session left aside, a file or a directory of files, is gone when the lane is opened again."""
    _, path = bench.workspace().open_workstream(WorkstreamSpec(id="default"))
    (indexes,) = bench.state.glob("repository.git/worktrees/g/default")
    (indexes / "aside-file").touch()
    (indexes / "aside-directory").mkdir()
    (indexes / "aside-directory" / "index").touch()
    assert bench.workspace().open_workstream(WorkstreamSpec(id="default"))[1] == path
    assert list(indexes.glob("aside-*")) == []
