"""Who serves a key and why, what is installed, and what is wrong with it: data, and the same as text."""

from functools import partial
from pathlib import Path

import pytest

from agentrelay_core.hooks import Catalog, ForgeProvider, hookimpl
from agentrelay_core.hooks.doctor import Finding, doctor_findings, repository_findings
from agentrelay_core.hooks.explaining import explain_key
from agentrelay_core.hooks.rows import plugin_rows, table_text
from agentrelay_core.runtime import UserError
from agentrelay_core.spec import RunSettings

TMUX = """
    class Tmux(AgentEnvironment):
        pass

    def make_launcher(context):
        pass

    @hookimpl
    def agentrelay_environments():
        yield EnvironmentType(name="tmux", cls=Tmux, host=print, needs=("tmux",))

    @hookimpl
    def agentrelay_task_launcher():
        yield Provider(environment=Tmux, factory=make_launcher)
"""
ANYWHERE = "@hookimpl\ndef agentrelay_task_launcher():\n    yield Provider(factory=print, needs=('sh',))"


def test_a_key_is_explained_place_by_place(catalog_of):
    """The lookup order with what stands at each key, where it ends, and whose factory it is."""
    catalog = catalog_of(TMUX, ANYWHERE, pins={"task_launcher:*:tmux": "plugin-1"})
    found = explain_key(catalog, "launcher", "aider", "tmux")
    assert [(place.key, [offer.plugin.name for offer in place.offers], place.chosen) for place in found.places] == [
        ("task_launcher:aider:tmux", [], False),
        ("task_launcher:aider:*", [], False),
        ("task_launcher:*:tmux", ["plugin-1"], True),
        ("task_launcher:*:*", ["plugin-2"], False),
    ]
    assert (found.outcome, found.distribution, found.version) == ("served", "plugin-1", "1.0")
    assert list(found.lines()) == [
        "task_launcher for framework 'aider' in environment 'tmux' is looked up as:",
        "  1. task_launcher:aider:tmux: nothing",
        "  2. task_launcher:aider:*: nothing",
        "  3. task_launcher:*:tmux: plugin-1 1.0 (agentrelay_test:make_launcher); pinned to plugin-1  <- chosen",
        "  4. task_launcher:*:*: plugin-2 2.0 (builtins:print)",
        "It is served by plugin-1 1.0, agentrelay_test:make_launcher.",
    ]


def test_conflicts_and_misses_are_explained_with_their_errors(catalog_of):
    """What a task would be told stands in the explanation."""
    conflict = explain_key(catalog_of(ANYWHERE, ANYWHERE), "agentrelay_task_launcher", "x")
    assert conflict.outcome == "conflict"
    assert list(conflict.lines())[-1].endswith('[plugins.pin]: "task_launcher:*:*" = "plugin-1"')
    miss = explain_key(Catalog(), "task_merger", "x")
    assert (miss.outcome, miss.distribution) == ("missing", "")
    assert miss.error.startswith("No implementation registered for (x, AgentEnvironment) as task_merger.")


@pytest.mark.parametrize(
    ("step", "environment", "text"),
    [
        ("lancher", "*", "There is no step 'lancher'; did you mean 'launcher'?"),
        ("launcher", "tmax", "No environment 'tmax' is installed; did you mean 'tmux'?"),
        ("launcher", "moon", "No environment 'moon' is installed; installed are: tmux; * means any"),
    ],
)
def test_unknown_steps_and_environments_are_refused(step, environment, text, catalog_of):
    """With what was probably meant."""
    with pytest.raises(UserError) as caught:
        explain_key(catalog_of(TMUX), step, "x", environment)
    assert str(caught.value) == text


def test_the_list_says_what_each_plugin_provides_or_why_not(catalog_of, plugin):
    """A row for each plugin, sorted by name, in the notation of pins."""
    catalog = catalog_of(TMUX)
    catalog.add(plugin("@hookimpl\ndef agentrelay_forges():\n    return 3"), name="broken-one")
    rows = plugin_rows(catalog)
    assert [(row.name, row.version, row.status, row.provides) for row in rows] == [
        ("broken-one", "", "broken", ""),
        ("plugin-1", "1.0", "active", "environment:tmux, task_launcher:*:tmux"),
    ]
    assert table_text(rows).splitlines() == [
        "PLUGIN      VERSION  STATUS  PROVIDES",
        "broken-one  -        broken  agentrelay_forges returned int (<agentrelay-test>:2); due is an "
        "iterable of ForgeProvider records",
        "plugin-1    1.0      active  environment:tmux, task_launcher:*:tmux",
    ]


OPTIONS = """
    import enum, pathlib, typing
    class Size(enum.Enum):
        BIG = "big"
        SMALL = "small"
    @attrs.frozen
    class Limits:
        turns: int = 3
    @attrs.frozen(kw_only=True)
    class Options:
        prompt: str
        size: Size = Size.BIG
        loud: bool = attrs.field(default=False, metadata={"help": "Say more."})
        names: tuple[str, ...] = ()
        limits: Limits | None = Limits()
        home: pathlib.Path | None = None
        rate: float | typing.Literal["auto"] = 1.5
        seen: dict[str, int] = attrs.field(factory=dict)
        inner: int = attrs.field(default=0, init=False)
    @hookimpl
    def agentrelay_frameworks():
        yield FrameworkType(name="b", cls=dict, default_environment="process", options=Options)
        yield FrameworkType(name="a", cls=dict, default_environment="process")
"""


def test_the_doctor_lists_options(catalog_of):
    """Each option of a framework with its type, its default and its help; what is not a key of graphs is none."""
    found = doctor_findings(catalog_of(OPTIONS), which=lambda program: program)
    assert {(finding.level, finding.subject) for finding in found} == {("note", "plugin-1 1.0 (framework:b)")}
    assert [finding.message.removeprefix("takes the option ") for finding in found] == [
        "prompt: text, required",
        "size: 'big' or 'small', default 'big'",
        "loud: true or false, default false (Say more.)",
        "names: a list of text, default []",
        "limits: a mapping with turns, default {'turns': 3}",
        "home: Path, default none",
        "rate: a number or 'auto', default 1.5",
        "seen: a mapping, default {}",
    ]


def test_the_doctor_finds_what_is_wrong_and_how_to_mend_it(install):
    """Broken and incompatible plugins first, then conflicts, pins, configuration and missing programs, then notes."""
    install("agentrelay-hurt", "raise ValueError('hurt')")
    install("agentrelay-next", "", group="agentrelay.v2")
    install("agentrelay-off", "")
    merger = "from agentrelay_core.hooks import *\n@hookimpl\ndef agentrelay_task_merger():\n"
    merger += "    yield Provider(framework='x', factory=print, needs=('surely-missing',))\n"
    install("agentrelay-a", merger)
    install("agentrelay-b", merger)
    catalog = Catalog.discover(
        disable=[
            *("agentrelay-off", "agentrelay-core", "agentrelay-git-gh", "agentrelay-tmux-claude", "pytest-agentrelay"),
            "ghost",
        ],
        pins={
            "task_merger:y:*": "agentrelay-a",
            "task_merger:x:*": "agentrelay-c",
            "forge:z": "agentrelay-off",
        },
        plugin_options={"phantom": {}},
    )
    found = doctor_findings(catalog, which=lambda program: None)
    shown = [(finding.level, finding.subject) for finding in found]
    assert shown[:9] == [
        ("error", "agentrelay-hurt 1.0"),
        ("error", "agentrelay-next 1.0"),
        ("warning", "task_merger:x:*"),
        ("warning", "task_merger:y:*"),
        ("warning", "task_merger:x:*"),
        ("warning", "forge:z"),
        ("warning", "ghost"),
        ("warning", "phantom"),
        ("warning", "surely-missing"),
    ]
    assert {level for level, _ in shown[9:]} == {"note"}
    assert ("note", "agentrelay-off 1.0") in shown[9:]
    texts = [finding.message for finding in found]
    assert texts[3] == (
        '[plugins.pin] "task_merger:y:*" = "agentrelay-a" matches nothing that is provided; '
        "did you mean 'task_merger:x:*'?"
    )
    assert texts[4].startswith('[plugins.pin] "task_merger:x:*" = "agentrelay-c" names a plugin that is not installed')
    assert texts[5] == '[plugins.pin] "forge:z" = "agentrelay-off" names a plugin that is disabled.'
    assert texts[6:9] == [
        '[plugins] disable = ["ghost"] names no installed plugin.',
        "[options.phantom] names no installed plugin.",
        "surely-missing is not on PATH; it is needed by agentrelay-a 1.0 (task_merger:x:*), "
        "agentrelay-b 1.0 (task_merger:x:*).",
    ]
    assert all(finding.mend for finding in found if finding.level == "error")


def test_a_forge_is_asked_for_the_repository_that_it_would_serve():
    """The forge that the settings name, and with ``auto`` each; one that cannot look is told of."""

    class Forges:
        @hookimpl
        def agentrelay_forges(self):
            for name in ("one", "two"):
                yield ForgeProvider(name=name, recognises=bool, factory=print, findings=partial(self.look, name))

        def look(self, name, repository, settings):
            if name == "two":
                raise OSError("no network")
            yield Finding(level="note", subject=name, message=f"{repository} {settings.merge_method}")

    catalog = Catalog()
    catalog.add(Forges())
    (named,) = repository_findings(catalog, Path("/r"), RunSettings(forge="one", merge_method="squash"))
    assert named.message == "/r squash"
    both = [*repository_findings(catalog, Path("/r"), RunSettings())]
    assert [(item.subject, item.level) for item in both] == [("one", "note"), ("two", "warning")]
    assert "OSError: no network" in both[1].message
    assert [*repository_findings(catalog, Path("/r"), RunSettings(forge="local"))] == []
