"""What waits for a check, a person or a limit of ours: it has time, may be left, and costs no attempt."""

import asyncio

import pytest
from memory_steps import DONE, MemoryWorkspace, Steps, make_runner, make_runtime

from agentrelay_core import Deadlines, Parked, TaskStatus, Throttled
from agentrelay_core.task_runner import waits_for_others


class PatientMerger:
    """A merger that waits until a test lets it go on."""

    def __init__(self):
        self.waiting, self.go_on = asyncio.Event(), asyncio.Event()
        self.merged = False

    @waits_for_others
    async def merge_pr(self, runtime, pr_url):
        runtime.report("task_waiting_external", "checks: build pending")
        self.waiting.set()
        try:
            await self.go_on.wait()
        finally:
            self.merged = self.go_on.is_set()


async def test_a_merger_that_waits_for_others_is_told_of_and_may_be_left():
    """Detaching ends its wait at once: nothing is torn down, and the task has its pull request still."""
    steps, merger, events = Steps(), PatientMerger(), []
    runner = make_runner(steps, merger=merger, on_event=events.append)
    run = asyncio.create_task(runner.run(make_runtime()))
    await merger.waiting.wait()
    runner.detach()
    result = await asyncio.wait_for(run, 60)
    assert (result.status, merger.merged) == (TaskStatus.PR_CREATED, False)
    assert "teardown" not in steps.log
    assert [event.message for event in events if event.kind == "task_waiting_external"] == ["checks: build pending"]


async def test_a_merger_that_does_not_say_so_is_not_left_in_the_middle():
    """Detaching waits for its end, so that a merge is never half known."""

    class Merger(PatientMerger):
        async def merge_pr(self, runtime, pr_url):
            await PatientMerger.merge_pr(self, runtime, pr_url)

    merger = Merger()
    runner = make_runner(Steps(), merger=merger)
    run = asyncio.create_task(runner.run(make_runtime()))
    await merger.waiting.wait()
    runner.detach()
    assert not run.done()
    merger.go_on.set()
    await run
    assert merger.merged


async def test_a_merge_that_ends_while_it_is_cancelled_has_happened():
    """A merger that returns although it was told to stop has merged, and the task says so."""

    class Merger(PatientMerger):
        @waits_for_others
        async def merge_pr(self, runtime, pr_url):
            try:
                await PatientMerger.merge_pr(self, runtime, pr_url)
            except asyncio.CancelledError:
                self.merged = True

    merger, runtime = Merger(), make_runtime()
    run = asyncio.create_task(make_runner(Steps(), merger=merger).run(runtime))
    await merger.waiting.wait()
    run.cancel()
    await asyncio.wait({run})
    assert runtime.state.status is TaskStatus.PR_MERGED


class LimitedWorkspace(MemoryWorkspace):
    """A workspace that runs into a limit the first times."""

    def __init__(self, log, limits):
        super().__init__(log)
        self.limits = limits

    def publish(self, runtime):
        if self.limits:
            self.log.append("limited")
            raise self.limits.pop()
        return super().publish(runtime)


async def test_a_limit_while_publishing_is_waited_out():
    """The agent is not asked to do its work again: publishing alone is repeated when the limit ends."""
    events = []
    steps = Steps(wait_for_completion=lambda _: type(DONE)(outcome="done"))
    limits = [Throttled("limit", retry_after=0.01), Throttled("limit", retry_after=0)]
    runner = make_runner(steps, workspace=LimitedWorkspace(steps.log, limits), on_event=events.append)
    result = await runner.run(make_runtime())
    assert result.status is TaskStatus.PR_MERGED
    assert steps.log.count("limited") == 2
    assert (steps.log.count("launch"), steps.log.count("publish")) == (1, 1)
    told = [event for event in events if event.kind == "task_throttled"]
    assert len(told) == 2
    assert "limit; it goes on at " in told[0].message
    assert told[0].data["until"] > 0


@pytest.mark.parametrize("step", ["merge_pr", "verify"])
async def test_a_limit_in_a_later_step_is_waited_out_as_well(step):
    """Verifying and merging are repeated likewise."""
    limits = [Throttled("limit", retry_after=0)]

    def limited(*_):
        if limits:
            raise limits.pop()

    class Workspace(MemoryWorkspace):
        def verify(self, runtime, pr_url):
            if step == "verify":
                limited()
            return super().verify(runtime, pr_url)

    steps = Steps(**({"merge_pr": limited} if step == "merge_pr" else {}))
    result = await make_runner(steps, workspace=Workspace(steps.log)).run(make_runtime())
    assert (result.status, limits) == (TaskStatus.PR_MERGED, [])
    assert steps.log.count("launch") == 1


async def test_a_limit_that_outlasts_the_task_waits_for_a_person():
    """It says when to go on."""
    steps = Steps(wait_for_completion=lambda _: type(DONE)(outcome="done"))
    runtime = make_runtime(deadlines=Deadlines(wall=60))
    workspace = LimitedWorkspace(steps.log, [Throttled("GitHub's limit", retry_after=61)])
    result = await make_runner(steps, workspace=workspace).run(runtime)
    assert isinstance(runtime.failure, Parked)
    assert "GitHub's limit; type `agentrelay run` after " in result.error
