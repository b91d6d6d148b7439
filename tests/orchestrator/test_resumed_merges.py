"""Whether an interrupted attempt was merged is asked of others, who may not answer: that task waits, and no other."""

import pytest
from memory_plugin import memory_catalog
from memory_steps import MemoryWorkspace, Steps

from agentrelay_core import Parked, RunSettings, Task, TaskGraph, Throttled, WorkspaceProvider, hookimpl
from agentrelay_core.journal import Journal, run_started_event
from agentrelay_core.orchestrator import Orchestrator, RunOutcome
from agentrelay_core.orchestrator.places import journal_path
from agentrelay_core.runtime import Event

GRAPH = TaskGraph(name="g", tasks=[Task(id="a", description="work"), Task(id="b", description="more")])
BEGUN = (("task_started", ""), ("task_prepared", "branch=x"), ("task_pr_merging", "https://forge/pr/1"))


class Workspace(MemoryWorkspace):
    """Knows no repository."""

    def open_workstream(self, spec):
        return f"agentrelay/g@{spec.id}", None

    def update_workstream(self, spec, upstream):
        pass

    def integrate(self, spec):
        pass

    def close_workstream(self, spec):
        pass


class Plugin:
    """Provides it."""

    @hookimpl
    def agentrelay_workspace(self):
        yield WorkspaceProvider(name="memory", factory=lambda run: Workspace([]))


class AskingSteps(Steps):
    """Steps whose merger gives these answers, one after the other, to whether the merge of a task has happened."""

    def __init__(self, *answers):
        super().__init__()
        self.answers = list(answers)

    def reconcile(self, runtime):
        if runtime.task.id != "a" or not runtime.resumed or not self.answers:
            return "absent"
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def resumed(git_repository, tmp_path):
    """Go on with a run that was killed while the merge of ``a`` was asked for."""

    async def resumed(steps):
        catalog = memory_catalog(steps)
        catalog.add(Plugin())
        settings = RunSettings(state_dir=tmp_path / "state")
        orchestrator = Orchestrator(GRAPH, repository=git_repository.path, catalog=catalog, settings=settings)
        journal = Journal.open(journal_path(orchestrator.state_dir))
        journal.append(run_started_event("20260101T000000Z-beef", GRAPH))
        for kind, message in BEGUN:
            journal.append(Event(kind=kind, task_id="a", workstream_id="default", message=message))
        journal.close()
        return await orchestrator.run()

    return resumed


async def test_a_merge_that_cannot_be_asked_for_parks_its_task_alone(resumed):
    """A login that has expired meanwhile ends no run: the other task is done, and no agent does its work again."""
    steps = AskingSteps(Parked("log in"))
    result = await resumed(steps)
    assert result.outcome is RunOutcome.PARKED
    assert result.parked == {"a"}
    assert result.tasks["a"].error == "Parked: log in"
    assert result.tasks["b"].status == "pr_merged"
    assert steps.log.count("launch") == 1


async def test_a_limit_is_waited_out_before_a_merge_is_asked_for(resumed):
    """It costs no attempt: when it ends the merge is found, and nothing of it is done again."""
    steps = AskingSteps(Throttled("limit", retry_after=0), "present")
    result = await resumed(steps)
    assert result.outcome is RunOutcome.SUCCEEDED
    assert steps.log.count("launch") == 1
