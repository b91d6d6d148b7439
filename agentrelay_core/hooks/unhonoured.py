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
    settings = handed_on(graph.settings)
    if settings:
        agents = {id(task.primary_agent): task.primary_agent for task in graph.tasks}.values()
        acting = frozenset[str]().union(*(_honoured_for(catalog, agent) for agent in agents))
        found.update((key, []) for key in settings if key not in acting)
    if "checks" not in honoured and any(lane.checks not in (None, "required", "none") for lane in graph.workstreams):
        found.setdefault("checks", [])
    if "isolation" not in honoured and any(workstream.isolation is not None for workstream in graph.workstreams):
        found.setdefault("isolation", [])
    by_agent: dict[int, tuple[str, ...]] = {}
    for task in graph.tasks:
        agent = task.primary_agent
        keys = by_agent.get(id(agent))
        if keys is None:
            keys = by_agent[id(agent)] = tuple(_agent_keys(catalog, agent))
        for key in (*keys, *_task_keys(task, honoured)):
            found.setdefault(key, []).append(task.id)
    return {key: tuple(tasks) for key, tasks in found.items()}


def _agent_keys(catalog: "Catalog", agent: AgentConfig) -> Iterator[str]:
    used = [key for key in ("model", "isolation") if getattr(agent, key) is not None]
    if used:
        honoured = _honoured_for(catalog, agent)
        yield from (key for key in used if key not in honoured)


def _honoured_for(catalog: "Catalog", agent: AgentConfig) -> frozenset[str]:
    """The keys that something acts on where this agent is at work; those of all plugins where nobody knows it."""
    framework = catalog.frameworks.get(agent.framework)
    if framework is None:
        return catalog.honours
    # Its agent is told by this framework, in this environment, and by no other.
    place = [item for item in catalog.environments.values() if isinstance(agent.environment, item.cls)]
    acting: list[FrameworkType | EnvironmentType | WorkspaceProvider] = [framework, *place, *catalog.workspaces]
    return frozenset(key for item in acting for key in item.honours)


def _task_keys(task: Task, honoured: frozenset[str]) -> Iterator[str]:
    if task.isolation is not None and "isolation" not in honoured:
        yield "isolation"
    if task.review is not None and "review" not in honoured:
        yield "review"
