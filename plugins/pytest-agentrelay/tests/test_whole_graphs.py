"""Whole graphs with fakes for all steps: the repository is left alone, and the orchestrator is the real one."""

import pytest
from pytest_agentrelay.fakes import FakeLauncher, FakeSteps

from agentrelay_core import AgentConfig, AgentEnvironment, Provider, Task, TaskGraph, hookimpl, run_graph
from agentrelay_core.orchestrator import RunOutcome

GRAPH = TaskGraph(
    name="g", tasks=(Task(id="a", description="First."), Task(id="b", description="Then.", dependencies=("a",)))
)


async def test_a_graph_runs_in_memory(catalog, git_repository):
    """Every task is merged in the order of their dependencies, and no ref or file of the repository is touched."""
    before = git_repository.lines("for-each-ref")
    plugin = FakeSteps()
    catalog.add(plugin)
    result = await run_graph(GRAPH, repository=git_repository.path, catalog=catalog)
    assert result.outcome is RunOutcome.SUCCEEDED, [task.error for task in result.tasks.values()]
    assert [head for (head, _), url in plugin.repository.pull_requests.items() if url in plugin.repository.merged] == [
        "agentrelay/g/a",
        "agentrelay/g/b",
    ]
    assert git_repository.lines("for-each-ref") == before
    assert git_repository.git("status", "--porcelain", "--ignored") == ""


async def test_a_plugin_for_one_framework_goes_before_the_fakes(catalog, git_repository):
    """An author's step for a key of its own is used for that key, the fakes for all else."""

    class Mine:
        @hookimpl
        def agentrelay_task_launcher(self):
            yield Provider(framework="mine", factory=lambda context: FakeLauncher([{"failed": "by mine"}]))

    catalog.add(FakeSteps())
    catalog.add(Mine())
    agent = AgentConfig(framework="mine", environment=AgentEnvironment())
    tasks = (Task(id="a", description="First."), Task(id="b", description="Mine.", primary_agent=agent))
    result = await run_graph(TaskGraph(name="g", tasks=tasks), repository=git_repository.path, catalog=catalog)
    assert result.tasks["a"].error is None
    assert result.tasks["b"].error == "by mine"


def test_a_step_that_there_is_not_is_refused():
    """A misspelt step is told with the names that there are."""
    with pytest.raises(TypeError, match="there is no step 'lancher'; the steps are preparer, launcher"):
        FakeSteps(lancher=None)
