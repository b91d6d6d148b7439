"""A run that was killed goes on from what its journal says and from what its steps find."""

import ast
import asyncio
import inspect
import time

import attrs
import pytest
from memory_plugin import memory_catalog
from memory_steps import MemoryAgent, Steps, make_runner

from agentrelay_core import Deadlines, Event, RunSettings, Task, TaskCompletionSignal, TaskGraph, TaskStatus, run_graph
from agentrelay_core.failpoints import EFFECTS, FAILPOINTS, PHASES
from agentrelay_core.journal import Journal, read_events, read_state, run_started_event
from agentrelay_core.orchestrator import lanes
from agentrelay_core.task_runner import agent_wait, life
from agentrelay_core.task_runner.effects import DURABLE, EFFECT_OF
from agentrelay_core.task_runner.watchdog import Wait

GRAPH = TaskGraph(name="g", tasks=[Task(id="a", description="work"), Task(id="b", description="", role="implementer")])
URL = "https://forge/pr/1"


class FindingSteps(Steps):
    """Steps that find their effects: the names in `there` are present."""

    def __init__(self, *there, **replaced):
        super().__init__(**replaced)
        self.there = there
        self.runtimes = []

    def reconcile(self, runtime):
        self.runtimes.append(runtime)
        if not runtime.resumed or not self.there:
            return "absent"
        name = ("prepare", "launch", "kickoff", "merge_pr")[min(self._asked(runtime), 3)]
        if name not in self.there:
            return "absent"
        return ("present", MemoryAgent(self.log)) if name == "launch" else "present"

    def _asked(self, runtime):
        return sum(runtime is each for each in self.runtimes) - 1


@pytest.fixture
def killed(tmp_path):
    """Write the journal that a killed session of the run left, and give what runs the graph again."""

    def killed(*events, graph=GRAPH, timestamp=None):
        path = tmp_path / "g" / "journal.sqlite"
        journal = Journal.open(path)
        journal.append(run_started_event("20260101T000000Z-beef", graph))
        for kind, message, data in events:
            when = {} if timestamp is None else {"timestamp": timestamp}
            place = {"task_id": "a", "workstream_id": "default", "attempt_num": 0}
            journal.append(Event(kind=kind, **place, message=message, data=data, **when))
        journal.close()

        async def again(steps, **settings):
            result = await run_graph(
                graph, catalog=memory_catalog(steps), settings=RunSettings(state_dir=tmp_path, **settings)
            )
            return result, read_state(path), [event for _, event in read_events(path)]

        return again

    return killed


STARTED = ("task_started", "", {})
LAUNCHED = [STARTED, ("task_prepared", "branch=x", {}), ("task_launched", "memory:1", {"agent": {"pid": 7}})]


async def test_an_interrupted_attempt_goes_on_with_its_live_agent(killed):
    """Neither prepared nor launched again, and the journal says what was found."""
    steps = FindingSteps("prepare", "launch", "kickoff")
    result, state, events = await killed(*LAUNCHED)(steps)
    assert result.succeeded
    assert steps.log.count("launch") == 1  # the other task's
    assert state.tasks["a"].attempt_num == 0
    assert state.tasks["a"].recovered == ("prepare", "launch", "kickoff")
    recovered = [event for event in events if event.kind == "effect_recovered"]
    assert all(event.data == {"recovered": True} for event in recovered)
    assert steps.runtimes[0].artifacts.agent_data == {"pid": 7}


async def test_what_is_at_work_comes_first(killed):
    """A task whose agent may live starts before others that were ready, though it stands behind them in the graph."""
    graph = TaskGraph(name="g", tasks=[Task(id=name, description="work") for name in "xya"])
    started = []
    steps = FindingSteps("prepare", "launch", prepare=lambda runtime: started.append(runtime.task.id))
    steps.reconcile = lambda runtime: started.append(runtime.task.id) or "absent"
    await killed(*LAUNCHED, graph=graph)(steps, max_concurrency=1)
    assert started[0] == "a"


async def test_a_step_that_finds_nothing_is_run_again_in_the_same_attempt(killed):
    """What was only intended is done, under the attempt's old number."""
    steps = FindingSteps()
    result, state, _ = await killed(STARTED)(steps)
    assert result.succeeded
    assert (steps.log.count("launch"), state.tasks["a"].attempt_num) == (2, 0)


async def test_an_attempt_that_had_ended_is_only_torn_down(killed):
    """Its outcome stands, nothing is launched, and what hangs on it starts."""
    ended = ("task_ended", "", {"status": "pr_merged", "pr_url": URL, "retryable": False})
    steps = FindingSteps("prepare", "launch")
    graph = TaskGraph(
        name="g", tasks=[Task(id="a", description="work"), Task(id="b", description="x", dependencies=["a"])]
    )
    result, state, _ = await killed(*LAUNCHED, ended, graph=graph)(steps)
    assert result.succeeded
    assert result.tasks["a"].pr_url == URL
    assert steps.log.index("teardown") < steps.log.index("launch")
    assert (steps.log.count("launch"), steps.log.count("teardown")) == (1, 2)
    assert not state.tasks["a"].teardown_due


async def test_a_parked_attempt_that_had_ended_is_torn_down_and_goes_on(killed):
    """One run is enough: what parked it is tried again once the teardown is done."""
    ended = ("task_ended", "full", {"status": "failed", "error": "full", "retryable": False, "parked": True})
    steps = FindingSteps("prepare", "launch", "kickoff")
    result, state, _ = await killed(*LAUNCHED, ended)(steps)
    assert result.succeeded
    assert (state.tasks["a"].attempt_num, state.tasks["a"].parked) == (0, False)


async def test_an_attempt_that_was_parked_while_it_was_published_needs_no_agent(killed):
    """The agent had done its work: the next session begins with publishing, and launches nobody."""
    parked = {"status": "failed", "error": "no login", "retryable": False, "parked": True, "agent_done": True}
    steps = FindingSteps("prepare")
    alone = TaskGraph(name="g", tasks=[GRAPH.task("a")])
    await killed(*LAUNCHED, ("task_ended", "no login", parked), ("task_finished", "no login", parked), graph=alone)(
        steps
    )
    assert "launch" not in steps.log
    assert "wait_for_completion" not in steps.log


async def test_a_failed_attempt_that_had_ended_is_retried_as_it_would_have_been(killed):
    """Attempts before the crash count against the task's limit."""
    ended = ("task_ended", "no", {"status": "failed", "error": "no", "retryable": True})
    steps = FindingSteps("prepare", "launch")
    result, state, _ = await killed(*LAUNCHED, ended)(steps, max_task_attempts=2)
    assert result.succeeded
    assert state.tasks["a"].attempt_num == 1


@pytest.mark.fault("O15")
@pytest.mark.parametrize(("began", "most"), [(-100, 3700), (-10_000, 60), (+86_400, 3600)])
async def test_a_wall_budget_survives_a_crash(killed, tmp_path, began, most):
    """What earlier sessions used is used; a clock that was set back gives none, and the first look ends no agent."""
    seen = []

    def wait(runtime):
        if runtime.task.id == "a":
            seen.append(runtime)
        return TaskCompletionSignal("done", pr_url=URL)

    steps = FindingSteps("prepare", "launch", "kickoff", wait_for_completion=wait)
    await killed(*LAUNCHED, timestamp=time.time() + began)(steps)
    [runtime] = seen
    runtime.task = attrs.evolve(runtime.task, deadlines=Deadlines(wall=3600))
    left = life.Life(make_runner(steps), runtime, Wait(asyncio.current_task()))._wall()
    assert left == pytest.approx(max(60, 3600 - max(0, -began)), abs=30)
    assert left <= most


async def test_attempts_survive_a_crash(killed):
    """A second attempt that was interrupted stays the second, and is the last of two."""
    retrying = ("task_retrying", "no", {"delay": 0, "error": "no"})
    steps = FindingSteps(wait_for_completion=lambda _: TaskCompletionSignal(outcome="failed", error="no"))
    _, state, _ = await killed(*LAUNCHED, retrying, ("task_started", "", {}))(steps, max_task_attempts=1)
    assert state.tasks["a"].status is TaskStatus.FAILED
    assert state.tasks["a"].first_attempt == 0


def _died_if_resumed(runtime):
    died = runtime.resumed
    return TaskCompletionSignal("failed" if died else "done", pr_url=URL, ended="died" if died else "done")


async def test_an_agent_that_died_watched_costs_its_attempt(killed, monkeypatch):
    """An adopted agent that was waited for and died then has had its attempt as any other."""
    monkeypatch.setattr(agent_wait, "GLANCE", 0.0)
    steps = FindingSteps("prepare", "launch", "kickoff", wait_for_completion=_died_if_resumed)
    result, state, _ = await killed(*LAUNCHED)(steps, max_task_attempts=1)
    assert result.tasks["a"].status is TaskStatus.FAILED
    assert state.tasks["a"].attempt_num == 0


async def test_an_agent_that_died_unwatched_costs_no_attempt(killed):
    """After a reboot the task is tried again, though it has one attempt alone."""
    wait = _died_if_resumed
    steps = FindingSteps("prepare", "launch", "kickoff", wait_for_completion=wait)
    result, state, _ = await killed(*LAUNCHED)(steps, max_task_attempts=1)
    assert result.succeeded
    assert state.tasks["a"].attempt_num == 1


def _calls(module, method):
    """The first arguments of all calls of a method of ``self`` in a module, with the function that each stands in."""
    for function in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == method:
                    yield function.name, node


def test_every_effect_has_its_failpoints():
    """What the runner and the lanes do to the outside world goes through the four; anything else fails here."""
    assert len(FAILPOINTS) == len(EFFECTS) * len(PHASES)
    assert set(EFFECT_OF.values()) | DURABLE <= set(EFFECTS)
    stepped = {node.args[0].value for module in (life, agent_wait) for _, node in _calls(module, "_step")}
    assert stepped - EFFECT_OF.keys() == {"wait_for_completion"}
    assert {node.args[1].value for _, node in _calls(life, "_effect")} <= EFFECT_OF.keys()
    assert [name for module in (life, agent_wait) for name, _ in _calls(module, "_call")] == []
    assert {node.args[0].value for _, node in _calls(lanes, "_effect")} <= set(EFFECTS)
    assert {name for name, _ in _calls(lanes, "_call")} == {"_effect"}
