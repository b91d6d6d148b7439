"""What would keep a graph from running with the plugins of a catalog, found before the first task starts.

Every key of the graph is resolved in all the tables that its tasks will need, without calling a factory. Tasks with
equal agents are looked at once, so that ten thousand of them cost no more than a few.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

import attrs

from agentrelay_core.hooks import known
from agentrelay_core.hooks.obstacles import obstacles
from agentrelay_core.hooks.pins import ProviderConflictError
from agentrelay_core.hooks.plugins import canonical
from agentrelay_core.hooks.specs import STEPS
from agentrelay_core.hooks.tables import AgentRecords, StepFactory, suspicion
from agentrelay_core.hooks.unhonoured import unhonoured
from agentrelay_core.runtime import UserError
from agentrelay_core.spec import AgentConfig, AgentEnvironment, Task, TaskGraph, TearDownMode, UnknownEnvironment
from agentrelay_core.spec.suggestions import did_you_mean
from agentrelay_core.task_runner import ANY, NoImplementationError

if TYPE_CHECKING:
    from agentrelay_core.hooks.catalog import Catalog

Kind = Literal[
    "step", "framework", "environment", "options", "workspace", "forge", "conflict", "honours", "mistake", "obstacle"
]


@attrs.frozen(kw_only=True)
class Problem:
    """Something that would keep a graph from running.

    Args:
        kind: What it is about; a ``mistake`` is one of the graph's, an ``obstacle`` of the machine's.
        message: What is wrong and what to do about it; names the tasks.
        tasks: Ids of the tasks that it concerns; empty for what concerns the run.
    """

    kind: Kind
    message: str
    tasks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.message


@attrs.frozen
class Group:
    """Tasks with equal agents, and which of the six steps they need."""

    agent: AgentConfig
    tasks: tuple[str, ...]
    steps: tuple[str, ...]


def graph_problems(catalog: "Catalog", graph: TaskGraph) -> tuple[Problem, ...]:
    """Find everything that would keep a graph from running.

    Args:
        catalog: The plugins.
        graph: The graph, its agents' default environments put in (`Catalog.with_defaults`).
    """
    found: dict[tuple[Kind, str], list[str]] = {}
    grouped = list(groups(graph))
    agents = {id(group.agent): group.agent for group in grouped}.values()
    for group in grouped:
        for kind, text in _group_problems(catalog, group):
            found.setdefault((kind, text), []).extend(group.tasks)
    problems = [
        Problem(kind=kind, message=f"{text} ({_which(tasks)})", tasks=tuple(dict.fromkeys(tasks)))
        for (kind, text), tasks in found.items()
    ]
    told = (
        Problem(kind="mistake" if each.mistake else "obstacle", message=each.message)
        for each in obstacles(catalog, graph, agents)
    )
    return (*problems, *_run_problems(catalog, graph), *unhonoured_problems(catalog, graph), *told)


def groups(graph: TaskGraph) -> Iterator[Group]:
    """The tasks of a graph, those together that have equal agents and need the same steps."""
    by_agent: dict[tuple[AgentConfig, tuple[str, ...]], list[str]] = {}
    keys: dict[tuple[int, bool], list[str]] = {}  # by identity first: hashing an agent is what costs
    for task in graph.tasks:
        key = (id(task.primary_agent), task.pull_request)
        tasks = keys.get(key)
        if tasks is None:
            tasks = by_agent.setdefault((task.primary_agent, needed_steps(task, graph)), [])
            keys[key] = tasks
        tasks.append(task.id)
    for (agent, steps), ids in by_agent.items():
        yield Group(agent, tuple(ids), steps)


def needed_steps(task: Task, graph: TaskGraph) -> tuple[str, ...]:
    """The steps that a task will come to."""
    left_out = set()
    if not task.pull_request:
        left_out.add("task_merger")
    if graph.settings.teardown_mode is TearDownMode.NEVER:
        left_out.add("task_teardown")
    return tuple(step for step in STEPS if step not in left_out)


def _group_problems(catalog: "Catalog", group: Group) -> Iterator[tuple[Kind, str]]:
    agent = group.agent
    records: AgentRecords | None = None
    try:
        records = catalog.records_of(agent)
    except ProviderConflictError as error:
        yield "conflict", str(error)
    except UserError as error:
        yield "options", str(error)
    launcher: StepFactory | None = None
    missing: dict[str, list[str]] = {}
    for step in group.steps:
        try:
            factory = catalog.table(step).resolve(agent.framework, type(agent.environment))
        except NoImplementationError as error:
            missing.setdefault(known.STEPS[step], []).append(str(error))
        except ProviderConflictError as error:
            yield "conflict", str(error)
        else:
            if step == "task_launcher" and isinstance(factory, StepFactory):
                launcher = factory
    installed = _installed(catalog)
    for distribution, texts in missing.items():
        advice = known.advice(distribution, installed)
        for text in texts:
            yield "step", f"{text} {advice}"
    if launcher is not None and records is not None:
        yield from _undeclared(catalog, agent, launcher, records)


def _undeclared(
    catalog: "Catalog", agent: AgentConfig, launcher: StepFactory, records: AgentRecords
) -> Iterator[tuple[Kind, str]]:
    """A generic launcher works through the records of framework and environment: then both must be declared."""
    framework = launcher.offer.record.framework
    if framework != ANY or not catalog.frameworks:
        return
    if records.framework is None:
        yield "framework", missing_text(catalog, "framework", agent.framework)
        return
    if launcher.offer.record.environment is not AgentEnvironment or records.environment is not None:
        return
    if type(agent.environment) is not AgentEnvironment:
        environment = agent.environment
        name = environment.type_name if isinstance(environment, UnknownEnvironment) else type(environment).__name__
        yield "environment", missing_text(catalog, "environment", name)
        return
    default = records.framework.default_environment
    if default not in catalog.environments:
        yield "environment", missing_text(catalog, "environment", default)
    else:
        yield (
            "environment",
            f"An agent of framework '{agent.framework}' runs in environment '{default}' unless it names another, "
            "which has to be told more: write it out under the agent's environment.",
        )


def missing_text(catalog: "Catalog", kind: Literal["framework", "environment"], name: str) -> str:
    """What to say of a framework or environment that no plugin declares: what there is, and what to install."""
    declared = catalog.frameworks if kind == "framework" else catalog.environments
    distributions = known.FRAMEWORKS if kind == "framework" else known.ENVIRONMENTS
    provided = f"Installed are: {', '.join(sorted(declared))}." if declared else "None is installed."
    meant = None if name in distributions else did_you_mean(name, declared)
    advice = f"{meant[0].upper()}{meant[1:]}" if meant else known.advice(distributions.get(name), _installed(catalog))
    suspects = [
        suspicion(plugin) for plugin in catalog.inactive if plugin.may_provide(f"agentrelay_{kind}s") and not meant
    ]
    return " ".join((f"No {kind} '{name}' is installed.", provided, *suspects, advice))


def _run_problems(catalog: "Catalog", graph: TaskGraph) -> Iterator[Problem]:
    try:
        workspace = catalog.workspace_offer()
    except ProviderConflictError as error:
        yield Problem(kind="workspace", message=str(error))
        return
    forge = graph.settings.forge
    if forge == "auto" or workspace is None:
        return
    conflict = catalog.conflicts.get(f"forge:{forge}")
    names = sorted(provider.name for provider in catalog.forges)
    if conflict is not None:
        yield Problem(kind="forge", message=str(conflict))
    elif forge not in names:
        hint = did_you_mean(forge, names) or f"installed are: {', '.join(names) or 'none'}"
        yield Problem(kind="forge", message=f"No forge '{forge}' is installed; {hint}")


def unhonoured_problems(catalog: "Catalog", graph: TaskGraph) -> Iterator[Problem]:
    """Keys of the graph that would be silently ignored."""
    for key, tasks in unhonoured(catalog, graph).items():
        who = f"no plugin that serves {_which(tasks)}" if tasks else "no installed plugin"
        text = f"'{key}' would be ignored: {who} honours it. Remove it from the graph, or install a plugin that does."
        yield Problem(kind="honours", message=text, tasks=tasks)


def _installed(catalog: "Catalog") -> dict[str, str]:
    return {canonical(report.name): report.status for report in catalog.plugins}


def _which(tasks: Iterable[str]) -> str:
    names = list(dict.fromkeys(tasks))
    if len(names) == 1:
        return f"task {names[0]}"
    shown = ", ".join(names[:3])
    return f"tasks {shown} and {len(names) - 3} more" if len(names) > 3 else f"tasks {shown}"
