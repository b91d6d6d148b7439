"""Graphs that were read without a catalog, completed by one: environments by name become what their plugins declare."""

import json
from typing import Any

import attrs

from agentrelay_core.graph.catalogs import CatalogView
from agentrelay_core.graph.environments import EnvironmentKind
from agentrelay_core.graph.nodes import compose
from agentrelay_core.graph.reading import Reading
from agentrelay_core.graph.source import Findings
from agentrelay_core.runtime.errors import UserError
from agentrelay_core.spec import AgentConfig, AgentEnvironment, Task, TaskGraph, UnknownEnvironment, thaw


def resolve_environments(graph: TaskGraph, catalog: CatalogView) -> TaskGraph:
    """Put in the environments that a catalog knows and that were read without one.

    Args:
        graph: The graph; one that was read with a catalog, or built in Python, usually has nothing to resolve.
        catalog: What is installed.

    Returns:
        The graph; the same object where nothing was to be done. An environment that is not installed stays an
        `UnknownEnvironment`.

    Raises:
        UserError: What the file says of an environment is not what its plugin takes.
    """
    resolver = _Resolver(catalog)
    tasks = [resolver.task(task) for task in graph.tasks]
    if all(new is old for new, old in zip(tasks, graph.tasks, strict=True)):
        return graph
    return attrs.evolve(graph, tasks=tasks)


class _Resolver:
    """Resolves each agent once, so that tasks that shared one go on sharing it."""

    def __init__(self, catalog: CatalogView) -> None:
        self._catalog = catalog
        self._done: dict[AgentConfig, AgentConfig] = {}

    def task(self, task: Task) -> Task:
        changes: dict[str, Any] = {}
        agent = self._agent(task.primary_agent)
        if agent is not task.primary_agent:
            changes["primary_agent"] = agent
        if task.review is not None:
            reviewer = self._agent(task.review.agent)
            if reviewer is not task.review.agent:
                changes["review"] = attrs.evolve(task.review, agent=reviewer)
        return attrs.evolve(task, **changes) if changes else task

    def _agent(self, agent: AgentConfig) -> AgentConfig:
        environment = agent.environment
        if not isinstance(environment, UnknownEnvironment) or environment.type_name not in self._catalog.environments:
            return agent
        found = self._done.get(agent)
        if found is None:
            found = self._done[agent] = attrs.evolve(agent, environment=self._environment(environment))
        return found

    def _environment(self, unknown: UnknownEnvironment) -> AgentEnvironment:
        """Read the environment's data again, now with its plugin: by way of JSON, which is YAML, one reader serves."""
        text = json.dumps({"type": unknown.type_name, **thaw(unknown.fields)}, ensure_ascii=False)
        findings = Findings(f"environment '{unknown.type_name}'", text)
        environment = EnvironmentKind().read(compose(text, findings), Reading(findings, self._catalog))
        if isinstance(environment, AgentEnvironment):
            return environment
        raise UserError("\n".join(item.message for item in findings.diagnostics()))
