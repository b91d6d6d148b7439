"""What frameworks and environments know that keeps a graph from running here: they alone can tell, before it begins."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import attrs

from agentrelay_core.hooks.records import EnvironmentType, FrameworkType
from agentrelay_core.runtime import UserError
from agentrelay_core.spec import AgentConfig, TaskGraph

if TYPE_CHECKING:
    from agentrelay_core.hooks.catalog import Catalog


@attrs.frozen(kw_only=True)
class Obstacle:
    """Something that keeps a graph from running.

    Args:
        message: What, and what to do about it.
        mistake: Whether the graph, or its settings, are wrong; otherwise something is missing here.
    """

    message: str
    mistake: bool


def obstacles(catalog: "Catalog", graph: TaskGraph, agents: Iterable[AgentConfig]) -> Iterator[Obstacle]:
    """Ask the frameworks and environments that a graph uses.

    Args:
        catalog: The plugins.
        graph: The graph, its agents' default environments put in, with the settings that are in force.
        agents: Its agents, each once.
    """
    for record in _used(catalog, agents):
        if record.obstacles is None:
            continue
        try:
            for text in record.obstacles(graph):
                yield Obstacle(message=text, mistake=False)
        except ValueError as error:
            yield Obstacle(message=str(error), mistake=True)
        except Exception as error:  # a plugin's; what it could not look at is not known to be well
            text = f"the look of '{record.name}' at this graph failed: {type(error).__name__}: {error}"
            yield Obstacle(message=text, mistake=False)


def _used(catalog: "Catalog", agents: Iterable[AgentConfig]) -> list[FrameworkType | EnvironmentType]:
    found: dict[int, FrameworkType | EnvironmentType] = {}
    for agent in agents:
        try:
            records = catalog.records_of(agent)
        except UserError:
            continue  # which is a problem that is told by itself
        found.update((id(each), each) for each in (records.framework, records.environment) if each is not None)
    return list(found.values())
