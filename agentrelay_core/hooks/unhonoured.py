"""Graph keys that the core hands on and that no plugin acts on: they are refused by name, never silently ignored."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agentrelay_core.hooks.records import EnvironmentType, FrameworkType, WorkspaceProvider
from agentrelay_core.spec import AgentConfig, Task, TaskGraph
from agentrelay_core.spec.settings import handed_on

if TYPE_CHECKING:
    from agentrelay_core.hooks.catalog import Catalog


def unhonoured(catalog: "Catalog", graph: TaskGraph) -> dict[str, tuple[str, ...]]:
    """Find the keys that a graph uses and nobody honours.

    Args:
        catalog: The plugins.
        graph: The graph.

    Returns:
        The keys, each with the ids of the tasks that use it; none for a key of the run or of a workstream.
    """
    honoured = catalog.honours
    found: dict[str, list[str]] = {}
    for key in handed_on(graph.settings):
        if key not in honoured:
            found.setdefault(key, [])
    if "checks" not in honoured and any(lane.checks not in (None, "required", "none") for lane in graph.workstreams):
        found.setdefault("checks", [])
    if "isolation" not in honoured and any(workstream.isolation is not None for workstream in graph.workstreams):
        found.setdefault("isolation", [])
    by_agent: dict[int, tuple[str, ...]] = {}
    for task in graph.tasks:
        agent = task.primary_agent
        keys = by_agent.get(id(agent))
        if keys is None:
            keys = by_agent[id(agent)] = tuple(_agent_keys(catalog, agent, honoured))
        for key in (*keys, *_task_keys(task, honoured)):
            found.setdefault(key, []).append(task.id)
    return {key: tuple(tasks) for key, tasks in found.items()}


def _agent_keys(catalog: "Catalog", agent: AgentConfig, honoured: frozenset[str]) -> Iterator[str]:
    used = [key for key in ("model", "isolation") if getattr(agent, key) is not None]
    if not used:
        return
    framework = catalog.frameworks.get(agent.framework)
    if framework is not None:  # its agent is told by this framework, in this environment, and by no other
        place = [item for item in catalog.environments.values() if isinstance(agent.environment, item.cls)]
        acting: list[FrameworkType | EnvironmentType | WorkspaceProvider] = [framework, *place, *catalog.workspaces]
        honoured = frozenset(key for item in acting for key in item.honours)
    yield from (key for key in used if key not in honoured)


def _task_keys(task: Task, honoured: frozenset[str]) -> Iterator[str]:
    if task.isolation is not None and "isolation" not in honoured:
        yield "isolation"
    if task.review is not None and "review" not in honoured:
        yield "review"
