"""What an author reads whose plugin is wrong: the fault, where it stands, and the remedy."""

from pathlib import Path

import pytest
from judging import judge

MUTANTS = Path(__file__).parent / "mutants"
pytestmark = pytest.mark.timeout(300)

MESSAGES = {
    ("TestWrongArity", "test_signature"): (
        "wrong_plugins.WrongArity has `def launch(self)`",
        "cannot be called with (runtime)",
        "due is `def launch(self, runtime) -> Agent`",
        "Remedy: declare the method exactly so",
    ),
    ("TestSyncChecker", "test_signature"): (
        "wrong_plugins.SyncChecker has `def wait_for_completion(self, runtime)`",
        "is not async and would block every other task",
        "due is `async def wait_for_completion(self, runtime) -> TaskCompletionSignal`",
        "Remedy: declare the method exactly so",
    ),
    ("TestBlockingKickoff", "test_leaves_the_event_loop_free"): (
        "wrong_plugins.BlockingKickoff.kickoff",
        "holds the event loop for",
        "wrong_plugins.py:",
        "50 ms are allowed",
        "Remedy: await what waits",
        "asyncio.to_thread",
    ),
    ("TestLeakingLauncher", "test_leaves_nothing"): (
        "wrong_plugins.LeakingLauncher.launch",
        "yet it left process ",
        "time.sleep(600)",
        "Remedy: end the agent's whole process group",
        "AgentAddress.teardown",
    ),
    ("TestLyingMerger", "test_merges"): (
        "wrong_plugins.LyingMerger.merge_pr",
        "returned, and fake://pull/1 is not in the integration branch",
        "Remedy: merge it, look at the branch that it went to",
    ),
    ("TestOnceOnlyTeardown", "test_tearing_down_twice_is_safe"): (
        "wrong_plugins.OnceOnlyTeardown.teardown",
        "raised FileExistsError",
        "when it was called a second time",
        "Remedy: treat what is gone already as done",
    ),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """What the kit says of all six."""
    return judge(MUTANTS / "wrong_plugins.py", tmp_path_factory.mktemp("wrong"))


@pytest.mark.parametrize(("plugin", "check"), MESSAGES)
def test_a_wrong_plugin_is_told_its_fault_and_remedy(verdicts, plugin, check):
    """The check that catches it names the class, the fault and what to do, without a traceback of the kit's own."""
    verdict = verdicts[plugin][check]
    assert verdict.outcome == "failed"
    for words in MESSAGES[plugin, check]:
        assert words in verdict.text
    assert "Traceback" not in verdict.text
    assert "pytest_agentrelay/compliance" not in verdict.text


HEAVY = """
import asyncio
import xml.dom.minidom

import heavy_plugin.client
import vendor_sdk
from agentrelay_core import AgentEnvironment, EnvironmentType, hookimpl
from heavy_plugin.data import Heavy


@hookimpl
def agentrelay_environments():
    yield EnvironmentType(name="heavy", cls=Heavy, host=heavy_plugin.client.Host)
"""
DATA = """
import attrs
from agentrelay_core import AgentEnvironment


@attrs.frozen(kw_only=True)
class Heavy(AgentEnvironment):
    port: int = 22
"""
LIGHT = """
from agentrelay_core import AgentEnvironment, EnvironmentType, hookimpl
from light_plugin.data import Heavy


def host(environment):
    from light_plugin.client import Host

    return Host()


@hookimpl
def agentrelay_environments():
    yield EnvironmentType(name="light", cls=Heavy, host=host)
"""
CLIENT = "class Host:\n    pass\n"


def _package(place, name, hooks):
    package = place / name
    package.mkdir()
    (package / "__init__.py").write_text(hooks)
    (package / "data.py").write_text(DATA)
    (package / "client.py").write_text(CLIENT)


def test_a_heavy_import_is_told(tmp_path, monkeypatch):
    """The check lists what is heavy, and not the module of the data class; a plugin that imports late passes."""
    _package(tmp_path, "heavy_plugin", HEAVY)
    _package(tmp_path, "light_plugin", LIGHT)
    (tmp_path / "vendor_sdk.py").write_text("")
    (tmp_path / "checks.py").write_text(
        "from pytest_agentrelay.compliance import EnvironmentCompliance\n"
        "class TestHeavy(EnvironmentCompliance):\n    plugin = 'heavy_plugin'\n    environment = 'heavy'\n"
        "class TestLight(EnvironmentCompliance):\n    plugin = 'light_plugin'\n    environment = 'light'\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "place").mkdir()
    verdicts = judge(tmp_path / "checks.py", tmp_path / "place", only="light")
    heavy = verdicts["TestHeavy"]["test_importing_the_plugin_is_light"]
    assert heavy.outcome == "failed"
    assert "importing heavy_plugin loads heavy_plugin.client, asyncio, " in heavy.text
    assert "vendor_sdk" in heavy.text
    assert "heavy_plugin.data" not in heavy.text
    assert "Remedy: import them inside the factories that need them" in heavy.text
    assert verdicts["TestLight"]["test_importing_the_plugin_is_light"].outcome == "passed"


COLLECTION = """
from pytest_agentrelay.compliance import *
from pytest_agentrelay.compliance import FrameworkCompliance, LauncherCompliance


class _Ours(FrameworkCompliance):
    plugin = "agentrelay_core.builtin"


class Base(FrameworkCompliance):
    __test__ = False
    plugin = "agentrelay_core.builtin"


class TestMine(_Ours):
    options = {"command": "true"}


class TestUndeclared(FrameworkCompliance):
    pass


class TestMistyped(FrameworkCompliance):
    plugin = "agentrelay_core.builtin"
    capabilities = {"resumeable"}


class TestUnknown(FrameworkCompliance):
    plugin = "agentrelay_core.builtin"
    framework = "aider"
"""


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """What is collected of a module that imports everything."""
    place = tmp_path_factory.mktemp("collected")
    (place / "checks.py").write_text(COLLECTION)
    return judge(place / "checks.py", place, only="argv")


def test_classes_of_the_kit_are_not_collected(collected):
    """Only an author's own classes are, wherever the kit's are imported to; not those that are made to be inherited."""
    assert set(collected) == {"TestMine", "TestUndeclared", "TestMistyped", "TestUnknown"}
    assert {verdict.outcome for verdict in collected["TestMine"].values()} == {"passed"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("TestUndeclared", ("does not say which plugin it judges", "set `plugin = ")),
        ("TestMistyped", ("the capability 'resumeable', which there is not", "resumable")),
        ("TestUnknown", ("declares the framework 'aider'", "there are command")),
    ],
)
def test_a_mistake_in_the_class_itself_is_told(collected, name, words):
    """A class without a plugin, with a capability or a framework that there is not, says so and what would be right."""
    text = collected[name]["test_command_is_an_argv"].text
    for word in (*words, "Remedy: "):
        assert word in text
    assert "Traceback" not in text
