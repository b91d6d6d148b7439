"""Merging a task's pull request on the emulated GitHub: once, the verified head, and known again after a crash."""

import asyncio
import threading

import attrs
import pytest
from agentrelay_git_gh.forges.of_run import forge_of
from agentrelay_git_gh.git.merging import MergeConflict
from agentrelay_git_gh.github.merger import GhTaskMerger
from pytest_agentrelay.github import Hold, base_modified, dropping, holding, meanwhile, pretending_to_merge

from agentrelay_core.runtime import AgentFailure, Parked, ProtocolViolation
from agentrelay_core.spec import Task, WorkstreamSpec

TASK = Task(id="one", description="Write one.")
BRANCH, LANE = "agentrelay/g/one", "agentrelay/g@default"
DEFAULT = WorkstreamSpec(id="default", base_branch="main")
PUT = r"^PUT .*/merge$"


@attrs.define
class Verified:
    """A task whose pull request is open and verified."""

    world: object
    runtime: object
    url: str
    head: str
    workspace: object

    def merger(self):
        """The step, as a run makes it."""
        run = self.world.bench.run
        return GhTaskMerger(
            run.repository, run.graph_name, run_id=run.run_id, state_dir=run.state_dir, forge=forge_of(run)
        )

    async def merge(self):
        await self.merger().merge_pr(self.runtime, self.url)

    def merges(self):
        """The merges that happened on the server."""
        return self.world.github.happened("merged")

    @property
    def is_noted(self):
        """Whether the task's directory says that it is merged."""
        return (self.runtime.state.signal_dir / ".merged").exists()

    def check_end(self, *, merges=1):
        """The server and the user's repository agree, and the work is there once."""
        assert len(self.merges()) == merges
        assert self.world.bench.user("rev-parse", LANE) == self.world.hosted.tip(LANE)
        assert self.world.bench.user("show", f"{LANE}:one.txt") == "one"
        assert self.is_noted


@pytest.fixture
def task(world):
    workspace = world.workspace()
    runtime = world.bench.runtime(TASK, spec=DEFAULT, workspace=workspace)
    workspace.update_workstream(DEFAULT, [])
    agent = world.bench.prepare(runtime)
    agent.write(one__txt="one\n")
    url = workspace.publish(runtime)
    head = workspace.verify(runtime, url).head
    runtime.artifacts.pr_url = url
    return Verified(world, runtime, url, head, workspace)


class Heard:
    """What the runner is told that a merge waits for."""

    def __init__(self, task):
        self.messages = []
        self._news = asyncio.Event()
        task.runtime.reporter = self._take

    def _take(self, kind, message, data):
        self.messages.append((kind, data["state"], message))
        self._news.set()

    async def of(self, wanted):
        """Wait until something is waited for; what was said of it."""
        async with asyncio.timeout(60):
            while True:
                for kind, state, message in self.messages:
                    if state == wanted:
                        assert kind == "task_waiting_external"
                        return message
                self._news.clear()
                await self._news.wait()


async def test_merge_is_two_parented_and_says_whose_it_is(task):
    """The merge on the server has the verified head as its second parent, and a local merge's message."""
    before = task.world.hosted.tip(LANE)
    await task.merge()
    task.check_end()
    (merged,) = task.merges()
    assert task.world.hosted.git("rev-list", "--parents", "-1", LANE).split() == [merged.sha, before, task.head]
    message = task.world.hosted.git("log", "-1", "--format=%B", LANE)
    assert message.startswith("one: Write one.\n\nAgentrelay-Run: ")
    assert "Agentrelay-Task: one" in message


@pytest.mark.fault("G10")
@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
async def test_what_a_person_merged_is_not_merged_again(task, method):
    """A pull request that somebody has merged, by whatever method, is success, and the local branch has it."""
    task.world.hosted.merge(1, method, actor="uma")
    await task.merge()
    task.check_end()


async def test_merging_twice_changes_nothing(task):
    """The step is safe to be repeated."""
    await task.merge()
    tip = task.world.hosted.tip(LANE)
    await task.merge()
    task.check_end()
    assert task.world.hosted.tip(LANE) == tip


async def test_merge_that_nobody_wrote_down_is_found(task):
    """Killed right after the merge, the next session finds it by asking, follows it and writes it down."""
    forge_of(task.world.bench.run).merge(task.url, task.head)
    assert not task.is_noted
    task.runtime.resumed = True
    directory, task.runtime.state.signal_dir = task.runtime.state.signal_dir, None  # as a run has it that goes on
    assert task.merger().reconcile(task.runtime) == "present"
    task.runtime.state.signal_dir = directory
    task.check_end()


def test_what_is_not_merged_is_not_found(task):
    """An open pull request, and one that was merged with another head, is no merge of the verified work."""
    task.runtime.resumed = True
    assert task.merger().reconcile(task.runtime) == "absent"
    task.world.hosted.push(BRANCH, {"more.txt": "more\n"})
    task.world.hosted.merge(1)
    assert task.merger().reconcile(task.runtime) == "absent"
    assert not task.is_noted


@pytest.mark.fault("G12")
async def test_another_head_is_not_merged(task):
    """What somebody pushed after the check is not merged; a person is told both commits."""
    theirs = task.world.hosted.push(BRANCH, {"more.txt": "more\n"})
    task.world.hosted.merge(1, actor="uma")
    with pytest.raises(Parked, match=rf"merged at {theirs}, and {task.head} was verified"):
        await task.merge()
    assert not task.is_noted


@pytest.mark.fault("G13")
async def test_push_at_the_moment_of_the_merge_is_not_merged(task):
    """The merge is pinned: a push between the last look and the merge stops it."""
    deed = lambda: task.world.hosted.push(BRANCH, {"more.txt": "more\n"})  # noqa: E731
    task.world.github.script(meanwhile(PUT, deed))
    with pytest.raises(Parked, match=rf"{task.head} was verified"):
        await task.merge()
    assert task.merges() == []


@pytest.mark.fault("G7")
async def test_conflict_names_the_files(task):
    """Work that conflicts with its target fails the attempt by name, and both branches stay as they are."""
    theirs = task.world.hosted.push(LANE, {"one.txt": "theirs\n"})
    with pytest.raises(MergeConflict, match=r"conflicts with agentrelay/g@default in one\.txt") as conflict:
        await task.merge()
    assert conflict.value.files == ("one.txt",)
    assert task.merges() == []
    assert task.world.hosted.tip(LANE) == theirs


async def test_conflict_that_comes_at_the_moment_of_the_merge_is_named(task):
    """A target that somebody moves between the last look and the merge is looked at again."""
    deed = lambda: task.world.hosted.push(LANE, {"one.txt": "theirs\n"})  # noqa: E731
    task.world.github.script(meanwhile(PUT, deed))
    with pytest.raises(MergeConflict, match=r"one\.txt"):
        await task.merge()
    assert task.merges() == []


@pytest.mark.fault("G14")
@pytest.mark.parametrize(
    "fault", [dropping(PUT), dropping(PUT, after_effect=True), base_modified(PUT), pretending_to_merge(PUT)]
)
async def test_answer_that_is_lost_or_wrong_makes_one_merge(task, fault):
    """Whether the connection ends before or after the merge, or the answer is wrong, it is merged once."""
    script = task.world.github.script(fault)
    await task.merge()
    assert script.met == 1
    task.check_end()


async def test_required_check_is_waited_for_by_name(task):
    """Nothing is merged before the check has passed on the verified head; people are told what is waited for."""
    task.world.hosted.protect(LANE, checks=("build",))
    heard = Heard(task)
    merging = asyncio.ensure_future(task.merge())
    assert "build" in await heard.of("checks")
    assert task.merges() == []
    task.world.hosted.set_check(task.head, "build")
    await merging
    task.check_end()


async def test_red_check_goes_back_to_the_agent(task):
    """A check that failed fails the attempt, with the check and the end of its log."""
    task.world.hosted.protect(LANE, checks=("build",))
    task.world.hosted.set_check(task.head, "build", "failure", log="one\nthe last line\n")
    with pytest.raises(AgentFailure, match=r"(?s)build.*the last line"):
        await task.merge()
    assert task.merges() == []
    assert not task.is_noted


async def test_checks_of_the_lane_count(world, task):
    """What a workstream asks for is what its tasks' pull requests wait for, whatever the graph says."""
    task.workspace.open_workstream(attrs.evolve(DEFAULT, checks=("lint",)))
    heard = Heard(task)
    merging = asyncio.ensure_future(task.merge())
    assert "lint" in await heard.of("checks")
    world.hosted.set_check(task.head, "lint")
    await merging
    task.check_end()


@pytest.mark.fault("G17")
async def test_merge_queue_is_waited_for(task):
    """A target with a queue gets the pull request into it, and the merge that the queue makes is the merge."""
    task.world.hosted.use_queue(LANE)
    heard = Heard(task)
    merging = asyncio.ensure_future(task.merge())
    await heard.of("merge queue")
    assert task.merges() == []
    assert task.world.hosted.release_queue(LANE) == [1]
    await merging
    task.check_end()


async def test_wait_that_is_left_ends_at_once(task):
    """A run that is left while a check is waited for leaves nothing merged behind."""
    task.world.hosted.protect(LANE, checks=("build",))
    heard = Heard(task)
    merging = asyncio.ensure_future(task.merge())
    await heard.of("checks")
    merging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await merging
    assert task.merges() == []


async def test_run_that_is_left_begins_no_wait(task):
    """A run that is left while the pull request is looked up does not go on to wait for its checks."""
    task.world.hosted.protect(LANE, checks=("build",))
    hold = Hold()
    task.world.github.script(holding(r"^GET .*/pulls", hold))
    merging = asyncio.ensure_future(task.merge())
    assert await asyncio.to_thread(hold.reached.wait, 60)
    merging.cancel()
    hold.release.set()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(merging), 30)
    assert task.merges() == []


async def test_integration_that_is_left_begins_no_wait(task):
    """A run that is left while the workstream's pull request is opened has opened it, and waits for nothing."""
    await task.merge()
    task.world.hosted.protect("main", checks=("build",))
    hold = Hold()
    task.world.github.script(holding(r"^POST .*/pulls$", hold))
    integrating = asyncio.ensure_future(task.workspace.integrate(attrs.evolve(DEFAULT, auto_merge=True)))
    assert await asyncio.to_thread(hold.reached.wait, 60)
    integrating.cancel()
    hold.release.set()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asyncio.shield(integrating), 30)
    assert len(task.merges()) == 1
    assert [pull.state for pull in task.world.hosted.pulls] == ["merged", "open"]


async def test_merge_that_is_under_way_when_the_run_is_left_ends_as_a_merge(task):
    """A merge that GitHub was asked for before the run was left counts, and is followed here."""
    hold = Hold()
    task.world.github.script(holding(PUT, hold))
    merging = asyncio.ensure_future(task.merge())
    assert await asyncio.to_thread(hold.reached.wait, 60)
    merging.cancel()
    threading.Timer(0.1, hold.release.set).start()
    await merging
    task.check_end()


async def test_url_of_another_pull_request_is_a_violation(task):
    """The step merges the task's own pull request or none."""
    task.world.hosted.push("other", {"other.txt": "other\n"})
    task.world.hosted.open("other", "main")
    with pytest.raises(ProtocolViolation, match="is not the pull request"):
        await task.merger().merge_pr(task.runtime, task.url.replace("/1", "/2"))
    assert task.merges() == []


async def test_step_is_usable_by_hand(task):
    """With the repository's path alone it finds the remote and the login itself."""
    merger = GhTaskMerger(task.world.bench.user.path, state_dir=task.world.bench.state)
    await merger.merge_pr(task.runtime, task.url)
    task.check_end()
