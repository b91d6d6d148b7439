"""The standard life of a task, step by step."""

import asyncio
import gc
import threading
import time
import weakref
from pathlib import Path

import pytest
from memory_steps import MemoryAgent, MemoryWorkspace, Steps, make_runner, make_runtime

from agentrelay_core import (
    AgentFailure,
    Deadlines,
    ExpectedTaskFailureError,
    HeadMoved,
    IntegrationBoundary,
    IntegrationFailureClass,
    TaskCompletionSignal,
    TaskRunner,
    TaskStatus,
    TearDownMode,
)


def _alive(pid):
    return Path("/proc", pid).exists()


LIFE = ["prepare", "launch", "kickoff", "wait_for_completion", "merge_pr", "teardown"]


async def test_a_task_goes_through_all_steps_in_order():
    """A done signal with a URL ends merged, and the events come in the order of the contract."""
    steps, events = Steps(), []
    runner = make_runner(steps, on_event=events.append)
    runtime = make_runtime()
    result = await runner.run(runtime)
    assert isinstance(runner, TaskRunner)
    assert steps.log == LIFE
    assert (result.task_id, result.status, result.pr_url) == ("a", TaskStatus.PR_MERGED, "https://forge/pr/1")
    assert result.error is None
    assert result.failure_class is None
    assert [(event.kind, event.message) for event in events] == [
        ("task_prepared", "branch=agentrelay/g/a"),
        ("task_launched", "memory:1"),
        ("task_waiting", ""),
        ("task_pr_merging", "https://forge/pr/1"),
    ]


@pytest.mark.parametrize("status", [status for status in TaskStatus if status is not TaskStatus.PENDING])
async def test_only_a_pending_task_is_run(status):
    """Any other status is refused by a ValueError that names both, and no step runs."""
    steps, runtime = Steps(), make_runtime()
    runtime.state.status = status
    with pytest.raises(ValueError, match=f"PENDING.*{status.name}"):
        await make_runner(steps).run(runtime)
    assert steps.log == []


@pytest.mark.parametrize("step", ["prepare", "launch", "kickoff", "wait_for_completion", "merge_pr"])
@pytest.mark.parametrize(
    ("error", "failure_class"),
    [
        (RuntimeError("broken"), IntegrationFailureClass.INTERNAL_ERROR),
        (
            ExpectedTaskFailureError("flaky", boundary=IntegrationBoundary.WORKSPACE),
            IntegrationFailureClass.EXPECTED_TASK_FAILURE,
        ),
    ],
)
async def test_a_step_that_raises_fails_the_task(step, error, failure_class):
    """The error carries type and message, no later step runs but teardown, and the class is the error's."""

    def fail(*_):
        raise error

    steps, runtime = Steps(**{step: fail}), make_runtime()
    result = await make_runner(steps).run(runtime)
    assert steps.log == [*LIFE[: LIFE.index(step) + 1], "teardown"]
    assert result.status is TaskStatus.FAILED
    assert result.error == f"{type(error).__name__}: {error}"
    assert result.failure_class is failure_class


async def test_an_agents_own_failure_has_its_words_and_no_class():
    """A failed signal fails the task with the signal's error; its concerns are kept."""
    signal = TaskCompletionSignal(outcome="failed", error="no idea", concerns=("hm",))
    steps, runtime = Steps(wait_for_completion=lambda _: signal), make_runtime()
    result = await make_runner(steps).run(runtime)
    assert (result.status, result.error, result.failure_class) == (TaskStatus.FAILED, "no idea", None)
    assert runtime.artifacts.concerns == ["hm"]
    assert "merge_pr" not in steps.log


async def test_a_failure_without_words_gets_some():
    """A failed signal without an error has a standard text."""
    steps = Steps(wait_for_completion=lambda _: TaskCompletionSignal(outcome="failed"))
    assert (await make_runner(steps).run(make_runtime())).error == "Task failed without an error message."


async def test_done_without_url_and_workspace_fails():
    """Without a workspace nobody can open the pull request."""
    steps = Steps(wait_for_completion=lambda _: TaskCompletionSignal(outcome="done"))
    result = await make_runner(steps).run(make_runtime())
    assert result.error == "Task completion signaled 'done' but did not include pr_url."
    assert result.status is TaskStatus.FAILED


async def test_done_without_url_is_published_and_verified():
    """With a workspace the pull request is opened, then verified, then merged."""
    steps = Steps(wait_for_completion=lambda _: TaskCompletionSignal(outcome="done"))
    runtime = make_runtime()
    result = await make_runner(steps, workspace=MemoryWorkspace(steps.log)).run(runtime)
    assert steps.log[4:7] == ["publish", "verify agentrelay+local:g/1", "merge_pr"]
    assert result.status is TaskStatus.PR_MERGED


async def test_nothing_changed_is_no_work_unless_the_task_says_so():
    """Evidence without a change fails a task, and completes one that allows it."""
    steps = Steps(wait_for_completion=lambda _: TaskCompletionSignal(outcome="done"))
    workspace = MemoryWorkspace(steps.log, url=None, changed=False)
    refused = await make_runner(steps, workspace=workspace).run(make_runtime())
    assert refused.error.startswith("AgentFailure: done without evidence")
    allowed = await make_runner(steps, workspace=workspace).run(make_runtime(allow_no_changes=True))
    assert allowed.status is TaskStatus.COMPLETED


async def test_a_task_without_pull_request_is_completed():
    """It goes through verify and gate, and is never published nor merged."""
    steps = Steps(wait_for_completion=lambda _: TaskCompletionSignal(outcome="done"))
    runner = make_runner(steps, workspace=MemoryWorkspace(steps.log))
    result = await runner.run(make_runtime(pull_request=False))
    assert (result.status, result.pr_url) == (TaskStatus.COMPLETED, None)
    assert "verify None" in steps.log
    assert not {"publish", "merge_pr"} & set(steps.log)


def _with_paths(tmp_path):
    (tmp_path / "instructions.md").write_text("do it\n")

    def prepare(runtime):
        runtime.state.signal_dir = runtime.state.worktree_path = tmp_path

    return prepare


async def test_a_gate_that_passes_leads_to_the_merge(tmp_path):
    """The gate runs in the worktree, in the agent's environment, with its output in gate.log."""
    steps, events = Steps(prepare=_with_paths(tmp_path)), []
    gate = 'pwd; echo "$AGENTRELAY_TASK_ID"; test -z "$AGENTRELAY_SECRET_CANARY"'
    runner = make_runner(steps, on_event=lambda event: events.append(event.kind))
    result = await runner.run(make_runtime(completion_gate=gate))
    assert result.status is TaskStatus.PR_MERGED
    assert (tmp_path / "gate.log").read_text().split() == [str(tmp_path), "a"]
    assert events[3:] == ["task_gate_running", "task_gate_passed", "task_pr_merging"]


@pytest.mark.fault("G13")
@pytest.mark.parametrize("moves", [1, 3, 4])
async def test_what_moved_on_after_it_was_verified_is_verified_again(tmp_path, moves):
    """It goes through verify and gate once more, and not through the agent; after the fourth time a person is asked."""
    left = [HeadMoved("it stands at b, and a was verified; look there")] * moves

    def merge(*_):
        if left:
            raise left.pop()

    steps, told = Steps(prepare=_with_paths(tmp_path), merge_pr=merge), []
    runtime = make_runtime(completion_gate=f"echo gate >> {tmp_path}/gates")
    runner = make_runner(
        steps, workspace=MemoryWorkspace(steps.log), on_event=lambda event: told.append((event.kind, event.message))
    )
    result = await runner.run(runtime)
    assert result.status is (TaskStatus.PR_MERGED if moves < 4 else TaskStatus.FAILED)
    assert moves < 4 or result.error.startswith("HeadMoved: it stands at b")
    rounds = min(moves + 1, 4)
    assert steps.log.count("merge_pr") == len((tmp_path / "gates").read_text().split()) == rounds
    assert sum(entry.startswith("verify ") for entry in steps.log) == rounds
    assert steps.log.count("publish") <= 1
    assert (steps.log.count("launch"), steps.log.count("wait_for_completion")) == (1, 1)
    warning = ("task_warning", "it is verified again: it stands at b, and a was verified")
    assert told.count(warning) == rounds - 1


@pytest.mark.parametrize(("takes_turns", "launches"), [(True, 1), (False, 2)])
async def test_a_failed_gate_goes_back_to_the_agent(tmp_path, takes_turns, launches):
    """The agent gets the output and another turn, or is stopped and started again where it takes none."""
    steps = Steps(takes_turns, prepare=_with_paths(tmp_path))
    (tmp_path / ".done").write_text("then\nurl\n")
    gate = 'echo "gate says no"; test -e .done.1'
    result = await make_runner(steps).run(make_runtime(completion_gate=gate))
    assert result.status is TaskStatus.PR_MERGED
    assert steps.log.count("launch") == launches
    assert steps.log.count("agent stopped") == launches - 1
    assert (tmp_path / ".done.1").exists()
    assert "gate says no" in (tmp_path / "instructions.md").read_text()


async def test_gates_are_tried_as_often_as_the_task_says(tmp_path):
    """After the last gate the task has failed, with the exit code, as an expected failure."""
    steps, runtime = Steps(True, prepare=_with_paths(tmp_path)), make_runtime(completion_gate="exit 3")
    result = await make_runner(steps).run(runtime)
    assert (result.status, result.error) == (TaskStatus.FAILED, "Completion gate failed: exit 3")
    assert result.failure_class is IntegrationFailureClass.EXPECTED_TASK_FAILURE
    assert steps.log.count("wait_for_completion") == 2
    assert result.pr_url == "https://forge/pr/1"


async def test_a_gate_that_hangs_is_ended(tmp_path):
    """The gate has a deadline of the task's own, and no process of it stays."""
    steps = Steps(prepare=_with_paths(tmp_path))
    task = make_runtime(completion_gate="echo $$ > pid; sleep 60", deadlines=Deadlines(gate=0.3))
    result = await make_runner(steps).run(task)
    assert result.error == "ExpectedTaskFailureError: Completion gate failed: no end within 0.3 s"
    assert not _alive((tmp_path / "pid").read_text().strip())


@pytest.mark.parametrize(
    ("mode", "outcome", "torn_down"),
    [
        (TearDownMode.ALWAYS, "done", True),
        (TearDownMode.ALWAYS, "failed", True),
        (TearDownMode.ON_SUCCESS, "done", True),
        (TearDownMode.ON_SUCCESS, "failed", False),
        (TearDownMode.NEVER, "done", False),
    ],
)
async def test_teardown_follows_its_mode(mode, outcome, torn_down):
    """Always, never, or on success alone."""
    steps = Steps(wait_for_completion=lambda _: TaskCompletionSignal(outcome=outcome, pr_url="https://x/1"))
    await make_runner(steps).run(make_runtime(), teardown_mode=mode)
    assert ("teardown" in steps.log) is torn_down


async def test_teardown_that_raises_changes_no_outcome():
    """Its message joins the concerns."""

    def fail(_):
        raise OSError("busy")

    steps, runtime = Steps(teardown=fail), make_runtime()
    assert (await make_runner(steps).run(runtime)).status is TaskStatus.PR_MERGED
    assert runtime.artifacts.concerns == ["teardown_failed: busy"]


@pytest.mark.parametrize("mode", list(TearDownMode))
async def test_cancelling_stops_the_task_and_its_agent(mode):
    """Cancel fails the task, stops the agent whatever the mode says, and is raised again."""
    waiting = asyncio.Event()

    async def wait(_):
        waiting.set()
        await asyncio.Event().wait()

    async def teardown(runtime):
        await asyncio.sleep(0)  # an await that a careless runner would cancel
        runtime.artifacts.agent_address.teardown()

    steps, runtime = Steps(wait_for_completion=wait, teardown=teardown), make_runtime()
    run = asyncio.create_task(make_runner(steps).run(runtime, teardown_mode=mode))
    await waiting.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert (runtime.state.status, runtime.state.error) == (TaskStatus.FAILED, "CancelledError: cancelled")
    assert steps.log[-1] == "agent stopped"


async def test_an_agent_whose_launch_was_cancelled_is_stopped():
    """A launch in a thread cannot be interrupted: it is awaited, and what it started is ended."""
    loop, started, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    steps = Steps()

    class Launcher:
        def launch(self, runtime):
            loop.call_soon_threadsafe(started.set)
            go_on.wait(5)
            return MemoryAgent(steps.log)

    run = asyncio.create_task(
        make_runner(steps, launcher=Launcher()).run(make_runtime(), teardown_mode=TearDownMode.NEVER)
    )
    await started.wait()
    run.cancel()
    loop.call_soon(go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await run
    assert steps.log[-1] == "agent stopped"


async def test_detaching_leaves_the_agent_to_go_on():
    """All waits end without teardown, and the task is still running."""
    waiting = asyncio.Event()

    async def wait(_):
        waiting.set()
        await asyncio.Event().wait()

    steps = Steps(wait_for_completion=wait)
    runner = make_runner(steps)
    run = asyncio.create_task(runner.run(make_runtime()))
    await waiting.wait()
    runner.detach()
    result = await run
    assert result.status is TaskStatus.RUNNING
    assert steps.log == LIFE[:4]


@pytest.mark.fault("O16")
async def test_plain_steps_leave_the_event_loop_free():
    """A preparer that sleeps for a second delays another task's heartbeat by less than 50 ms."""

    class Preparer:
        def prepare(self, runtime):
            time.sleep(1)

    gaps, over = [], False

    async def heartbeat():
        last = time.monotonic()
        while not over:
            await asyncio.sleep(0.005)
            now = time.monotonic()
            gaps.append(now - last)
            last = now

    beating = asyncio.create_task(heartbeat())
    await make_runner(Steps(), preparer=Preparer()).run(make_runtime())
    over = True
    await beating
    assert max(gaps) < 0.05


async def test_a_plain_step_may_return_an_awaitable():
    """Whatever a step returns is awaited if it is awaitable."""
    done = []

    class Teardown:
        def teardown(self, runtime):
            async def later():
                done.append(runtime.task.id)

            return later()

    await make_runner(Steps(), teardown=Teardown()).run(make_runtime())
    assert done == ["a"]


async def test_a_checker_that_does_not_wait_is_refused_before_its_first_call():
    """A plain `wait_for_completion` is a mistake of the plugin's, told by name."""

    class Sync:
        def wait_for_completion(self, runtime):
            raise AssertionError("must not be called")

    result = await make_runner(Steps(), completion_checker=Sync()).run(make_runtime())
    assert result.error.startswith("StepSignatureError: ")
    assert "async def wait_for_completion" in result.error


async def test_a_wait_has_a_wall_budget():
    """An agent that never ends fails its attempt, as the agent's failure."""

    async def wait(_):
        await asyncio.Event().wait()

    runtime = make_runtime(deadlines=Deadlines(wall=0.1))
    result = await make_runner(Steps(wait_for_completion=wait)).run(runtime)
    assert result.error == "AgentFailure: wait_for_completion did not end within 0.1 s"
    assert isinstance(runtime.failure, AgentFailure)


async def test_what_is_there_already_is_passed_over():
    """A step that reconciles to present is not repeated; a launcher's gives the live agent."""
    steps = Steps()

    class Preparer:
        def reconcile(self, runtime):
            return "present"

        def prepare(self, runtime):
            raise AssertionError("must not be repeated")

    class Launcher(Preparer):
        def reconcile(self, runtime):
            return "present", MemoryAgent(steps.log)

        def launch(self, runtime):
            raise AssertionError("must not be repeated")

    runtime = make_runtime()
    result = await make_runner(steps, preparer=Preparer(), launcher=Launcher()).run(runtime)
    assert result.status is TaskStatus.PR_MERGED
    assert runtime.artifacts.agent_address.label == "memory:1"


async def test_a_listener_that_raises_ends_nothing(caplog):
    """Its first error is logged, further ones are passed over."""

    def listen(_):
        raise ValueError("bad listener")

    result = await make_runner(Steps(), on_event=listen).run(make_runtime())
    assert result.status is TaskStatus.PR_MERGED
    assert len(caplog.records) == 1


async def test_nothing_of_a_task_that_ended_waits_for_the_garbage_collector():
    """Whoever forgets a task that ended has its memory back at once."""
    runner, runtime = make_runner(Steps()), make_runtime()
    left = weakref.ref(runtime)
    gc.disable()
    try:
        await asyncio.create_task(runner.run(runtime))
        del runtime
        assert left() is None
    finally:
        gc.enable()
