"""What must be true before the first effect: the graph is sound, and all that its tasks need is installed."""

import shutil

import attrs

from agentrelay_core.hooks import Catalog
from agentrelay_core.runtime import UserError
from agentrelay_core.spec import RunSettings, TaskGraph, UnknownEnvironment
from agentrelay_core.spec.validation import graph_problems


class InvalidGraph(UserError):
    """A graph that was built in Python is not sound (exit 3)."""


class EnvironmentNotReady(UserError):
    """A plugin, a program or a setting that the graph needs is missing (exit 5)."""


def checked_graph(graph: TaskGraph, catalog: Catalog) -> TaskGraph:
    """Check a graph by itself, and put in what its frameworks default to.

    Args:
        graph: The graph.
        catalog: What is installed.

    Raises:
        InvalidGraph: The graph is not sound; the text lists every problem.
    """
    problems = graph_problems(graph)
    if problems:
        lines = [f"{'.'.join(map(str, problem.where))}: {problem.message}" for problem in problems]
        raise InvalidGraph("the graph is not sound:\n  " + "\n  ".join(lines))
    if any(isinstance(task.primary_agent.environment, UnknownEnvironment) for task in graph.tasks):
        from agentrelay_core.graph.resolving import resolve_environments  # reads YAML; for graphs of files alone

        graph = resolve_environments(graph, catalog)
    return catalog.with_defaults(graph)


def missing_for(graph: TaskGraph, catalog: Catalog, settings: RunSettings | None = None) -> tuple[str, ...]:
    """What a graph needs and is not there, one sentence each: steps, frameworks, options, keys, programs, logins.

    Args:
        graph: The graph.
        catalog: What is installed.
        settings: Settings instead of the graph's own.
    """
    graph = _as_run(graph, settings)
    return (*map(str, catalog.problems(graph)), *_programs(graph, catalog))


def require(graph: TaskGraph, catalog: Catalog, settings: RunSettings | None = None) -> None:
    """Refuse to start where something is wrong or missing.

    Args:
        graph: The graph.
        catalog: What is installed.
        settings: Settings instead of the graph's own.

    Raises:
        InvalidGraph: A plugin that it uses cannot make sense of what it says.
        EnvironmentNotReady: Something is missing; the text lists it and the next command.
    """
    graph = _as_run(graph, settings)
    problems = catalog.problems(graph)
    mistakes = [problem.message for problem in problems if problem.kind == "mistake"]
    if mistakes:
        raise InvalidGraph("the graph is not sound:\n  " + "\n  ".join(mistakes))
    missing = (*map(str, problems), *_programs(graph, catalog))
    if missing:
        listed = "\n  ".join(missing)
        raise EnvironmentNotReady(f"this graph cannot run here yet:\n  {listed}\nsee `agentrelay plugins doctor`")


def _as_run(graph: TaskGraph, settings: RunSettings | None) -> TaskGraph:
    return graph if settings in (None, graph.settings) else attrs.evolve(graph, settings=settings)


def _programs(graph: TaskGraph, catalog: Catalog) -> list[str]:
    return [
        f"the program {need.program!r} is not on PATH; needed by {', '.join(need.needed_by)}"
        for need in catalog.needs(graph)
        if shutil.which(need.program) is None
    ]
