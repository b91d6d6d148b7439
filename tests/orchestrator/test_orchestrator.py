"""Whole runs without a repository: the steps live in memory, the journal is real."""

import asyncio
import logging

import pytest
from memory_plugin import memory_catalog
from memory_steps import Steps

from agentrelay_core import (
    AgentFailure,
    Catalog,
    Orchestrator,
    Parked,
    ProtocolViolation,
    RetryPolicy,
    RunSettings,
    Task,
    TaskCompletionSignal,
    TaskGraph,
    TaskStatus,
    Throttled,
    UserError,
    run_graph,
)
from agentrelay_core.journal import Journal, JournalError, read_events, read_state, rebuild
from agentrelay_core.orchestrator import EnvironmentNotReady, InvalidGraph, RunIsOwned, RunOutcome

NO_PAUSE = RetryPolicy(initial_interval=0)


def _task(name, *dependencies, **fields):
    return Task(**{"id": name, "description": "work", "dependencies": dependencies, **fields})


def _graph(*tasks):
    return TaskGraph(name="g", tasks=tasks)


def _failing(*names, error=None):
    """A wait that fails for the tasks named, with the agent's word or an exception."""

    def wait(runtime):
        if runtime.task.id in names:
            if error is not None:
                raise error
            return TaskCompletionSignal(outcome="failed", error="no idea")
        return TaskCompletionSignal(outcome="done", pr_url="https://forge/1")

    return wait


@pytest.fixture
def run(tmp_path):
    """Run tasks with given steps in this test's own state directory."""

    async def run(*tasks, steps=None, on_event=None, **settings):
        return await run_graph(
            _graph(*tasks),
            catalog=memory_catalog(steps or Steps()),
            settings=RunSettings(state_dir=tmp_path / "state", **settings),
            on_event=on_event,
        )

    run.journal = tmp_path / "state" / "g" / "journal.sqlite"
    return run


async def test_every_task_is_run_after_its_dependencies(run):
    """A diamond ends merged, and its events are in the journal as the listener got them."""
    heard = []
    tasks = [_task("d", "b", "c"), _task("b", "a"), _task("c", "a"), _task("a")]
    result = await run(*tasks, on_event=heard.append)
    assert result.outcome is RunOutcome.SUCCEEDED
    assert {r.status for r in result.tasks.values()} == {TaskStatus.PR_MERGED}
    ended = [event.task_id for event in heard if event.kind == "task_finished"]
    assert ended[0] == "a"
    assert ended[-1] == "d"
    recorded = [event for _, event in read_events(run.journal)]
    assert [(event.kind, event.task_id) for event in recorded] == [(event.kind, event.task_id) for event in heard]
    assert rebuild(recorded) == read_state(run.journal)


async def test_what_is_done_is_not_done_again(run):
    """The same run goes on with what is left; a finished one has nothing to do."""
    first = await run(_task("a"), _task("b", "a"), steps=Steps(wait_for_completion=_failing("b")))
    assert (first.outcome, first.exit_code) == (RunOutcome.FAILED, 1)
    steps = Steps()
    attempts = []
    second = await run(
        _task("a"), _task("b", "a"), steps=steps, on_event=lambda e: attempts.append((e.kind, e.task_id, e.attempt_num))
    )
    assert second.run_id == first.run_id
    assert steps.log.count("launch") == 1
    assert ("task_started", "b", 1) in attempts
    third = await run(_task("a"), _task("b", "a"))
    assert (third.outcome, third.exit_code) == (RunOutcome.NOTHING_TO_DO, 0)


async def test_a_failure_blocks_what_hangs_on_it_and_nothing_else(run):
    """Near and far dependants are blocked by name; the others go on."""
    tasks = [_task("a"), _task("b", "a"), _task("c", "b"), _task("free")]
    result = await run(*tasks, steps=Steps(wait_for_completion=_failing("a")))
    assert result.outcome is RunOutcome.FAILED
    assert dict(result.blocked) == {"b": "a", "c": "a"}
    assert result.tasks["free"].status is TaskStatus.PR_MERGED
    assert result.tasks["c"].status is TaskStatus.PENDING


async def test_a_failed_attempt_is_tried_again_with_its_error(run):
    """The next attempt has a new number and knows why the last one failed."""
    seen = []

    def wait(runtime):
        seen.append((runtime.state.attempt_num, runtime.last_error))
        return TaskCompletionSignal(
            outcome="done" if runtime.state.attempt_num == 2 else "failed", pr_url="https://x/1", error="too hard"
        )

    result = await run(_task("a", retry=NO_PAUSE), steps=Steps(wait_for_completion=wait), max_task_attempts=3)
    assert result.outcome is RunOutcome.SUCCEEDED
    assert seen == [(0, None), (1, "too hard"), (2, "too hard")]


@pytest.mark.parametrize(
    ("error", "attempts", "outcome"),
    [
        (AgentFailure("lost its way"), 3, RunOutcome.FAILED),
        (ProtocolViolation("two signals"), 1, RunOutcome.FAILED),
        (Parked("ask a person"), 1, RunOutcome.PARKED),
        (RuntimeError("bug"), 1, RunOutcome.INTERNAL_ERROR),
    ],
)
async def test_the_class_of_an_error_decides_whether_to_try_again(run, error, attempts, outcome):
    """Agents' failures are retried, violations and bugs are not, and a parked task waits for a person."""
    steps = Steps(wait_for_completion=_failing("a", error=error))
    result = await run(_task("a", retry=RetryPolicy(initial_interval=0, maximum_attempts=3)), steps=steps)
    assert steps.log.count("launch") == attempts
    assert result.outcome is outcome
    assert result.exit_code == {"failed": 1, "parked": 4, "internal_error": 70}[outcome]


@pytest.mark.fault("O17")
@pytest.mark.parametrize(("stated", "outcome"), [(0, RunOutcome.SUCCEEDED), (None, RunOutcome.FAILED)])
async def test_a_limit_that_says_when_it_ends_costs_no_attempt(run, stated, outcome):
    """A task with a single attempt is tried again after each such limit, and not where no end is stated."""
    limits = [Throttled("limited", retry_after=stated), Throttled("limited", retry_after=stated)]

    def wait(runtime):
        if limits:
            raise limits.pop()
        return TaskCompletionSignal(outcome="done", pr_url="https://forge/1")

    result = await run(_task("a"), steps=Steps(wait_for_completion=wait))
    assert result.outcome is outcome


async def test_what_a_step_reports_is_journaled_and_adds_up(run):
    """Usage that a step reports twice is one sum in the task's record."""

    def wait(runtime):
        for tokens in (3, 4):
            runtime.report("task_usage", f"{tokens} tokens", {"input_tokens": tokens, "model": "x"})
        return TaskCompletionSignal(outcome="done", pr_url="https://forge/1")

    await run(_task("a"), steps=Steps(wait_for_completion=wait))
    assert read_state(run.journal).tasks["a"].usage == {"input_tokens": 7}


@pytest.mark.parametrize(("fail_fast", "started"), [(True, 2), (False, 4)])
async def test_fail_fast_launches_nothing_more_after_an_internal_error(run, fail_fast, started):
    """Tasks that run end normally; with it off the others go on."""
    steps = Steps(wait_for_completion=_failing("a", error=RuntimeError("bug")))
    result = await run(
        *(_task(name) for name in "abcd"), steps=steps, max_concurrency=2, fail_fast_on_internal_error=fail_fast
    )
    assert steps.log.count("launch") == started
    assert result.tasks["b"].status is TaskStatus.PR_MERGED
    assert result.exit_code == 70


async def test_no_more_tasks_are_at_work_than_allowed(run):
    """The limit is reached and never passed."""
    at_work, most = 0, 0

    async def wait(_):
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0)
        at_work -= 1
        return TaskCompletionSignal(outcome="done", pr_url="https://x/1")

    await run(*(_task(f"t{n}") for n in range(20)), steps=Steps(wait_for_completion=wait), max_concurrency=3)
    assert most == 3


class Waiting(Steps):
    """Steps whose agents never end; `all_wait` is set when a number of them wait."""

    def __init__(self, number):
        super().__init__(wait_for_completion=self._wait)
        self._number = number
        self.all_wait = asyncio.Event()

    async def _wait(self, _):
        self._number -= 1
        if not self._number:
            self.all_wait.set()
        await asyncio.Event().wait()


async def test_cancelling_a_run_stops_every_task(tmp_path):
    """All agents are ended, and the result says what was cut off."""
    steps = Waiting(2)
    settings = RunSettings(state_dir=tmp_path, teardown_mode="never")
    orchestrator = Orchestrator(
        _graph(_task("a"), _task("b"), _task("c", "a")), catalog=memory_catalog(steps), settings=settings
    )
    running = asyncio.create_task(orchestrator.run())
    await steps.all_wait.wait()
    orchestrator.cancel()
    result = await running
    assert result.outcome is RunOutcome.CANCELLED
    assert result.tasks["a"].error == "CancelledError: cancelled"
    assert steps.log.count("agent stopped") == 2


async def test_cancelling_one_task_leaves_the_others(tmp_path):
    """Its dependants are blocked; an unknown id is a KeyError."""
    steps = Waiting(1)
    orchestrator = Orchestrator(
        _graph(_task("a"), _task("b", "a")), catalog=memory_catalog(steps), settings=RunSettings(state_dir=tmp_path)
    )
    running = asyncio.create_task(orchestrator.run())
    await steps.all_wait.wait()
    with pytest.raises(KeyError):
        orchestrator.cancel("nobody")
    orchestrator.cancel("a")
    result = await running
    assert result.outcome is RunOutcome.FAILED
    assert dict(result.blocked) == {"b": "a"}


async def test_a_cancelled_host_leaves_nothing_running(tmp_path):
    """Cancelling the coroutine that runs a graph stops every agent before it is raised."""
    steps = Waiting(1)
    settings = RunSettings(state_dir=tmp_path)
    running = asyncio.create_task(run_graph(_graph(_task("a")), catalog=memory_catalog(steps), settings=settings))
    await steps.all_wait.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert steps.log[-1] == "teardown"
    state = read_state(tmp_path / "g" / "journal.sqlite")
    assert state.outcome == "cancelled"
    assert state.tasks["a"].status is TaskStatus.FAILED


async def test_a_detached_run_leaves_agents_to_go_on(tmp_path):
    """Nothing is torn down, and the tasks are still running in the journal."""
    steps = Waiting(1)
    orchestrator = Orchestrator(
        _graph(_task("a")), catalog=memory_catalog(steps), settings=RunSettings(state_dir=tmp_path)
    )
    running = asyncio.create_task(orchestrator.run())
    await steps.all_wait.wait()
    orchestrator.detach()
    assert (await running).outcome is RunOutcome.DETACHED
    assert "teardown" not in steps.log
    assert read_state(tmp_path / "g" / "journal.sqlite").tasks["a"].status is TaskStatus.RUNNING


async def test_two_orchestrators_live_in_one_process(tmp_path):
    """They share nothing; a second one for the same run is refused and names the owner."""
    steps = Waiting(1)
    first = asyncio.create_task(
        run_graph(_graph(_task("a")), catalog=memory_catalog(steps), settings=RunSettings(state_dir=tmp_path / "1"))
    )
    await steps.all_wait.wait()
    other = await run_graph(
        _graph(_task("a")), catalog=memory_catalog(), settings=RunSettings(state_dir=tmp_path / "2")
    )
    assert other.outcome is RunOutcome.SUCCEEDED
    with pytest.raises(RunIsOwned, match="in process"):
        await run_graph(_graph(_task("a")), catalog=memory_catalog(), settings=RunSettings(state_dir=tmp_path / "1"))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_listener_that_raises_is_logged_once_and_ends_nothing(run, caplog):
    """The run goes on without it."""

    def listen(_):
        raise ValueError("bad listener")

    with caplog.at_level(logging.ERROR):
        result = await run(_task("a"), on_event=listen)
    assert result.outcome is RunOutcome.SUCCEEDED
    assert len(caplog.records) == 1


async def test_a_graph_that_is_not_sound_is_refused_before_anything(tmp_path):
    """A graph built in Python gets the checks that a file gets."""
    graph = _graph(_task("a", "b"), _task("b", "a"))
    with pytest.raises(InvalidGraph, match="a"):
        Orchestrator(graph, catalog=memory_catalog(), settings=RunSettings(state_dir=tmp_path))


async def test_nothing_starts_when_no_plugin_provides_the_steps(tmp_path):
    """All keys are resolved before the first task, and the state directory is not even made."""
    with pytest.raises(EnvironmentNotReady, match="No implementation registered for"):
        await run_graph(_graph(_task("a")), catalog=Catalog(), settings=RunSettings(state_dir=tmp_path / "state"))
    assert not (tmp_path / "state").exists()


async def test_a_run_without_repository_needs_a_place_for_its_state(monkeypatch):
    """The error says which setting is missing."""
    monkeypatch.delenv("AGENTRELAY_STATE_DIR", raising=False)
    with pytest.raises(UserError, match="state_dir"):
        await run_graph(_graph(_task("a")), catalog=memory_catalog())


@pytest.mark.fault("O9")
async def test_a_journal_that_cannot_be_written_ends_the_run(run, monkeypatch):
    """Nothing is done that cannot be recorded: the error is raised, nothing starts, and agents are left to go on."""
    steps, appended = Steps(), []
    append = Journal.append

    def fill_up(journal, event):
        appended.append(event.kind)
        if event.kind == "task_waiting":
            raise JournalError("no space left")
        append(journal, event)

    monkeypatch.setattr(Journal, "append", fill_up)
    with pytest.raises(JournalError, match="no space left"):
        await asyncio.wait_for(run(_task("a"), _task("b", "a"), steps=steps), 10)
    assert "teardown" not in steps.log
    assert appended.count("task_started") == 1


async def test_a_detached_run_begins_no_further_attempt(tmp_path):
    """A pause before a retry ends at once, and the retry is left to the next run."""
    steps = Steps(wait_for_completion=_failing("a"))
    retry = RetryPolicy(initial_interval=3600, maximum_interval=3600, maximum_attempts=3)
    orchestrator = Orchestrator(
        _graph(_task("a", retry=retry)),
        catalog=memory_catalog(steps),
        settings=RunSettings(state_dir=tmp_path),
        on_event=lambda event: event.kind == "task_retrying" and loop.call_soon(orchestrator.detach),
    )
    loop = asyncio.get_running_loop()
    result = await asyncio.wait_for(orchestrator.run(), 60)
    assert result.outcome is RunOutcome.DETACHED
    assert steps.log.count("launch") == 1
