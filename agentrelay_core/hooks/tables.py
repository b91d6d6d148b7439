"""The six tables that a run's tasks are looked up in, compiled once from what plugins offer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from agentrelay_core.hooks.contexts import RunInfo, StepContext
from agentrelay_core.hooks.options import structure_options
from agentrelay_core.hooks.pins import EnvironmentNames, Offer, choose, provider_key, step_key
from agentrelay_core.hooks.plugins import Plugin
from agentrelay_core.hooks.records import EnvironmentType, FrameworkType, Provider
from agentrelay_core.hooks.specs import PREFIX
from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.spec import AgentConfig, AgentEnvironment
from agentrelay_core.task_runner import (
    StepDispatch,
    TaskCompletionChecker,
    TaskKickoff,
    TaskLauncher,
    TaskMerger,
    TaskPreparer,
    TaskTeardown,
)

_new = object.__new__


@attrs.frozen(kw_only=True, eq=False)
class StepTables:
    """The tables of one run, named as `StandardTaskRunner` takes them."""

    preparer: StepDispatch[TaskPreparer]
    launcher: StepDispatch[TaskLauncher]
    kickoff: StepDispatch[TaskKickoff]
    completion_checker: StepDispatch[TaskCompletionChecker]
    merger: StepDispatch[TaskMerger]
    teardown: StepDispatch[TaskTeardown]


@attrs.frozen(eq=False)
class AgentRecords:
    """What the catalog knows of an agent: its framework and environment, where declared, and its typed options."""

    framework: FrameworkType | None
    environment: EnvironmentType | None
    options: Any


class AgentIndex:
    """Finds an agent's records, once for each agent.

    Args:
        framework: Gives the record of a framework's name, `None` where no plugin declares it.
        environment: Gives the record of an environment's class, `None` where no plugin declares it.
    """

    def __init__(
        self,
        framework: Callable[[str], FrameworkType | None],
        environment: Callable[[type[AgentEnvironment]], EnvironmentType | None],
    ) -> None:
        self._framework = framework
        self._environment = environment
        # By identity, because hashing an agent at every step costs more than the step's lookup; the agent is kept,
        # so that its identity is not given to another one.
        self._seen: dict[int, tuple[AgentConfig, AgentRecords]] = {}
        self._equal: dict[AgentConfig, AgentRecords] = {}

    def __call__(self, agent: AgentConfig) -> AgentRecords:
        """The records of an agent.

        Raises:
            UserError: Its options are wrong, or two plugins declare its framework or environment.
        """
        seen = self._seen.get(id(agent))
        if seen is not None:
            return seen[1]
        records = self._equal.get(agent)
        if records is None:
            framework = self._framework(agent.framework)
            environment = self._environment(type(agent.environment))
            records = AgentRecords(framework, environment, structure_options(framework, agent))
            self._equal[agent] = records
        self._seen[id(agent)] = (agent, records)
        return records


@attrs.frozen(eq=False)
class StepFactory:
    """An entry of a table: a provider's factory, which knows the run and finds what belongs to the task's agent."""

    offer: Offer
    make: Callable[[StepContext], Any]
    index: AgentIndex
    run: RunInfo | None = None
    known: dict[int, dict[str, Any]] = attrs.field(init=False, factory=dict, repr=False)

    @property
    def provider(self) -> str:
        """Name and version of the plugin, for messages."""
        return self.offer.plugin.title

    def __call__(self, runtime: TaskRuntime) -> Any:
        """Make the step for a task."""
        agent = runtime.task.primary_agent
        # Six contexts are made for each task, at a quarter of what ``__init__`` costs.
        context = _new(StepContext)
        fields = context.__dict__
        fields.update(self.known.get(id(agent)) or self._know(agent))
        fields["runtime"] = runtime
        return self.make(context)

    def _know(self, agent: AgentConfig) -> Mapping[str, Any]:
        """What the contexts of all tasks of an agent hold, looked up once."""
        if self.run is None:
            raise RuntimeError("this table belongs to no run; take one from Catalog.tables(run)")
        records = self.index(agent)
        known = {
            "run": self.run,
            "options": records.options,
            "framework": records.framework,
            "environment": records.environment,
        }
        # By the identity that the index keeps the agent for.
        self.known[id(agent)] = known
        return known


@attrs.frozen(eq=False)
class Compiled:
    """The entries of one step, and what to say where one is missing."""

    step: str
    entries: Mapping[tuple[str, type[AgentEnvironment]], StepFactory | Exception]
    suspects: tuple[str, ...]

    def table(self, run: Callable[[str], RunInfo] | None = None) -> StepDispatch[Any]:
        """The table, for a run.

        Args:
            run: Gives the run as a plugin of that name sees it; `None` for a table that is only looked into.
        """
        if run is None:
            return StepDispatch(self.entries, step=self.step, suspects=self.suspects)
        bound = {
            key: entry if isinstance(entry, Exception) else attrs.evolve(entry, run=run(entry.offer.plugin.name))
            for key, entry in self.entries.items()
        }
        return StepDispatch(bound, step=self.step, suspects=self.suspects)


def compile_step(
    step: str, plugins: Iterable[Plugin], pins: Mapping[str, str], names: EnvironmentNames, index: AgentIndex
) -> Compiled:
    """Compile what plugins offer for a step into the entries of its table.

    Args:
        step: The step, for example ``task_launcher``.
        plugins: All plugins, those that are not active too: they are the suspects where an entry is missing.
        pins: Distributions by pin key.
        names: What environments' classes are called.
        index: Finds an agent's records.
    """
    hook = PREFIX + step
    offers: dict[tuple[str, type[AgentEnvironment]], list[Offer]] = {}
    suspects = []
    for plugin in plugins:
        if not plugin.active:
            if plugin.may_provide(hook):
                suspects.append(suspicion(plugin))
            continue
        for provider in plugin.records.get(hook, ()):
            offers.setdefault(provider_key(provider), []).append(Offer(plugin.report, provider))
    entries: dict[tuple[str, type[AgentEnvironment]], StepFactory | Exception] = {}
    for key, given in offers.items():
        chosen = choose(step_key(step, *key, names), given, pins)
        if isinstance(chosen, Offer):
            provider_: Provider[Any] = chosen.record
            entries[key] = StepFactory(chosen, provider_.factory, index)
        else:
            entries[key] = chosen
    return Compiled(step, entries, tuple(suspects))


def suspicion(plugin: Plugin) -> str:
    """A sentence about an installed plugin that cannot be used, for messages about what is missing."""
    report = plugin.report
    if report.status == "disabled":
        return f"{report.title} is installed but disabled by [plugins] disable."
    return f"{report.title} is installed but {report.status}: {report.clause}."
