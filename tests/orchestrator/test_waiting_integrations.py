"""An integration that waits for others is left with the run, and begun anew by the next session."""

import asyncio

from memory_plugin import memory_catalog
from memory_steps import MemoryWorkspace

from agentrelay_core import RunSettings, Task, TaskGraph, WorkspaceProvider, hookimpl
from agentrelay_core.orchestrator import Orchestrator, RunOutcome
from agentrelay_core.task_runner import waits_for_others


class Workspace(MemoryWorkspace):
    """Its integrations wait until a test lets them go on."""

    def __init__(self, run):
        super().__init__([])
        self.run = run
        self.waiting, self.go_on = asyncio.Event(), asyncio.Event()

    def open_workstream(self, spec):
        return f"agentrelay/g@{spec.id}", self.run.state_dir

    def update_workstream(self, spec, upstream):
        pass

    def close_workstream(self, spec):
        pass

    @waits_for_others
    async def integrate(self, spec):
        await asyncio.to_thread(self.run.report, spec.id, "checks: build pending")
        self.waiting.set()
        await self.go_on.wait()
        return "https://forge/pr/2"


class Plugin:
    """Provides the workspace, and remembers it."""

    @hookimpl
    def agentrelay_workspace(self):
        yield WorkspaceProvider(name="waiting", factory=self.make)

    def make(self, run):
        self.made = Workspace(run)
        return self.made


def _run(repository, events):
    plugin, catalog = Plugin(), memory_catalog()
    catalog.add(plugin)
    orchestrator = Orchestrator(
        TaskGraph(name="g", tasks=[Task(id="a", description="work")]),
        repository=repository,
        catalog=catalog,
        settings=RunSettings(state_dir=repository.parent / "state"),
        on_event=events.append,
    )
    return plugin, orchestrator


async def _waiting(plugin, running):
    while not hasattr(plugin, "made"):
        await asyncio.sleep(0)
        assert not running.done()
    await plugin.made.waiting.wait()


async def test_an_integration_that_waits_is_left_and_begun_anew(git_repository):
    """The run that is left is not over although all its tasks are done; what it waits for was told."""
    repository, events = git_repository.path, []
    plugin, orchestrator = _run(repository, events)
    running = asyncio.create_task(orchestrator.run())
    await _waiting(plugin, running)
    orchestrator.detach()
    assert (await asyncio.wait_for(running, 60)).outcome is RunOutcome.DETACHED
    told = [(event.workstream_id, event.message) for event in events if event.kind == "workstream_waiting"]
    assert told == [("default", "checks: build pending")]

    plugin, orchestrator = _run(repository, events)
    running = asyncio.create_task(orchestrator.run())
    await _waiting(plugin, running)
    plugin.made.go_on.set()
    result = await running
    assert result.outcome is RunOutcome.SUCCEEDED
    assert result.workstreams["default"].pr_url == "https://forge/pr/2"


async def test_an_integration_that_waits_ends_when_the_run_is_cancelled(git_repository):
    """Cancelling does not wait for other people."""
    plugin, orchestrator = _run(git_repository.path, [])
    running = asyncio.create_task(orchestrator.run())
    await _waiting(plugin, running)
    orchestrator.cancel()
    assert (await asyncio.wait_for(running, 60)).outcome is RunOutcome.CANCELLED
