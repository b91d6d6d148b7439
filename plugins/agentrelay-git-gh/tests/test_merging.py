"""Merges: conflicts, replays, many at once, and targets that are not ours to move."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from agentrelay_git_gh.forges.local_forge import LocalForge
from agentrelay_git_gh.git.merging import MergeConflict, MergeMessage, merge_commit
from agentrelay_git_gh.git.transfer import bring
from agentrelay_git_gh.places import Places

from agentrelay_core.runtime import AgentFailure, IntegrationFailureClass, Parked, ProtocolViolation, TaskStatus
from agentrelay_core.spec import Task, WorkstreamSpec

DEFAULT = WorkstreamSpec(id="default")


def published(bench, task, **files):
    """A task whose agent has left files, published and verified."""
    runtime = bench.runtime(task)
    bench.prepare(runtime).write(**files)
    workspace = bench.workspace()
    url = workspace.publish(runtime)
    workspace.verify(runtime, url)
    return runtime, url


def repository(bench):
    return Places(bench.user.path, bench.graph, bench.run_id, bench.state).repository(bench.graph)


@pytest.mark.fault("G7")
async def test_a_conflict_names_the_files_and_moves_nothing(bench, user):
    """Two workstreams that change one line: the second cannot be merged into the first, and all branches stay."""
    await bench.whole_life(Task(id="a", workstream_id="x"), lambda agent: agent.write(README__md="x\n"))
    await bench.whole_life(Task(id="b", workstream_id="y"), lambda agent: agent.write(README__md="y\n"))
    before = user("for-each-ref")
    with pytest.raises(MergeConflict, match=r"'y' cannot be merged into 'x'.* in README\.md") as caught:
        bench.workspace().update_workstream(WorkstreamSpec(id="x"), [WorkstreamSpec(id="y")])
    assert caught.value.files == ("README.md",)
    assert caught.value.failure_class is IntegrationFailureClass.EXPECTED_TASK_FAILURE
    assert user("for-each-ref") == before


@pytest.mark.fault("G7")
def test_a_conflicting_task_fails_by_name(bench, user):
    """A task whose base moved on under it conflicts with its own integration branch; odd file names are whole."""
    odd = 'ä "q"\tb'
    runtime = bench.runtime(Task(id="t"))
    agent = bench.prepare(runtime)
    (agent.path / odd).write_text("mine\n")
    workspace = bench.workspace()
    url = workspace.publish(runtime)
    workspace.verify(runtime, url)
    user("worktree", "add", "-q", str(user.path.parent / "other"), "agentrelay/g@default")
    other = type(user)(user.path.parent / "other")
    (other.path / odd).write_text("theirs\n")
    theirs = other.commit("theirs")
    user("worktree", "remove", "--force", str(other.path))
    with pytest.raises(AgentFailure) as caught:
        bench.merge(runtime, url)
    assert caught.value.files == (odd,)
    assert user("rev-parse", "agentrelay/g@default") == theirs


@pytest.mark.fault("G9")
def test_a_replay_gives_the_same_commit(bench, user):
    """A merge that is undone by hand and made again has the same hash; made twice, nothing is repeated."""
    runtime, url = published(bench, Task(id="t"), a="1\n")
    before = user("rev-parse", "agentrelay/g@default")
    bench.merge(runtime, url)
    merged = user("rev-parse", "agentrelay/g@default")
    bench.merge(runtime, url)
    assert user("rev-parse", "agentrelay/g@default") == merged
    user("update-ref", "refs/heads/agentrelay/g@default", before)
    head = user("rev-parse", "agentrelay/g/t")
    message = MergeMessage(
        subject="t: t", trailers={"Agentrelay-Run": bench.run_id, "Agentrelay-Task": "t", "Agentrelay-Attempt": 0}
    )
    again = merge_commit(repository(bench), "agentrelay/g@default", head, message)
    assert again == merged
    assert merge_commit(repository(bench), "agentrelay/g@default", head, message) == merged


@pytest.mark.fault("G9", "O3")
def test_a_merge_found_after_a_crash_completes_the_record(bench, user):
    """The branch was merged and the record not written: merging again finds the merge commit."""
    runtime, url = published(bench, Task(id="t"), a="1\n")
    head = user("rev-parse", "agentrelay/g/t")
    merged = merge_commit(repository(bench), "agentrelay/g@default", head, MergeMessage(subject="x"))
    bench.merge(runtime, url)
    assert user("rev-parse", "agentrelay/g@default") == merged
    assert LocalForge(repository(bench), "g").state(url).merge_sha == merged


def test_the_verified_head_is_what_is_merged(bench, user):
    """A commit made after verification is not merged with the rest."""
    runtime, url = published(bench, Task(id="t"), a="1\n")
    agent = type(user)(runtime.state.worktree_path)
    agent.write(late="1\n")
    agent.commit("late")
    bench.merge(runtime, url)
    assert user("ls-tree", "--name-only", "agentrelay/g@default", "a", "late") == "a"


def test_a_foreign_pull_request_is_a_violation(bench):
    """Another task's pull request, another graph's and a made-up one are refused by verify and by the merger."""
    _, first_url = published(bench, Task(id="one"), a="1\n")
    second, second_url = published(bench, Task(id="two"), b="1\n")
    assert first_url != second_url
    for url in (first_url, "agentrelay+local:h/2", "agentrelay+local:g/99", "https://github.com/o/r/pull/1"):
        with pytest.raises(ProtocolViolation, match="is not the pull request of agentrelay/g/two"):
            bench.workspace().verify(second, url)
        with pytest.raises(ProtocolViolation):
            bench.merge(second, url)


@pytest.mark.fault("P4")
def test_forty_tasks_in_parallel_all_land(bench, user):
    """Forty tasks in forty workstreams at once: every one is merged, and nothing is broken."""
    workspace = bench.workspace()

    def life(number):
        task = Task(id=f"t{number}", workstream_id=f"w{number}")
        runtime = bench.runtime(task, workspace=workspace)
        bench.prepare(runtime).write(**{f"f{number}": "1\n"})
        url = workspace.publish(runtime)
        workspace.verify(runtime, url)
        bench.merge(runtime, url)
        runtime.state.transition(TaskStatus.PR_CREATED)
        runtime.state.transition(TaskStatus.PR_MERGED)
        asyncio.run(bench.teardown(runtime))
        workspace.close_workstream(WorkstreamSpec(id=f"w{number}"))
        return url

    with ThreadPoolExecutor(8) as pool:
        urls = list(pool.map(life, range(40)))
    assert len(set(urls)) == 40
    for number in range(40):
        assert user("show", f"agentrelay/g@w{number}:f{number}") == "1"
    assert user("fsck", "--strict", "--no-dangling") == ""
    assert len(user("worktree", "list").splitlines()) == 1
    lanes = [WorkstreamSpec(id=f"w{number}") for number in range(40)]
    workspace.update_workstream(lanes[0], lanes[1:])
    assert len(user("ls-tree", "--name-only", "agentrelay/g@w0").splitlines()) == 3 + 40


@pytest.mark.fault("G8")
def test_many_merges_into_one_branch_all_land(bench, user):
    """Merges of one target at once wait for each other; none is lost."""
    bench.workspace().open_workstream(DEFAULT)
    base = user("rev-parse", "main")
    heads = []
    for number in range(8):
        user("checkout", "-q", "--detach", base)
        user.write(**{f"n{number}": "1\n"})
        heads.append(user.commit(f"n{number}"))
        user("branch", f"n{number}")
    repositories = repository(bench)
    bring(repositories, heads, [base])

    def merge(head):
        return merge_commit(repositories, "agentrelay/g@default", head, MergeMessage(subject="m"))

    with ThreadPoolExecutor(8) as pool:
        merges = list(pool.map(merge, heads))
    assert len(set(merges)) == 8
    assert user("log", "--merges", "--format=%s", "agentrelay/g@default").splitlines() == ["m"] * 8


async def test_upstream_work_is_merged_once(bench, user):
    """A dependency's workstream is merged into the dependant's; a second time changes nothing."""
    await bench.whole_life(Task(id="a", workstream_id="up"), lambda agent: agent.write(a="1\n"))
    workspace = bench.workspace()
    workspace.open_workstream(WorkstreamSpec(id="down"))
    workspace.update_workstream(WorkstreamSpec(id="down"), [WorkstreamSpec(id="up")])
    merged = user("rev-parse", "agentrelay/g@down")
    assert user("show", "agentrelay/g@down:a") == "1"
    workspace.update_workstream(WorkstreamSpec(id="down"), [WorkstreamSpec(id="up")])
    assert user("rev-parse", "agentrelay/g@down") == merged


async def test_integration_opens_a_pull_request_and_stops(bench, user):
    """Without auto_merge the integration pull request is opened, once, and the target stays."""
    await bench.whole_life(Task(id="t"), lambda agent: agent.write(a="1\n"))
    main = user("rev-parse", "main")
    url = await bench.workspace().integrate(DEFAULT)
    assert url == await bench.workspace().integrate(DEFAULT) == "agentrelay+local:g/2"
    assert user("rev-parse", "main") == main


async def test_nothing_to_integrate_opens_nothing(bench, user):
    """A workstream without merges has no integration pull request."""
    bench.workspace().open_workstream(DEFAULT)
    assert await bench.workspace().integrate(DEFAULT) is None
    assert user("for-each-ref", "refs/agentrelay") == ""


async def test_auto_merge_never_moves_what_is_checked_out(bench, user):
    """The target is checked out: a person is told what to type, and typing it ends the matter."""
    await bench.whole_life(Task(id="t"), lambda agent: agent.write(a="1\n"))
    main = user("rev-parse", "main")
    spec = WorkstreamSpec(id="default", auto_merge=True)
    with pytest.raises(Parked) as caught:
        await bench.workspace().integrate(spec)
    assert str(caught.value).endswith(f"cd {user.path} && git merge agentrelay/g@default")
    assert user("rev-parse", "main") == main
    user("merge", "-q", "agentrelay/g@default")
    assert await bench.workspace().integrate(spec) == "agentrelay+local:g/2"


async def test_auto_merge_into_a_free_branch(bench, user):
    """The target is checked out nowhere: it is merged by compare-and-swap, the checkout untouched."""
    user("branch", "release")
    await bench.whole_life(Task(id="t"), lambda agent: agent.write(a="1\n"))
    spec = WorkstreamSpec(id="default", auto_merge=True, merge_target_branch="release")
    url = await bench.workspace().integrate(spec)
    assert user("show", "release:a") == "1"
    assert await bench.workspace().integrate(spec) == url
    assert user("log", "-1", "--format=%P", "release").split()[1] == user("rev-parse", "agentrelay/g@default")


async def test_a_child_flows_into_its_parent(bench, user):
    """A workstream with a parent is cut from the parent's integration branch, and integrated into it."""
    await bench.whole_life(Task(id="a"), lambda agent: agent.write(a="1\n"))
    child = WorkstreamSpec(id="child", parent_workstream_id="default", auto_merge=True)
    runtime = bench.runtime(Task(id="b", workstream_id="child"), spec=child)
    agent = bench.prepare(runtime)
    assert (agent.path / "a").read_text() == "1\n"
    agent.write(b="1\n")
    workspace = bench.workspace()
    url = workspace.publish(runtime)
    workspace.verify(runtime, url)
    bench.merge(runtime, url)
    assert await workspace.integrate(child) is not None
    assert user("show", "agentrelay/g@default:b") == "1"


@pytest.mark.fault("P5")
def test_a_rewritten_integration_branch_parks_the_task(bench, user):
    """The user moved the integration branch off the commit that the task was cut from: a person has to look."""
    runtime, url = published(bench, Task(id="t"), a="1\n")
    user("update-ref", "refs/heads/agentrelay/g@default", user("rev-parse", "main~1"))
    with pytest.raises(Parked, match="the history of agentrelay/g@default was rewritten"):
        bench.merge(runtime, url)
