"""What a fixed set of plugins comes to; each part is worked out on first use and kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs

from agentrelay_core.hooks.named import Named, environments_by_class, named, usable_forges
from agentrelay_core.hooks.pins import Offer, ProviderConflictError, choose, pin_key
from agentrelay_core.hooks.plugins import Plugin, PluginReport
from agentrelay_core.hooks.records import EnvironmentType, ForgeProvider, FrameworkType, WorkspaceProvider
from agentrelay_core.hooks.specs import STEPS

# The tables are for those who look something up in them: a list of plugins needs none.
if TYPE_CHECKING:
    from agentrelay_core.hooks.tables import AgentIndex, Compiled
    from agentrelay_core.spec import AgentEnvironment
    from agentrelay_core.task_runner import StepDispatch


class View:
    """The plugins of a catalog, chosen among and compiled.

    Args:
        plugins: All plugins, sorted by name.
        pins: Distributions by pin key.
    """

    def __init__(self, plugins: tuple[Plugin, ...], pins: Mapping[str, str]) -> None:
        self.plugins = plugins
        self.active = tuple(plugin for plugin in plugins if plugin.active)
        self.pins = pins

    @cached_property
    def index(self) -> AgentIndex:
        """Finds the records of agents."""
        from agentrelay_core.hooks.tables import AgentIndex

        return AgentIndex(self._framework, self._environment)

    @cached_property
    def frameworks(self) -> Named[FrameworkType]:
        """Frameworks by name."""
        return named("agentrelay_frameworks", self.active, self.pins)

    @cached_property
    def environments(self) -> Named[EnvironmentType]:
        """Environments by name."""
        return named("agentrelay_environments", self.active, self.pins)

    @cached_property
    def workspaces(self) -> Named[WorkspaceProvider]:
        """The workspace, under the name ``workspace``."""
        return named("agentrelay_workspace", self.active, self.pins)

    @cached_property
    def forges(self) -> tuple[ForgeProvider, ...]:
        """The forges, conflicting ones as forges that refuse."""
        return usable_forges(named("agentrelay_forges", self.active, self.pins))

    @cached_property
    def classes(self) -> dict[type[AgentEnvironment], Offer | ProviderConflictError]:
        """Environments by their classes."""
        return environments_by_class(self.environments)

    @cached_property
    def names(self) -> dict[type[AgentEnvironment], str]:
        """What environments' classes are called."""
        declared = (p.records.get("agentrelay_environments", ()) for p in self.active)
        return {record.cls: record.name for records in declared for record in records}

    @cached_property
    def steps(self) -> dict[str, Compiled]:
        """The compiled entries of each step."""
        from agentrelay_core.hooks.tables import compile_step

        return {step: compile_step(step, self.plugins, self.pins, self.names, self.index) for step in STEPS}

    @cached_property
    def tables(self) -> dict[str, StepDispatch[Any]]:
        """The table of each step, of no run."""
        return {step: compiled.table() for step, compiled in self.steps.items()}

    @cached_property
    def offers(self) -> dict[str, tuple[Offer, ...]]:
        """Everything on offer, by pin key."""
        found: dict[str, tuple[Offer, ...]] = {}
        for plugin in self.active:
            for hook, records in plugin.records.items():
                for record in records:
                    key = pin_key(hook, record, self.names)
                    found[key] = (*found.get(key, ()), Offer(plugin.report, record))
        return found

    @cached_property
    def conflicts(self) -> dict[str, ProviderConflictError]:
        """What nothing chooses between, by pin key."""
        return {
            key: error
            for key, offers in self.offers.items()
            if isinstance(error := choose(key, offers, self.pins), ProviderConflictError)
        } | {
            f"environment:{error.offers[-1].record.name}": error
            for error in self.classes.values()
            if isinstance(error, ProviderConflictError)
        }

    @cached_property
    def reports(self) -> tuple[PluginReport, ...]:
        """How each plugin stands, with what it provides."""
        return tuple(
            attrs.evolve(
                plugin.report,
                provides=tuple(
                    pin_key(hook, record, self.names) for hook, records in plugin.records.items() for record in records
                ),
            )
            for plugin in self.plugins
        )

    def _framework(self, name: str) -> FrameworkType | None:
        return self.frameworks.get(name)

    def _environment(self, kind: type[AgentEnvironment]) -> EnvironmentType | None:
        for base in kind.__mro__:
            offer = self.classes.get(base)
            if isinstance(offer, ProviderConflictError):
                raise offer
            if offer is not None:
                record: EnvironmentType = offer.record
                return record
        for conflict in self.environments.offers.values():
            if isinstance(conflict, ProviderConflictError) and any(
                issubclass(kind, offer.record.cls) for offer in conflict.offers
            ):
                raise conflict
        return None
