"""What all plugins together provide, as a value that is handed to an orchestrator.

There is no global registry: two catalogs can live in one process and know nothing of each other. Each plugin is asked
once, when it is added; what its records come to is worked out when somebody needs it, so that a conflict or a broken
plugin is an error only for those whom it concerns.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from agentrelay_core.hooks import discovery, loading
from agentrelay_core.hooks.pins import Offer, ProviderConflictError
from agentrelay_core.hooks.plugins import Plugin, PluginReport, canonical
from agentrelay_core.hooks.specs import STEPS
from agentrelay_core.hooks.view import View

# What judges a graph is imported when there is one: a list of plugins, or a plugin's test, needs none of it.
if TYPE_CHECKING:
    from agentrelay_core.hooks.contexts import RunInfo
    from agentrelay_core.hooks.needs import Need
    from agentrelay_core.hooks.problems import Problem
    from agentrelay_core.hooks.records import EnvironmentType, ForgeProvider, FrameworkType, WorkspaceProvider
    from agentrelay_core.hooks.tables import AgentRecords, StepTables
    from agentrelay_core.spec import AgentConfig, TaskGraph
    from agentrelay_core.task_runner import StepDispatch, Workspace

_CORE = "agentrelay-core"


class Catalog:
    """Plugins and what they provide. An empty one discovers nothing.

    Args:
        pins: Which distribution provides a key that several plugins offer, by pin key (``[plugins.pin]``).
        plugin_options: What the configuration says to plugins, by distribution (``[options.<distribution>]``).
    """

    def __init__(
        self,
        *,
        pins: Mapping[str, str] | None = None,
        plugin_options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.pins: Mapping[str, str] = MappingProxyType(dict(pins or {}))
        self.plugin_options: Mapping[str, Mapping[str, Any]] = MappingProxyType(
            {canonical(name): options for name, options in (plugin_options or {}).items()}
        )
        self.disable: tuple[str, ...] = ()
        self._plugins: tuple[Plugin, ...] = ()
        self._view = View((), self.pins)

    @classmethod
    def discover(
        cls,
        *,
        disable: Collection[str] = (),
        pins: Mapping[str, str] | None = None,
        plugin_options: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Catalog:
        """Make a catalog of all installed plugins.

        Args:
            disable: Distributions whose plugins are not even imported (``[plugins] disable``).
            pins: Which distribution provides a key that several plugins offer, by pin key.
            plugin_options: What the configuration says to plugins, by distribution.

        Returns:
            The catalog; a plugin that cannot be used is in it with its reason.
        """
        catalog = cls(pins=pins, plugin_options=plugin_options)
        catalog.disable = tuple(sorted(disable))
        off = {canonical(name) for name in disable}
        found = discovery.candidates()
        core = next((candidate.version for candidate in found if canonical(candidate.name) == _CORE), "")
        catalog._take(
            *(
                loading.disabled(candidate) if canonical(candidate.name) in off else loading.load(candidate, core)
                for candidate in found
            )
        )
        return catalog

    def add(self, plugin: object, *, name: str | None = None, version: str = "") -> PluginReport:
        """Add a module, or an object with hook implementations, as a plugin of this catalog alone.

        Args:
            plugin: The module or object.
            name: What messages and pins call it; default the module's or the class's name.
            version: Its version, for messages.

        Returns:
            How it stands: a plugin that does something wrong is ``broken``, with a reason, as an installed one is.

        Raises:
            ValueError: The catalog has a plugin of that name.
        """
        name = name or getattr(plugin, "__name__", None) or type(plugin).__name__
        if any(canonical(name) == canonical(other.report.name) for other in self._plugins):
            raise ValueError(f"the catalog has a plugin '{name}' already; give another name: add(…, name='…')")
        added = loading.register(PluginReport(name=name, version=version), [plugin])
        self._take(added)
        return next(report for report in self.plugins if report.name == name)

    def _take(self, *plugins: Plugin) -> None:
        self._plugins = tuple(sorted((*self._plugins, *plugins), key=_by_name))
        self._view = View(self._plugins, self.pins)

    @property
    def plugins(self) -> tuple[PluginReport, ...]:
        """How each plugin stands, sorted by name."""
        return self._view.reports

    @property
    def frameworks(self) -> Mapping[str, FrameworkType]:
        """Frameworks by name, without those that are in `conflicts`."""
        return self._view.frameworks.records

    @property
    def environments(self) -> Mapping[str, EnvironmentType]:
        """Environments by name, without those that are in `conflicts`."""
        return self._view.environments.records

    @property
    def workspaces(self) -> tuple[WorkspaceProvider, ...]:
        """The workspaces; more than one only where nothing chooses."""
        return tuple(
            record
            for plugin in self._view.active
            for record in plugin.records.get("agentrelay_workspace", ())
            if self._view.workspaces.records.get("workspace", record) is record
        )

    @property
    def forges(self) -> tuple[ForgeProvider, ...]:
        """The forges; one that is in `conflicts` raises when it is made."""
        return self._view.forges

    @property
    def honours(self) -> frozenset[str]:
        """Graph keys beyond those of the core that some plugin acts on."""
        acting: list[FrameworkType | EnvironmentType | WorkspaceProvider] = []
        acting += [*self.frameworks.values(), *self.environments.values(), *self.workspaces]
        return frozenset(key for record in acting for key in record.honours)

    @property
    def conflicts(self) -> Mapping[str, ProviderConflictError]:
        """What several plugins provide and nothing chooses between, by pin key."""
        return self._view.conflicts

    def records_of(self, agent: AgentConfig) -> AgentRecords:
        """What is known of an agent: the records of its framework and environment, and its typed options.

        Raises:
            UserError: An option is wrong, or two plugins declare its framework or environment.
        """
        return self._view.index(agent)

    def table(self, step: str) -> StepDispatch[Any]:
        """The table of a step (``task_launcher`` …), of no run: good for looking up who serves a key."""
        return self._view.tables[step]

    def tables(self, run: RunInfo) -> StepTables:
        """The six tables of a run, compiled once, for `StandardTaskRunner`.

        Args:
            run: The run; each plugin sees it with its own options.
        """
        from agentrelay_core.hooks.tables import StepTables

        run = attrs.evolve(run, forges=self.forges)
        seen: dict[str, RunInfo] = {}

        def for_plugin(name: str) -> RunInfo:
            if name not in seen:
                seen[name] = self._run_for(run, name)
            return seen[name]

        steps = {step.removeprefix("task_"): self._view.steps[step].table(for_plugin) for step in STEPS}
        return StepTables(**steps)

    def workspace(self, run: RunInfo) -> Workspace | None:
        """Make the workspace of a run.

        Args:
            run: The run; forges and the plugin's options are filled in.

        Returns:
            The workspace, or `None` where no plugin provides one.

        Raises:
            ProviderConflictError: Several plugins provide one and no pin chooses.
        """
        offer = self.workspace_offer()
        if offer is None:
            return None
        run = attrs.evolve(self._run_for(run, offer.plugin.name), forges=self.forges)
        workspace: Workspace = offer.record.factory(run)
        return workspace

    def workspace_offer(self) -> Offer | None:
        """Which plugin provides the workspace, `None` if none does; `ProviderConflictError` if nothing chooses."""
        offer = self._view.workspaces.offers.get("workspace")
        if isinstance(offer, ProviderConflictError):
            raise offer
        return offer

    def with_defaults(self, graph: TaskGraph) -> TaskGraph:
        """Give agents that name no environment their framework's default one.

        Args:
            graph: A graph, for example one built in Python.

        Returns:
            The graph; the same object where nothing was to be done.
        """
        from agentrelay_core.hooks.defaults import with_default_environments

        return with_default_environments(graph, self.frameworks, self.environments)

    def problems(self, graph: TaskGraph) -> tuple[Problem, ...]:
        """Everything that would keep a graph from running with these plugins, found without starting anything."""
        from agentrelay_core.hooks.problems import graph_problems

        return graph_problems(self, graph)

    def needs(self, graph: TaskGraph) -> tuple[Need, ...]:
        """The programs that a graph needs on PATH, with who needs them."""
        from agentrelay_core.hooks.needs import graph_needs

        return graph_needs(self, graph)

    def _run_for(self, run: RunInfo, name: str) -> RunInfo:
        """The run as one plugin sees it: with its own ``[options.<distribution>]``."""
        return attrs.evolve(run, plugin_options=self.plugin_options.get(canonical(name), {}))

    @property
    def inactive(self) -> tuple[Plugin, ...]:
        """The plugins that cannot be used, with the hooks that they mean to implement where that is known."""
        return tuple(plugin for plugin in self._plugins if not plugin.active)

    @property
    def offers(self) -> Mapping[str, tuple[Offer, ...]]:
        """Everything that active plugins offer, by pin key."""
        return self._view.offers


def _by_name(plugin: Plugin) -> tuple[str, str]:
    return canonical(plugin.report.name), plugin.report.version
