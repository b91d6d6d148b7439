"""What frameworks and environments say before a run that keeps a graph from running."""

import pytest

from agentrelay_core import run_graph
from agentrelay_core.orchestrator import EnvironmentNotReady, InvalidGraph
from agentrelay_core.spec import AgentConfig, RunSettings, Task, TaskGraph

PLUGIN = """
    class Place(AgentEnvironment):
        pass

    def in_place(graph):
        if graph.settings.tmux_session == "odd":
            raise ValueError("tmux_session: 'odd' is no session")
        yield f"there is no place for {len(graph.tasks)} tasks"

    def of_scribe(graph):
        raise OSError("cannot look")

    @hookimpl
    def agentrelay_environments():
        yield EnvironmentType(name="place", cls=Place, host=print, honours=("tmux_session",), obstacles=in_place)

    @hookimpl
    def agentrelay_frameworks():
        yield FrameworkType(name="scribe", cls=object, default_environment="place", obstacles=of_scribe)
        yield FrameworkType(name="guest", cls=object, default_environment="place")
        yield FrameworkType(name="unused", cls=object, default_environment="place", obstacles=print)
"""


def graph(framework, **settings):
    tasks = [Task(id=name, description="x", primary_agent=AgentConfig(framework=framework)) for name in "ab"]
    return TaskGraph(name="g", tasks=tasks, settings=RunSettings(**settings))


def found(catalog, asked):
    problems = catalog.problems(catalog.with_defaults(asked))
    return [(problem.kind, problem.message) for problem in problems if problem.kind in ("mistake", "obstacle")]


def test_those_that_a_graph_uses_are_asked(catalog_of, plugin):
    """Each once; what it says is told as it said it, a mistake as one, and a look that fails by its name."""
    catalog = catalog_of(plugin(PLUGIN))
    assert found(catalog, graph("guest")) == [("obstacle", "there is no place for 2 tasks")]
    assert found(catalog, graph("guest", tmux_session="odd")) == [("mistake", "tmux_session: 'odd' is no session")]
    of_scribe, _ = found(catalog, graph("scribe"))
    assert of_scribe == ("obstacle", "the look of 'scribe' at this graph failed: OSError: cannot look")


@pytest.mark.parametrize(("session", "error"), [("odd", InvalidGraph), (None, EnvironmentNotReady)])
async def test_a_run_is_refused(catalog_of, plugin, tmp_path, session, error):
    """A mistake is the graph's, all else the machine's; the settings that count are those in force."""
    settings = RunSettings(tmux_session=session, state_dir=tmp_path)
    with pytest.raises(error, match=r"no session|no place for 2"):
        await run_graph(graph("guest"), repository=None, catalog=catalog_of(plugin(PLUGIN)), settings=settings)
    assert not list(tmp_path.glob("journal*"))
