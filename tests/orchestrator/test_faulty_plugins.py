"""Plugins that raise, hang, or return what no step returns, cost their task and are told by name and step."""

import threading

import pytest
from memory_plugin import memory_catalog, memory_plugin
from memory_steps import Steps
from pytest_agentrelay.fakes import FakeSteps

from agentrelay_core import (
    AgentFailure,
    Catalog,
    Internal,
    Parked,
    ProtocolViolation,
    Provider,
    RunSettings,
    Task,
    TaskGraph,
    TaskStatus,
    run_graph,
)
from agentrelay_core.orchestrator import RunOutcome
from agentrelay_core.task_runner import calls, life

FIRST, SECOND = Task(id="first", description="x"), Task(id="second", description="x")
GRAPH = TaskGraph(name="g", tasks=[FIRST, SECOND])


async def run(steps, tmp_path, **settings):
    """Run two tasks, one after the other."""
    settings = RunSettings(state_dir=tmp_path, max_concurrency=1, **settings)
    return await run_graph(GRAPH, catalog=memory_catalog(steps), settings=settings)


class Hanging(Steps):
    """A plain preparer that comes to no end for the first task."""

    def __init__(self):
        super().__init__()
        self.over = threading.Event()

    def prepare(self, runtime):
        self.log.append("prepare")
        if runtime.task.id == "first":
            self.over.wait()


@pytest.mark.fault("O17")
@pytest.mark.parametrize(("fail_fast", "second"), [(True, TaskStatus.PENDING), (False, TaskStatus.PR_MERGED)])
async def test_a_step_that_hangs_ends_at_its_deadline(tmp_path, monkeypatch, fail_fast, second):
    """The task fails by the step's name, and fail-fast alone keeps the next from starting."""
    monkeypatch.setattr(life, "PREPARE", 0.2)
    monkeypatch.setattr(calls, "THREAD_GRACE", 0.1)
    steps = Hanging()
    try:
        result = await run(steps, tmp_path, fail_fast_on_internal_error=fail_fast)
    finally:
        steps.over.set()
    assert result.outcome is RunOutcome.INTERNAL_ERROR
    assert result.tasks["first"].error == "Internal: prepare did not end within 0.2 s (prepare of FakeSteps)"
    assert result.tasks["second"].status is second


@pytest.mark.fault("O17")
@pytest.mark.parametrize(
    ("step", "answer", "said"),
    [
        ("launch", "rubbish", "the launcher returned 'rubbish', which is no agent"),
        ("launch", None, "the launcher returned None, which is no agent"),
        ("wait_for_completion", None, "the completion checker returned None, which is no TaskCompletionSignal"),
        (
            "wait_for_completion",
            {"outcome": "done"},
            "the completion checker returned {'outcome': 'done'}, which is no",
        ),
    ],
)
async def test_rubbish_is_refused_by_name(tmp_path, step, answer, said):
    """What a step must not return fails the task as internal, says which step it was, and is torn down."""
    steps = Steps(**{step: lambda *_: answer})
    result = await run(steps, tmp_path)
    assert result.outcome is RunOutcome.INTERNAL_ERROR
    assert said in result.tasks["first"].error
    assert result.tasks["first"].error.startswith(Internal.__name__)
    assert result.tasks["first"].error.endswith(f" ({step} of FakeSteps)")
    assert steps.log.count("teardown") == 1
    assert result.tasks["second"].status is TaskStatus.PENDING


def raising(error):
    """A step that raises."""

    def step(*_):
        raise error

    return step


@pytest.mark.fault("O17")
@pytest.mark.parametrize("step", ["prepare", "launch", "kickoff", "wait_for_completion", "merge_pr"])
async def test_who_raises_is_named(tmp_path, step):
    """An error that nobody foresaw names its class, its words, the step and the plugin with its version."""
    catalog = Catalog()
    catalog.add(memory_plugin(Steps(**{step: raising(RuntimeError("bug"))})), name="agentrelay-faulty", version="1.2")
    result = await run_graph(GRAPH, catalog=catalog, settings=RunSettings(state_dir=tmp_path))
    assert result.tasks["first"].error == f"RuntimeError: bug ({step} of agentrelay-faulty 1.2)"


@pytest.mark.parametrize("error", [AgentFailure("no"), Parked("wait"), ProtocolViolation("both")])
async def test_what_is_no_plugins_fault_blames_none(tmp_path, error):
    """What the agent did, or what waits for a person, is told as it is."""
    result = await run(Steps(wait_for_completion=raising(error)), tmp_path)
    assert result.tasks["first"].error == f"{type(error).__name__}: {error}"


async def test_a_factory_that_raises_is_named(tmp_path):
    """A step that cannot even be made is its plugin's fault too."""

    class Broken(FakeSteps):
        def _provider(self, name):
            return Provider(factory=raising(OSError("no socket")))

    catalog = Catalog()
    catalog.add(Broken(workspace=False))
    result = await run_graph(GRAPH, catalog=catalog, settings=RunSettings(state_dir=tmp_path))
    assert result.tasks["first"].error == "OSError: no socket (prepare of Broken)"
