"""A graph that was read without a catalog is completed by one."""

from collections.abc import Callable
from typing import Any

import pytest

from agentrelay_core.graph import UnknownEnvironment, read_graph
from agentrelay_core.graph.resolving import resolve_environments
from agentrelay_core.runtime import UserError
from agentrelay_core.spec import TaskGraph

TEXT = """
name: g
agents:
  boxed: {framework: plain, environment: {type: box, image: 12, cpus: 2, mounts: [a, "1"]}}
  lost: {framework: plain, environment: moon}
tasks:
  a: {description: x, agent: boxed, review: {agent: boxed}}
  b: {description: x, agent: boxed}
  c: {description: x, agent: lost}
"""


def graph_of(text: str, catalog: Any = None) -> TaskGraph:
    graph = read_graph(text, catalog=catalog).graph
    assert graph is not None
    return graph


def test_resolved_later_is_read_with(catalog: Callable[..., Any]) -> None:
    """Resolving later gives the graph that reading with the catalog gives; what is not installed stays."""
    resolved = resolve_environments(graph_of(TEXT), catalog())
    assert resolved == graph_of(TEXT, catalog())
    a, b, c = resolved.tasks
    assert a.review is not None
    assert a.primary_agent is b.primary_agent is a.review.agent
    assert c.primary_agent.environment == UnknownEnvironment(type_name="moon")


def test_nothing_to_do(catalog: Callable[..., Any]) -> None:
    """A graph with nothing to resolve comes back as it is."""
    graph = graph_of(TEXT, catalog())
    assert resolve_environments(graph, catalog()) is graph


def test_wrong_data(catalog: Callable[..., Any]) -> None:
    """Data that the environment's plugin does not take is refused by name."""
    graph = graph_of("name: g\ntasks: {a: {description: x, agent: {environment: {type: box, cpu: 2}}}}")
    with pytest.raises(UserError, match="the environment 'box' has no key 'cpu'"):
        resolve_environments(graph, catalog())


def test_run_resolves() -> None:
    """A graph that was read without a catalog is completed before it runs; what is missing is named as in the file."""
    from agentrelay_core.builtin.environment import ProcessEnvironment
    from agentrelay_core.hooks import Catalog
    from agentrelay_core.orchestrator.preflight import checked_graph, missing_for

    catalog = Catalog.discover()
    text = "name: g\ntasks: {a: {description: x, pull_request: false, agent: {command: x, environment: %s}}}"
    assert checked_graph(graph_of(text % "process"), catalog).tasks[0].primary_agent.environment == ProcessEnvironment()
    problems = missing_for(checked_graph(graph_of(text % "moon"), catalog), catalog)
    assert any("No environment 'moon' is installed." in problem for problem in problems)
