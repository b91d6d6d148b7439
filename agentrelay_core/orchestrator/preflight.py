"""What must be true before the first effect: the graph is sound, and all that its tasks need is installed."""

import shutil

from agentrelay_core.hooks import Catalog
from agentrelay_core.runtime import UserError
from agentrelay_core.spec import TaskGraph, UnknownEnvironment
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


def missing_for(graph: TaskGraph, catalog: Catalog) -> tuple[str, ...]:
    """What a graph needs and is not there, one sentence each: steps, frameworks, options, keys, programs."""
    problems = [str(problem) for problem in catalog.problems(graph)]
    problems += [
        f"the program {need.program!r} is not on PATH; needed by {', '.join(need.needed_by)}"
        for need in catalog.needs(graph)
        if shutil.which(need.program) is None
    ]
    return tuple(problems)


def require(problems: tuple[str, ...]) -> None:
    """Refuse to start.

    Args:
        problems: What is missing.

    Raises:
        EnvironmentNotReady: There are problems; the text lists them and the next command.
    """
    if problems:
        listed = "\n  ".join(problems)
        raise EnvironmentNotReady(f"this graph cannot run here yet:\n  {listed}\nsee `agentrelay plugins doctor`")
