"""What plugins offer becomes six tables; two offers for one key are a conflict only for those who need it."""

import attrs
import pytest

from agentrelay_core.hooks import Catalog
from agentrelay_core.hooks.pins import ProviderConflictError
from agentrelay_core.hooks.specs import STEPS
from agentrelay_core.runtime import TaskRuntime, UserError
from agentrelay_core.spec import AgentConfig, RunSettings, Task
from agentrelay_core.task_runner import NoImplementationError

LAUNCHERS = """
    class Tmux(AgentEnvironment):
        pass

    @hookimpl
    def agentrelay_environments():
        yield EnvironmentType(name="tmux", cls=Tmux, host=print)

    @hookimpl
    def agentrelay_task_launcher():
        yield Provider(framework="aider", environment=Tmux, factory=lambda context: ("exact", context))
        yield Provider(framework="aider", factory=lambda context: ("anywhere", context))
        yield Provider(environment=Tmux, factory=lambda context: ("any", context))
"""

FRAMEWORK = """
    @attrs.frozen(kw_only=True)
    class Options:
        command: str | tuple[str, ...] = "ls"
        retries: int = 1
        limits: dict[str, float] = attrs.field(factory=dict)
        dry: bool = False

    @hookimpl
    def agentrelay_frameworks():
        yield FrameworkType(name="aider", cls=object, default_environment="tmux", options=Options)
        yield FrameworkType(name="bare", cls=object, default_environment="tmux")

    @hookimpl
    def agentrelay_task_launcher():
        yield Provider(factory=lambda context: context)
"""


def runtime(environment=None, **agent):
    if environment is not None:
        agent["environment"] = environment
    return TaskRuntime(Task(id="t", primary_agent=AgentConfig(**agent)))


def test_each_key_finds_its_provider_and_context(catalog_of, plugin, run_info):
    """The factory gets the runtime, the run with the plugin's own options, and the records of the agent."""
    module = plugin(LAUNCHERS)
    catalog = catalog_of(module, plugin_options={"Plugin_1": {"a": 1}, "other": {"b": 2}})
    tables = catalog.tables(run_info)
    for environment, framework, served in (
        (module.Tmux(), "aider", "exact"),
        (None, "aider", "anywhere"),
        (module.Tmux(), "x", "any"),
    ):
        task = runtime(environment, framework=framework)
        found, context = tables.launcher(task)
        assert found == served
        assert context.runtime is task
        assert context.run.plugin_options == {"a": 1}
        assert context.run.run_id == "r1"
        assert context.environment == (catalog.environments["tmux"] if environment else None)
        assert context.framework is None


def test_tables_are_named_as_the_runner_takes_them(catalog_of, run_info):
    """The six fields are the keyword arguments of the runner, and each table knows its step."""
    tables = catalog_of("").tables(run_info)
    names = [field.name for field in attrs.fields(type(tables))]
    assert [f"task_{name}" for name in names] == list(STEPS)
    with pytest.raises(NoImplementationError, match=r"for \(command, AgentEnvironment\) as task_kickoff. Nothing is"):
        tables.kickoff(runtime())


def test_two_providers_of_a_key_name_the_line_that_chooses(catalog_of, plugin, run_info):
    """The conflict names both distributions, their versions and the line; other keys are served all the same."""
    shared = plugin(LAUNCHERS)
    other = plugin(
        """
        @hookimpl
        def agentrelay_task_launcher():
            yield Provider(framework="aider", environment=Tmux, factory=lambda context: "second")
        """
    )
    other.Tmux = shared.Tmux
    tables = catalog_of(shared, other).tables(run_info)
    with pytest.raises(ProviderConflictError) as caught:
        tables.launcher(runtime(shared.Tmux(), framework="aider"))
    assert str(caught.value) == (
        "2 plugins provide task_launcher:aider:tmux: plugin-1 1.0 and plugin-2 2.0. Choose one in agentrelay.toml, "
        'under [plugins.pin]: "task_launcher:aider:tmux" = "plugin-1"'
    )
    assert isinstance(caught.value, UserError)
    assert tables.launcher(runtime(framework="aider"))[0] == "anywhere"
    pinned = catalog_of(shared, other, pins={"task_launcher:aider:tmux": "Plugin_2"})
    assert pinned.tables(run_info).launcher(runtime(shared.Tmux(), framework="aider")) == "second"
    wrong = catalog_of(shared, other, pins={"task_launcher:aider:tmux": "plugin-3"})
    with pytest.raises(ProviderConflictError, match="The pin names plugin-3, which does not provide it"):
        wrong.tables(run_info).launcher(runtime(shared.Tmux(), framework="aider"))


def test_the_order_of_plugins_decides_nothing(plugin, run_info):
    """Adding the same plugins in another order gives the same reports and the same conflict."""
    one, two = (
        f"@hookimpl\ndef agentrelay_task_merger():\n    yield Provider(factory={name})" for name in ("str", "int")
    )
    texts = []
    for order in (("a", one), ("b", two)), (("b", two), ("a", one)):
        catalog = Catalog()
        for name, source in order:
            catalog.add(plugin(source), name=name)
        with pytest.raises(ProviderConflictError) as caught:
            catalog.tables(run_info).merger(runtime())
        texts.append((str(caught.value), [report.name for report in catalog.plugins]))
    assert texts[0] == texts[1]


def test_a_miss_names_what_is_provided_and_who_might_have(install, run_info):
    """Broken and disabled plugins are named where they might have provided the key, with the reason; others are not."""
    install("agentrelay-hurt", "raise ValueError('hurt')", version="3")
    install("agentrelay-off", "")
    install(
        "agentrelay-elsewhere",
        "from agentrelay_core.hooks import hookimpl\n@hookimpl\ndef agentrelay_forges():\n    return 3\n",
    )
    catalog = Catalog.discover(
        disable=["agentrelay-off", "agentrelay-core", "agentrelay-git-gh", "agentrelay-tmux-claude"]
    )
    with pytest.raises(KeyError) as caught:
        catalog.tables(run_info).launcher(runtime(framework="aider"))
    text = str(caught.value)
    assert text.startswith(
        "No implementation registered for (aider, AgentEnvironment) as task_launcher. Nothing is provided. "
    )
    assert "agentrelay-core 0." in text
    assert "agentrelay-off 1.0 is installed but disabled by [plugins] disable." in text
    assert "agentrelay-hurt 3 is installed but broken: importing agentrelay_hurt raised ValueError: hurt (" in text
    assert "agentrelay-elsewhere" not in text


def test_two_catalogs_know_nothing_of_each_other(catalog_of, run_info):
    """There is no global registry."""
    one = catalog_of("@hookimpl\ndef agentrelay_task_merger():\n    yield Provider(factory=lambda context: 1)")
    two = catalog_of("@hookimpl\ndef agentrelay_task_merger():\n    yield Provider(factory=lambda context: 2)")
    assert (one.tables(run_info).merger(runtime()), two.tables(run_info).merger(runtime())) == (1, 2)


def test_options_are_typed(catalog_of, run_info):
    """A framework's options arrive as its attrs class, made once for equal agents."""
    tables = catalog_of(FRAMEWORK).tables(run_info)
    options = {"command": ["ls", "-l"], "limits": {"cpu": 2}}
    first = tables.launcher(runtime(framework="aider", options=options)).options
    again = tables.launcher(runtime(framework="aider", options=options)).options
    assert first.command == ("ls", "-l")
    assert first.limits == {"cpu": 2.0}
    assert again is first
    assert tables.launcher(runtime(framework="aider")).options.command == "ls"
    assert tables.launcher(runtime(framework="nobody's", options=options)).options == options


@pytest.mark.parametrize(
    ("framework", "options", "text"),
    [
        ("aider", {"comand": "x"}, "it has no option 'comand'; did you mean 'command'?"),
        ("aider", {"zz": "x"}, "it has no option 'zz'; its options are command, retries, limits, dry"),
        ("bare", {"zz": "x"}, "it has no option 'zz'; it has none at all"),
        ("aider", {"retries": "5"}, "option 'retries': due is a whole number, not '5'"),
        ("aider", {"retries": True}, "option 'retries': due is a whole number, not True"),
        ("aider", {"dry": "no"}, "option 'dry': due is true or false, not 'no'"),
        ("aider", {"limits": {"cpu": "x"}}, "option 'limits['cpu']': due is a number, not 'x'"),
        (
            "aider",
            {"retries": 0.5, "dry": 1},
            "option 'retries': due is a whole number, not 0.5; option 'dry': due is true or false, not 1",
        ),
    ],
)
def test_wrong_options_name_framework_and_option(framework, options, text, catalog_of, run_info):
    """The error names the framework, each wrong option and what is due; nothing is converted by guess."""
    tables = catalog_of(FRAMEWORK).tables(run_info)
    with pytest.raises(UserError) as caught:
        tables.launcher(runtime(framework=framework, options=options))
    assert (
        str(caught.value)
        == f"The options of framework '{framework}' are wrong: {text}{'' if text.endswith('?') else '.'}"
    )


WORKSPACE = """
    @hookimpl
    def agentrelay_workspace():
        yield WorkspaceProvider(name="w", factory=lambda run: run)

    @hookimpl
    def agentrelay_forges():
        yield ForgeProvider(name="hub", recognises=lambda url: "hub" in url, factory=lambda run: "{}")
"""


def test_the_workspace_knows_the_forges_and_its_options(catalog_of, run_info):
    """None without a plugin; else made with the run, the forges and the plugin's options."""
    assert catalog_of("").workspace(run_info) is None
    catalog = catalog_of(WORKSPACE.format("one"), plugin_options={"plugin-1": {"a": 1}})
    run = catalog.workspace(run_info)
    assert [forge.name for forge in run.forges] == ["hub"]
    assert run.plugin_options == {"a": 1}


def test_two_workspaces_and_forges_are_conflicts_with_pins(catalog_of, run_info):
    """A run has one workspace; a forge that two plugins claim recognises its remotes and refuses to be made."""
    sources = [WORKSPACE.format("one"), WORKSPACE.format("two")]
    catalog = catalog_of(*sources)
    with pytest.raises(ProviderConflictError, match=r'provide workspace: .* \[plugins.pin\]: "workspace" = "plugin-1"'):
        catalog.workspace(run_info)
    assert len(catalog.workspaces) == 2
    assert set(catalog.conflicts) == {"workspace", "forge:hub"}
    (forge,) = catalog.forges
    assert forge.recognises("https://hub.example")
    assert not forge.recognises("elsewhere")
    with pytest.raises(ProviderConflictError, match='"forge:hub" = "plugin-1"'):
        forge.factory(run_info)
    pinned = catalog_of(*sources, pins={"workspace": "plugin-1", "forge:hub": "plugin-2"})
    assert len(pinned.workspaces) == 1
    run = pinned.workspace(attrs.evolve(run_info, settings=RunSettings(forge="hub")))
    assert run.forges[0].factory(run) == "two"


def test_two_frameworks_or_environments_of_one_name_are_conflicts(catalog_of, plugin, run_info):
    """A task that needs the name is told which line chooses; the name is in neither mapping."""
    module = plugin(LAUNCHERS)
    catalog = catalog_of(FRAMEWORK, FRAMEWORK, module, LAUNCHERS.replace("aider", "second"))
    assert set(catalog.conflicts) >= {"framework:aider", "environment:tmux"}
    assert dict(catalog.frameworks) == {}
    assert dict(catalog.environments) == {}
    tables = catalog.tables(run_info)
    with pytest.raises(ProviderConflictError, match='"framework:aider" = "plugin-1"'):
        tables.launcher(runtime(framework="aider"))
    with pytest.raises(ProviderConflictError, match='"environment:tmux" = "plugin-3"'):
        tables.launcher(runtime(module.Tmux(), framework="x"))
    pinned = catalog_of(module, LAUNCHERS.replace("aider", "second"), pins={"environment:tmux": "plugin-1"})
    assert pinned.environments["tmux"].cls is module.Tmux


def test_one_class_under_two_names_is_a_conflict(catalog_of, plugin, run_info):
    """Tasks name environments by class, so that a class can have one name only."""
    first = plugin(LAUNCHERS)
    second = plugin(
        "@hookimpl\ndef agentrelay_environments():\n    yield EnvironmentType(name='mux', cls=Tmux, host=print)"
    )
    second.Tmux = first.Tmux
    catalog = catalog_of(first, second)
    with pytest.raises(
        ProviderConflictError, match="both declare the class Tmux as an environment, as 'mux' and 'tmux'"
    ):
        catalog.tables(run_info).launcher(runtime(first.Tmux(), framework="x"))
