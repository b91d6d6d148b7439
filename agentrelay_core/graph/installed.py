"""What a valid graph asks for that nothing installed here provides: to be told by `check`, to be refused by `run`."""

from collections.abc import Iterator

from agentrelay_core.graph.catalogs import CatalogView
from agentrelay_core.graph.codes import (
    ENVIRONMENT_NOT_INSTALLED,
    FORGE_NOT_INSTALLED,
    FRAMEWORK_NOT_INSTALLED,
    NOT_HONOURED,
)
from agentrelay_core.spec import AgentConfig, TaskGraph, UnknownEnvironment
from agentrelay_core.spec.problems import Problem, Where
from agentrelay_core.spec.settings import handed_on
from agentrelay_core.spec.suggestions import did_you_mean

PROVIDED_BY = {
    "framework": {"claude_code": "agentrelay-tmux-claude"},
    "environment": {"tmux": "agentrelay-tmux-claude"},
    "forge": {"local": "agentrelay-git-gh", "github": "agentrelay-git-gh"},
}


def installation_problems(graph: TaskGraph, catalog: CatalogView) -> list[Problem]:
    """What is missing here, and keys that no plugin acts on.

    Args:
        graph: A valid graph.
        catalog: What is installed.

    Returns:
        Problems with codes AR401 to AR404; empty where the graph can run here. Each agent is told of once.
    """
    return [*_settings(graph, catalog), *_lanes(graph, catalog), *_tasks(graph, catalog)]


def _missing(code: str, kind: str, name: str, known: list[str], where: Where) -> Problem:
    distribution = PROVIDED_BY[kind].get(name)
    hint = did_you_mean(name, known)
    if distribution is not None:
        hint = f"install {distribution}, which adds it"
    return Problem(code, f"no installed plugin provides the {kind} '{name}'", hint, where)


def _unhonoured(key: str, owner: str, where: Where) -> Problem:
    return Problem(NOT_HONOURED, f"no installed plugin honours '{key}' {owner}", "take it out", where)


def _settings(graph: TaskGraph, catalog: CatalogView) -> Iterator[Problem]:
    forges = [forge.name for forge in catalog.forges]
    if graph.settings.forge != "auto" and graph.settings.forge not in forges:
        yield _missing(FORGE_NOT_INSTALLED, "forge", graph.settings.forge, ["auto", *forges], ("settings", "forge"))
    settings = handed_on(graph.settings)
    if not settings:
        return
    agents = {id(task.primary_agent): task.primary_agent for task in graph.tasks}.values()
    honoured = [_honoured(agent, catalog) for agent in agents]
    for key in settings:
        # What is installed and not used by this graph acts on nothing in it.
        if not any(keys is None or key in keys for keys in honoured):
            yield _unhonoured(key, "of the run", ("settings", key))


def _lanes(graph: TaskGraph, catalog: CatalogView) -> Iterator[Problem]:
    honoured = {key for record in catalog.workspaces for key in record.honours}
    for position, lane in enumerate(graph.workstreams):
        if lane.isolation is not None and "isolation" not in honoured:
            yield _unhonoured("isolation", f"of workstream '{lane.id}'", ("workstreams", position, "isolation"))


def _tasks(graph: TaskGraph, catalog: CatalogView) -> Iterator[Problem]:
    told: set[int] = set()
    for position, task in enumerate(graph.tasks):
        where: Where = ("tasks", position)
        agents = [(task.primary_agent, (*where, "primary_agent"))]
        if task.review is not None:
            agents.append((task.review.agent, (*where, "review", "agent")))
        for agent, place in agents:
            if id(agent) not in told:  # a named agent is one object, which all its tasks share
                told.add(id(agent))
                yield from _agent(agent, catalog, place)
        if task.isolation is not None or task.review is not None:
            honoured = _honoured(task.primary_agent, catalog)
            for key in ("isolation", "review"):
                if getattr(task, key) is not None and honoured is not None and key not in honoured:
                    yield _unhonoured(key, f"of task '{task.id}'", (*where, key))


def _agent(agent: AgentConfig, catalog: CatalogView, where: Where) -> Iterator[Problem]:
    environment = agent.environment
    if agent.framework not in catalog.frameworks and f"framework:{agent.framework}" not in catalog.conflicts:
        known = list(catalog.frameworks)
        yield _missing(FRAMEWORK_NOT_INSTALLED, "framework", agent.framework, known, (*where, "framework"))
    name = environment.type_name if isinstance(environment, UnknownEnvironment) else None
    if name is not None and name not in catalog.environments and f"environment:{name}" not in catalog.conflicts:
        known = list(catalog.environments)
        yield _missing(ENVIRONMENT_NOT_INSTALLED, "environment", name, known, (*where, "environment"))
    honoured = _honoured(agent, catalog)
    if honoured is None:
        return
    for key in ("model", "isolation"):
        if getattr(agent, key) is not None and key not in honoured:
            yield _unhonoured(key, f"of an agent of framework '{agent.framework}'", (*where, key))


def _honoured(agent: AgentConfig, catalog: CatalogView) -> set[str] | None:
    """The keys that an agent's plugins act on; `None` where one of them is missing, so that nobody can know."""
    framework = catalog.frameworks.get(agent.framework)
    if framework is None or isinstance(agent.environment, UnknownEnvironment):
        return None
    honoured = {*framework.honours}
    for environment in catalog.environments.values():
        if isinstance(agent.environment, environment.cls):
            honoured.update(environment.honours)
    for workspace in catalog.workspaces:
        honoured.update(workspace.honours)
    return honoured
