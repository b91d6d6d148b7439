"""Which programs must be on PATH, and who needs them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs

from agentrelay_core.hooks.pins import Offer, ProviderConflictError
from agentrelay_core.hooks.problems import groups
from agentrelay_core.hooks.tables import StepFactory
from agentrelay_core.runtime import UserError
from agentrelay_core.spec import TaskGraph
from agentrelay_core.task_runner import NoImplementationError

if TYPE_CHECKING:
    from agentrelay_core.hooks.catalog import Catalog


@attrs.frozen
class Need:
    """A program that must be on PATH.

    Args:
        program: Its name.
        needed_by: Who needs it, for example ``agentrelay-aider 1.0 (framework aider)``; sorted.
    """

    program: str
    needed_by: tuple[str, ...]


def graph_needs(catalog: "Catalog", graph: TaskGraph) -> tuple[Need, ...]:
    """The programs that a graph needs.

    What cannot be resolved needs nothing here: `Catalog.problems` tells of it.

    Args:
        catalog: The plugins.
        graph: The graph, its agents' default environments put in.
    """
    wanted: dict[str, set[str]] = {}
    offers = catalog.offers
    for group in groups(graph):
        agent = group.agent
        for step in group.steps:
            try:
                factory = catalog.table(step).resolve(agent.framework, type(agent.environment))
            except (NoImplementationError, ProviderConflictError):
                continue
            if isinstance(factory, StepFactory):
                _add(wanted, factory.offer.record, f"{factory.offer.plugin.title} ({step})")
        try:
            records = catalog.records_of(agent)
        except UserError:
            continue
        for kind, record in (("framework", records.framework), ("environment", records.environment)):
            if record is not None:
                who = next(offer.plugin.title for offer in offers[f"{kind}:{record.name}"] if offer.record is record)
                _add(wanted, record, f"{who} ({kind} {record.name})")
    for key in ("workspace", f"forge:{graph.settings.forge}"):
        if key not in catalog.conflicts:
            for offer in _chosen(catalog, key):
                _add(wanted, offer.record, f"{offer.plugin.title} ({key.replace(':', ' ')})")
    return _sorted(wanted)


def all_needs(catalog: "Catalog") -> tuple[Need, ...]:
    """The programs that anything in a catalog needs, whether a graph uses it or not."""
    wanted: dict[str, set[str]] = {}
    for key, offers in catalog.offers.items():
        for offer in offers:
            _add(wanted, offer.record, f"{offer.plugin.title} ({key})")
    return _sorted(wanted)


def _chosen(catalog: "Catalog", key: str) -> Iterable[Offer]:
    offers = catalog.offers.get(key, ())
    return offers if len(offers) == 1 else (offer for offer in offers if offer.plugin.name == catalog.pins.get(key))


def _add(wanted: dict[str, set[str]], record: Any, who: str) -> None:
    for program in record.needs:
        wanted.setdefault(program, set()).add(who)


def _sorted(wanted: dict[str, set[str]]) -> tuple[Need, ...]:
    return tuple(Need(program, tuple(sorted(who))) for program, who in sorted(wanted.items()))
