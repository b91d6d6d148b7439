"""A graph that was edited between two sessions of its run."""

import attrs
import pytest
from memory_plugin import memory_catalog
from memory_steps import Steps

from agentrelay_core import Orchestrator, RunSettings, Task, TaskCompletionSignal, TaskGraph, WorkstreamSpec
from agentrelay_core.orchestrator.edits import GraphChanged

A = Task(id="a", description="one")
B = Task(id="b", description="two", dependencies=["a"])


def _steps(*failing):
    def wait(runtime):
        if runtime.task.id in failing:
            return TaskCompletionSignal("failed", error="no")
        return TaskCompletionSignal("done", pr_url="https://forge/1")

    return Steps(wait_for_completion=wait)


@pytest.fixture
def run(tmp_path):
    """Run tasks as one graph, with what the orchestrator is told besides."""

    async def run(*tasks, steps=None, workstreams=(), **more):
        graph = TaskGraph(name="g", tasks=tasks, workstreams=workstreams)
        settings = RunSettings(state_dir=tmp_path)
        return await Orchestrator(graph, catalog=memory_catalog(steps or _steps()), settings=settings, **more).run()

    return run


async def test_a_task_that_was_added_is_run(run):
    """It contradicts nothing that was done."""
    await run(A)
    assert (await run(A, B)).succeeded


@pytest.mark.fault("O18")
async def test_an_edit_is_refused_with_what_was_edited(run):
    """Each difference is named with where its task stands, and the next command; nothing is launched."""
    await run(A, B, steps=_steps("b"))
    edited = [attrs.evolve(A, description="other"), attrs.evolve(B, description="other", dependencies=())]
    steps = _steps()
    with pytest.raises(GraphChanged) as caught:
        await run(edited[1], steps=steps)
    assert "- a (pr_merged, stays so)\n  ~ b (failed)" in str(caught.value).replace("~ b (failed)\n  - a", "")
    with pytest.raises(GraphChanged, match=r"~ a \(pr_merged, stays so\)\n  ~ b \(failed\)\n(.|\n)*--accept-graph"):
        await run(*edited, steps=steps)
    with pytest.raises(GraphChanged, match="~ workstreams"):
        await run(A, B, workstreams=[WorkstreamSpec(id="docs")], steps=steps)
    assert steps.log == []


@pytest.mark.fault("O18")
async def test_accepted_edits_concern_what_is_not_done(run):
    """What is done stays done under its old text; the rest is run as it is now, and is not asked about again."""
    await run(A, B, steps=_steps("b"))
    edited = [attrs.evolve(A, description="other"), attrs.evolve(B, description="other")]
    steps = _steps("b")
    result = await run(*edited, steps=steps, accept_graph=True)
    assert (steps.log.count("launch"), result.tasks["a"].status) == (1, "pr_merged")
    assert (await run(*edited)).succeeded
