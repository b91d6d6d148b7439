"""What plugins declare by name: frameworks, environments and forges, and the run's workspace, each chosen once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from agentrelay_core.hooks.pins import Offer, ProviderConflictError, choose, pin_key
from agentrelay_core.hooks.plugins import Plugin
from agentrelay_core.hooks.records import EnvironmentType, ForgeProvider

if TYPE_CHECKING:
    from agentrelay_core.hooks.contexts import RunInfo
    from agentrelay_core.spec import AgentEnvironment

Record = TypeVar("Record")


@attrs.frozen
class Named(Generic[Record]):
    """The records of one hook, by name.

    Args:
        offers: What was chosen for each name; the error where nothing chooses.
        records: The chosen records; a name that two plugins claim is not among them.
    """

    offers: Mapping[str, Offer | ProviderConflictError]
    records: Mapping[str, Record]

    def get(self, name: str) -> Record | None:
        """The record of a name, `None` if there is none.

        Raises:
            ProviderConflictError: Two plugins claim the name.
        """
        offer = self.offers.get(name)
        if isinstance(offer, ProviderConflictError):
            raise offer
        return self.records.get(name)


def named(hook: str, plugins: Iterable[Plugin], pins: Mapping[str, str]) -> Named[Any]:
    """Choose the records of a hook.

    Args:
        hook: The hook's name.
        plugins: The active plugins.
        pins: Distributions by pin key.
    """
    given: dict[str, list[Offer]] = {}
    for plugin in plugins:
        for record in plugin.records.get(hook, ()):
            given.setdefault(pin_key(hook, record), []).append(Offer(plugin.report, record))
    # The workspace's key has no name of its own: it goes by the whole key.
    offers = {key.partition(":")[2] or key: choose(key, found, pins) for key, found in sorted(given.items())}
    records = {name: offer.record for name, offer in offers.items() if isinstance(offer, Offer)}
    return Named(MappingProxyType(offers), MappingProxyType(records))


def environments_by_class(
    environments: Named[EnvironmentType],
) -> dict[type[AgentEnvironment], Offer | ProviderConflictError]:
    """Environments by their classes, by which tasks name them; two names for one class are a conflict as well."""
    found: dict[type[AgentEnvironment], Offer | ProviderConflictError] = {}
    for name, offer in environments.offers.items():
        if not isinstance(offer, Offer):
            continue
        kind = offer.record.cls
        other = found.get(kind)
        if isinstance(other, Offer):
            found[kind] = ProviderConflictError(
                f"{other.plugin.title} and {offer.plugin.title} both declare the class {kind.__name__} as an "
                f"environment, as '{other.record.name}' and '{name}'. Disable one in agentrelay.toml, under [plugins]: "
                f'disable = ["{offer.plugin.name}"]',
                (other, offer),
            )
        elif other is None:
            found[kind] = offer
    return found


def usable_forges(forges: Named[ForgeProvider]) -> tuple[ForgeProvider, ...]:
    """The forges, where a name that two plugins claim stands as a forge that recognises and then refuses."""
    return tuple(
        offer.record if isinstance(offer, Offer) else _refusing(name, offer) for name, offer in forges.offers.items()
    )


def _refusing(name: str, conflict: ProviderConflictError) -> ForgeProvider:
    def refuse(run: RunInfo) -> Any:
        raise conflict

    def recognises(url: str) -> bool:
        return any(offer.record.recognises(url) for offer in conflict.offers)

    return ForgeProvider(name=name, recognises=recognises, factory=refuse)
