"""Agents that name no environment get their framework's default one, by name."""

from collections.abc import Mapping
from typing import Any

import attrs

from agentrelay_core.hooks.records import EnvironmentType, FrameworkType
from agentrelay_core.spec import AgentConfig, AgentEnvironment, Task, TaskGraph


def default_environment(
    framework: FrameworkType | None, environments: Mapping[str, EnvironmentType]
) -> AgentEnvironment | None:
    """The environment of a framework's agents that name none.

    Args:
        framework: The framework, `None` where no plugin declares it.
        environments: The installed environments, by name.

    Returns:
        The environment; `None` where it is not installed, or cannot be made without being told more.
    """
    declared = environments.get(framework.default_environment) if framework is not None else None
    if declared is None or any(field.init and field.default is attrs.NOTHING for field in attrs.fields(declared.cls)):
        return None
    return declared.cls()


def with_default_environments(
    graph: TaskGraph, frameworks: Mapping[str, FrameworkType], environments: Mapping[str, EnvironmentType]
) -> TaskGraph:
    """Put the default environment into every agent of a graph that names none.

    Args:
        graph: The graph.
        frameworks: The installed frameworks, by name.
        environments: The installed environments, by name.

    Returns:
        The graph; the same object where nothing was to be done.
    """
    by_framework = {name: default_environment(framework, environments) for name, framework in frameworks.items()}
    done: dict[int, AgentConfig] = {}  # by identity; the graph keeps the agents alive
    equal: dict[AgentConfig, AgentConfig] = {}

    def completed(agent: AgentConfig) -> AgentConfig:
        if type(agent.environment) is not AgentEnvironment:
            return agent
        found = done.get(id(agent))
        if found is None:
            environment = by_framework.get(agent.framework)
            if environment is None:
                found = agent
            else:
                found = equal.setdefault(agent, attrs.evolve(agent, environment=environment))
            done[id(agent)] = found
        return found

    def changed(task: Task) -> Task:
        agent = completed(task.primary_agent)
        review = task.review
        if review is not None:
            reviewer = completed(review.agent)
            review = review if reviewer is review.agent else attrs.evolve(review, agent=reviewer)
        if agent is task.primary_agent and review is task.review:
            return task
        return attrs.evolve(task, primary_agent=agent, review=review)

    agents = {id(task.primary_agent): task.primary_agent for task in graph.tasks}
    agents.update((id(task.review.agent), task.review.agent) for task in graph.tasks if task.review is not None)
    if all(completed(agent) is agent for agent in agents.values()):
        return graph
    changes: dict[str, Any] = {"tasks": tuple(changed(task) for task in graph.tasks)}
    return attrs.evolve(graph, **changes)
