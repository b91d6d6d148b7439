"""With a catalog, environments and options are read by type, and what is not installed is a warning."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from agentrelay_core.graph import LoadedGraph, UnknownEnvironment, read_graph
from agentrelay_core.spec import AgentConfig, AgentEnvironment


def one(agent: str, catalog: Any, more: str = "") -> LoadedGraph:
    return read_graph(f"name: g\ntasks: {{a: {{description: b, agent: {agent}}}}}\n{more}", catalog=catalog)


def agent_of(loaded: LoadedGraph) -> AgentConfig:
    assert loaded.graph is not None, loaded.diagnostics
    return loaded.graph.tasks[0].primary_agent


def found(loaded: LoadedGraph) -> list[tuple[str, str, str]]:
    return [
        (item.code, item.source[item.column - 1 : item.end_column - 1], item.message) for item in loaded.diagnostics
    ]


def test_options_by_type(catalog: Callable[..., Any]) -> None:
    """Options are read as their fields' types say and kept as plain values."""
    loaded = one(
        "{framework: robot, prompt: 12, size: LARGE, mode: act, limits: {turns: 3}, tools: [yes, 5], "
        "rates: {a: 1}, home: /tmp, seed: 7, anything: {x: [1, no, true]}}",
        catalog(),
    )
    assert agent_of(loaded).options.as_dict() == {
        "prompt": "12",
        "size": "large",
        "mode": "act",
        "limits": (("budget", None), ("turns", 3)),
        "tools": ("yes", "5"),
        "rates": (("a", 1.0),),
        "home": "/tmp",
        "seed": 7,
        "anything": (("x", (1, "no", True)),),
    }


@pytest.mark.parametrize(
    ("agent", "code", "text", "words"),
    [
        ("{framework: robot}", "AR205", "{framework: robot}", "needs the key 'prompt'"),
        ("{framework: robot, promt: x}", "AR201", "promt", "has no key 'promt'"),
        ("{framework: robot, prompt: x, size: medium}", "AR204", "medium", "'small', 'large'"),
        ("{framework: robot, prompt: x, limits: {turns: few}}", "AR203", "few", "a whole number"),
        ("{framework: robot, prompt: x, limits: {turn: 1}}", "AR201", "turn", "Limits has no key"),
        ("{framework: robot, prompt: x, tools: hammer}", "AR203", "hammer", "a list"),
        ("{framework: robot, prompt: x, seed: [1]}", "AR203", "[1]", "int or str"),
        ("{framework: robot, prompt: ' ', seed: 1}", "AR204", "' '", "must not be blank"),
        ("{framework: plain, prompt: x, environment: box}", "AR201", "prompt", "has no key 'prompt'"),
        ("{framework: plain, environment: {type: box, cpu: 2}}", "AR201", "cpu", "the environment 'box' has no key"),
        ("{framework: plain, environment: {type: box, cpus: two}}", "AR203", "two", "a number"),
        ("{framework: plain, environment: ship}", "AR205", "ship", "needs the key 'harbour'"),
    ],
)
def test_wrong(catalog: Callable[..., Any], agent: str, code: str, text: str, words: str) -> None:
    """Each mistake in an option or an environment is one error at its own place."""
    [(code_found, text_found, message)] = found(one(agent, catalog()))
    assert (code_found, text_found) == (code, text)
    assert words in message


def test_a_type_that_names_nothing_takes_anything(catalog: Callable[..., Any]) -> None:
    """Options whose annotations cannot be resolved are read all the same, the others by their types."""

    @attrs.frozen(kw_only=True)
    class Options:
        place: "NoSuchType" = None  # type: ignore[name-defined]  # noqa: F821
        size: int = 1

    with_them = catalog()
    with_them.frameworks["plain"] = attrs.evolve(with_them.frameworks["plain"], options=Options)
    agent = agent_of(one("{framework: plain, place: [a, {b: 1}], size: 2}", with_them))
    assert agent.options.as_dict()["size"] == 2


def test_environments_are_structured(catalog: Callable[..., Any]) -> None:
    """An environment that is installed becomes an instance of the plugin's class."""
    cls = catalog().environments["box"].cls
    loaded = one("{framework: plain, environment: {type: box, image: 12, cpus: 2, mounts: [a]}}", catalog())
    assert agent_of(loaded).environment == cls(image="12", cpus=2.0, mounts=("a",))
    assert agent_of(one("{framework: plain, environment: box}", catalog())).environment == cls()


def test_default_environment(catalog: Callable[..., Any]) -> None:
    """An agent that names no environment gets its framework's default, unless that needs to be told more."""
    cls = catalog().environments["box"].cls
    assert agent_of(one("{framework: robot, prompt: x}", catalog())).environment == cls()
    assert type(agent_of(one("{framework: plain}", catalog())).environment) is AgentEnvironment
    no_agent = read_graph("name: g\ntasks: {a: {description: b}}", catalog=catalog())
    assert agent_of(no_agent).environment == cls()


def test_agent_that_needs_an_option(catalog: Callable[..., Any]) -> None:
    """A task without an agent is told that the default framework needs more."""
    installed = catalog()
    installed.frameworks["command"] = installed.frameworks["robot"]
    loaded = read_graph("name: g\ntasks: {a: {description: b}}", catalog=installed)
    assert found(loaded) == [
        ("AR205", "a", "no agent is named, and the default framework 'command' needs 'prompt'"),
    ]


def test_not_installed(catalog: Callable[..., Any]) -> None:
    """What is valid but not installed is a warning that names the distribution which adds it."""
    loaded = one("{framework: claude_code, environment: {type: tmux, session: 1}}", catalog(), "forge: github\n")
    assert agent_of(loaded).environment == UnknownEnvironment(type_name="tmux", fields={"session": 1})
    assert found(loaded) == [
        ("AR401", "claude_code", "no installed plugin provides the framework 'claude_code'"),
        ("AR402", "{type: tmux, session: 1}", "no installed plugin provides the environment 'tmux'"),
        ("AR403", "github", "no installed plugin provides the forge 'github'"),
    ]
    assert [item.hint for item in loaded.not_installed] == [
        "install agentrelay-tmux-claude, which adds it",
        "install agentrelay-tmux-claude, which adds it",
        "install agentrelay-git-gh, which adds it",
    ]
    assert {item.severity for item in loaded.diagnostics} == {"warning"}
    assert loaded.errors == loaded.unhonoured == ()


def test_misspelt_framework(catalog: Callable[..., Any]) -> None:
    """A framework that is like an installed one is asked about."""
    assert one("{framework: robott}", catalog()).not_installed[0].hint == "did you mean 'robot'?"


def test_conflicts_are_no_warning(catalog: Callable[..., Any]) -> None:
    """What two plugins claim is installed, so nothing is said of it here."""
    installed = catalog(conflicts={"framework:twice": ValueError("two plugins")})
    assert one("{framework: twice, environment: box}", installed).diagnostics == ()


def test_not_honoured(catalog: Callable[..., Any]) -> None:
    """A key that no plugin of the agent acts on is a warning, told once for a named agent."""
    text = """
name: g
model: a
tools: [x]
tmux_session: y
agents:
  robot: {framework: robot, prompt: p, model: m, isolation: i}
  plain: {framework: plain, environment: box, model: m, isolation: i}
tasks:
  a: {description: d, agent: robot, isolation: i}
  b: {description: d, agent: plain, review: {agent: robot}}
  c: {description: d, agent: plain}
workstreams: {w: {isolation: i}}
"""
    loaded = read_graph(text, catalog=catalog())
    assert loaded.graph is not None
    assert [(item.code, item.line, item.message) for item in loaded.unhonoured] == [
        ("AR404", 4, "no installed plugin honours 'tools' of the run"),
        ("AR404", 5, "no installed plugin honours 'tmux_session' of the run"),
        ("AR404", 8, "no installed plugin honours 'model' of an agent of framework 'plain'"),
        ("AR404", 11, "no installed plugin honours 'review' of task 'b'"),
        ("AR404", 13, "no installed plugin honours 'isolation' of workstream 'w'"),
    ]
    assert loaded.diagnostics == loaded.unhonoured
    record = type(next(iter(catalog().forges)))
    honouring = catalog(workspaces=(record(honours=("tools", "tmux_session", "model", "review", "isolation")),))
    assert read_graph(text, catalog=honouring).diagnostics == ()


def test_without_a_catalog() -> None:
    """Without a catalog the file's word is taken, and no warning arises."""
    loaded = one("{framework: any, environment: {type: some, a: 1}, b: [c, 2], model: m}", None)
    assert loaded.diagnostics == ()
    assert agent_of(loaded).options.as_dict() == {"b": ("c", 2)}


@pytest.mark.parametrize("limit", ["8", "-1", "1073741825"])
def test_a_limit_of_memory_is_read_and_judged(limit: str) -> None:
    """The environment ``process`` takes a limit, and refuses one that no program could live with, at its place."""
    from agentrelay_core.builtin.environment import ProcessEnvironment
    from agentrelay_core.hooks import Catalog

    text = "{command: [a], environment: {type: process, memory_mib_per_process: %s}}"
    catalog = Catalog.discover()
    assert agent_of(one(text % "512", catalog)).environment == ProcessEnvironment(memory_mib_per_process=512)
    (wrong,) = one(text % limit, catalog).diagnostics
    assert "memory_mib_per_process must be a whole number of MiB from 16 to 1073741824" in wrong.message


def test_the_real_catalog() -> None:
    """The installed catalog answers what the reader asks, and its own environment is the default."""
    from agentrelay_core.builtin.environment import ProcessEnvironment
    from agentrelay_core.hooks import Catalog

    loaded = one("{command: [echo, 1]}", Catalog.discover())
    assert agent_of(loaded).environment == ProcessEnvironment()
    assert agent_of(loaded).options.as_dict() == {"command": ("echo", "1")}
