"""What a catalog makes of a graph before anything starts: defaults, problems and the programs that it needs."""

import time

import pytest

from agentrelay_core.hooks import Catalog
from agentrelay_core.spec import (
    AgentConfig,
    ReviewConfig,
    RunSettings,
    Task,
    TaskGraph,
    TearDownMode,
    WorkstreamSpec,
)

WHOLE = """
    class Place(AgentEnvironment):
        pass

    @attrs.frozen(kw_only=True)
    class Room(AgentEnvironment):
        number: int

    @hookimpl
    def agentrelay_environments():
        yield EnvironmentType(name="place", cls=Place, host=print, honours=("isolation",), needs=("nice",))
        yield EnvironmentType(name="room", cls=Room, host=print)

    @attrs.frozen(kw_only=True)
    class Options:
        speed: int = 1

    @hookimpl
    def agentrelay_frameworks():
        yield FrameworkType(
            name="scribe", cls=object, default_environment="place", options=Options, honours=("model",), needs=("pen",)
        )
        yield FrameworkType(name="guest", cls=object, default_environment="room")
        yield FrameworkType(name="stray", cls=object, default_environment="tmux")

    @hookimpl
    def agentrelay_task_preparer():
        yield Provider(factory=print, needs=("git",))

    agentrelay_task_launcher = agentrelay_task_kickoff = agentrelay_task_completion_checker = None
    for step in ("launcher", "kickoff", "completion_checker", "merger", "teardown"):
        exec(f"@hookimpl\\ndef agentrelay_task_{step}():\\n    yield Provider(factory=print)")
"""


def graph(*agents, **options):
    tasks = [Task(id=f"t{number}", primary_agent=agent) for number, agent in enumerate(agents, 1)]
    return TaskGraph(name="g", tasks=tasks, **options)


def agent(framework="scribe", **options):
    return AgentConfig(framework=framework, **options)


def messages(catalog, asked):
    return [str(problem) for problem in catalog.problems(catalog.with_defaults(asked))]


def test_agents_get_their_frameworks_default_environment(catalog_of, plugin):
    """By name, for reviewers too; what names an environment, or cannot be completed, stays as it is."""
    module = plugin(WHOLE)
    catalog = catalog_of(module)
    named = agent(environment=module.Room(number=3))
    tasks = [
        Task(id="a", primary_agent=agent(), review=ReviewConfig(agent())),
        Task(id="b", primary_agent=named),
        Task(id="c", primary_agent=agent("guest")),
        Task(id="d", primary_agent=agent("nobody's")),
    ]
    asked = TaskGraph(name="g", tasks=tasks)
    done = catalog.with_defaults(asked)
    assert done.task("a").primary_agent == agent(environment=module.Place())
    assert done.task("a").review.agent == agent(environment=module.Place())
    assert [done.task(name) is asked.task(name) for name in "bcd"] == [True, True, True]
    assert catalog.with_defaults(done) is done


def test_a_sound_graph_has_no_problems(catalog_of):
    """Every key resolves, and nothing is called."""
    assert (
        messages(catalog_of(WHOLE), graph(agent(options={"speed": 3}, model="m"), settings=RunSettings(model="m")))
        == []
    )


def test_steps_alone_make_a_catalog(catalog_of):
    """Where no framework is declared at all, steps for any framework are enough."""
    steps = WHOLE.replace("def agentrelay_frameworks", "def _").replace("def agentrelay_environments", "def _e")
    steps = steps.replace("@hookimpl\n    def _", "def _")
    assert messages(catalog_of(steps), graph(AgentConfig(), agent("any"))) == []


def test_nothing_is_wired_past_the_hooks(install):
    """Without the git plugin and with the built-in one disabled, the message names both and what to do."""
    catalog = Catalog.discover(disable=["agentrelay-core", "agentrelay-git-gh"])
    found = messages(catalog, graph(AgentConfig()))
    assert len(found) == 6
    whole = "\n".join(found)
    assert "No implementation registered for (command, AgentEnvironment) as task_preparer." in whole
    assert 'agentrelay-git-gh provides it: take "agentrelay-git-gh" out of [plugins] disable. (task t1)' in whole
    assert 'agentrelay-core provides it: take "agentrelay-core" out of [plugins] disable. (task t1)' in whole


def test_what_is_not_installed_is_advised():
    """An empty catalog tells for each step which distribution to install."""
    found = messages(Catalog(), graph(AgentConfig()))
    assert found[0] == (
        "No implementation registered for (command, AgentEnvironment) as task_preparer. Nothing is provided. "
        "agentrelay-git-gh provides it: run `pip install agentrelay-git-gh`. (task t1)"
    )
    assert sum("pip install agentrelay-core" in text for text in found) == 3


def test_only_steps_that_tasks_come_to_are_needed():
    """A task without a pull request needs no merger; a run that never tears down no teardown."""
    tasks = [Task(id="t", pull_request=False)]
    asked = TaskGraph(name="g", tasks=tasks, settings=RunSettings(teardown_mode=TearDownMode.NEVER))
    whole = "\n".join(messages(Catalog(), asked))
    assert "task_preparer" in whole
    assert "task_merger" not in whole
    assert "task_teardown" not in whole


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (
            {"framework": "claude_code"},
            "No framework 'claude_code' is installed. Installed are: guest, scribe, stray. "
            "agentrelay-tmux-claude provides it: run `pip install agentrelay-tmux-claude`. (task t1)",
        ),
        (
            {"framework": "scrib"},
            "No framework 'scrib' is installed. Installed are: guest, scribe, stray. Did you mean 'scribe'? (task t1)",
        ),
        (
            {"framework": "zz"},
            "No framework 'zz' is installed. Installed are: guest, scribe, stray. "
            "Install a plugin that provides it. (task t1)",
        ),
        (
            {"framework": "stray"},
            "No environment 'tmux' is installed. Installed are: place, room. "
            "agentrelay-tmux-claude provides it: run `pip install agentrelay-tmux-claude`. (task t1)",
        ),
        (
            {"framework": "guest"},
            "An agent of framework 'guest' runs in environment 'room' unless it names another, which has to be told "
            "more: write it out under the agent's environment. (task t1)",
        ),
        (
            {"options": {"sped": 1}},
            "The options of framework 'scribe' are wrong: it has no option 'sped'; did you mean 'speed'? (task t1)",
        ),
    ],
)
def test_each_problem_is_a_sentence_with_advice(bad, text, catalog_of):
    """What is not declared is named with what there is and what to do."""
    assert messages(catalog_of(WHOLE), graph(agent(**bad))) == [text]


def test_conflicts_are_problems_of_those_who_need_the_key(catalog_of):
    """Two mergers are told once, with the tasks, and not at all where no task merges."""
    merger = "@hookimpl\ndef agentrelay_task_merger():\n    yield Provider(factory=print)"
    catalog = catalog_of(WHOLE, merger)
    (problem,) = catalog.problems(catalog.with_defaults(graph(*[agent()] * 5)))
    assert problem.kind == "conflict"
    assert problem.tasks == ("t1", "t2", "t3", "t4", "t5")
    assert problem.message.endswith('"task_merger:*:*" = "plugin-1" (tasks t1, t2, t3 and 2 more)')
    asked = TaskGraph(name="g", tasks=[Task(id="t", primary_agent=agent(), pull_request=False)])
    assert messages(catalog, asked) == []


def test_keys_that_nobody_honours_are_refused_by_name(catalog_of):
    """A key is honoured by the framework and environment of its own agent, or by any plugin where it is the run's."""
    catalog = catalog_of(WHOLE)
    assert catalog.honours == {"model", "isolation"}
    tasks = [
        Task(id="a", primary_agent=agent(model="m", isolation="container"), isolation="container"),
        Task(id="b", primary_agent=agent("guest", model="m")),
        Task(id="c", primary_agent=agent(), review=ReviewConfig(agent())),
    ]
    settings = RunSettings(tools=["x"], model="m", tmux_session="s")
    workstreams = [WorkstreamSpec(id="w", isolation="container")]
    asked = TaskGraph(name="g", tasks=tasks, settings=settings, workstreams=workstreams)
    found = catalog.problems(catalog.with_defaults(asked))
    refused = [problem.message for problem in found if problem.kind == "honours"]
    advice = "Remove it from the graph, or install a plugin that does."
    assert refused == [
        f"'tools' would be ignored: no installed plugin honours it. {advice}",
        f"'tmux_session' would be ignored: no installed plugin honours it. {advice}",
        f"'model' would be ignored: no plugin that serves task b honours it. {advice}",
        f"'review' would be ignored: no plugin that serves task c honours it. {advice}",
    ]
    assert "'isolation' would be ignored: no installed plugin honours it." in "".join(
        messages(Catalog(), TaskGraph(name="g", tasks=[], workstreams=workstreams))
    )


WORKSPACE = """
    @hookimpl
    def agentrelay_workspace():
        yield WorkspaceProvider(name="w", factory=print, needs=("git",))

    @hookimpl
    def agentrelay_forges():
        yield ForgeProvider(name="hub", recognises=bool, factory=print, needs=("hub",))
"""


def test_a_forge_that_is_not_installed_is_a_problem(catalog_of):
    """``auto`` needs none by name; another name must be installed."""
    catalog = catalog_of(WORKSPACE)
    asked = [TaskGraph(name="g", tasks=[], settings=RunSettings(forge=forge)) for forge in ("auto", "hub", "hup", "zz")]
    assert [messages(catalog, one) for one in asked] == [
        [],
        [],
        ["No forge 'hup' is installed; did you mean 'hub'?"],
        ["No forge 'zz' is installed; installed are: hub"],
    ]


def test_programs_are_needed_by_someone(catalog_of):
    """Each program comes once, with all who need it for this graph."""
    catalog = catalog_of(WHOLE, WORKSPACE)
    asked = catalog.with_defaults(graph(agent(), settings=RunSettings(forge="hub")))
    assert [(need.program, need.needed_by) for need in catalog.needs(asked)] == [
        ("git", ("plugin-1 1.0 (task_preparer)", "plugin-2 2.0 (workspace)")),
        ("hub", ("plugin-2 2.0 (forge hub)",)),
        ("nice", ("plugin-1 1.0 (environment place)",)),
        ("pen", ("plugin-1 1.0 (framework scribe)",)),
    ]
    assert [need.program for need in catalog.needs(graph(agent("guest")))] == ["git"]


def test_ten_thousand_tasks_cost_little(catalog_of):
    """Equal agents are looked at once: a large graph is checked in the time of its own making."""
    catalog = catalog_of(WHOLE)
    before = time.process_time()
    asked = graph(*(agent(options={"speed": number % 10}) for number in range(10_000)))
    making = time.process_time() - before
    before = time.process_time()
    done = catalog.with_defaults(asked)
    assert catalog.problems(done) == ()
    assert catalog.needs(done)
    assert time.process_time() - before < 4 * making
