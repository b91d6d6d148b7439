"""What can be imported from the package, and what importing it costs."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import agentrelay_core

_BOLD = """
TaskPreparer TaskLauncher TaskKickoff TaskCompletionChecker TaskMerger TaskTeardown TaskCompletionSignal
StandardTaskRunner TaskRunner TaskRunResult TearDownMode StepDispatch
"""
_CONTRACT = """
TaskStatus TaskState Task AgentRole AgentConfig AdrVerbosity AgentEnvironment TaggedPath InputFrom ReviewConfig
WorkstreamSpec TaskGraph RunSettings TaskRuntime TaskArtifacts Agent AgentAddress IntegrationError
ExpectedTaskFailureError InternalIntegrationError IntegrationBoundary IntegrationFailureClass classify_integration_error
ANY SignalCompletionChecker Provider StepContext RunInfo hookimpl EnvironmentType EnvironmentHost FrameworkType
AgentCommand Progress WorkspaceProvider Workspace Evidence ForgeProvider Forge Catalog
Orchestrator RunResult run_graph load_graph
"""
BOLD, CONTRACT = _BOLD.split(), _CONTRACT.split()


@pytest.mark.parametrize("name", [*CONTRACT, *BOLD])
def test_the_contract_s_names_are_importable(name):
    """Every public name of the contract can be imported from the package, and is listed."""
    assert getattr(agentrelay_core, name) is not None
    assert name in agentrelay_core.__all__


@pytest.mark.parametrize("name", BOLD)
def test_the_runner_s_names_are_in_its_room_too(name):
    """What belongs to a task's life is the same object when imported from its room."""
    assert getattr(import_module("agentrelay_core.task_runner"), name) is getattr(agentrelay_core, name)


def test_both_lists_say_the_same():
    """What type checkers are told and what is resolved on first use are the same names from the same rooms."""
    tree = ast.parse(Path(agentrelay_core.__file__).read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    typed = [(node.module, alias.name) for node in imports for alias in node.names]
    lazy = [(room, name) for room, names in agentrelay_core._ROOMS.items() for name in names.split()]
    assert sorted(typed) == sorted(lazy)
    assert len(set(agentrelay_core.__all__)) == len(agentrelay_core.__all__) == len(lazy)


def test_every_listed_name_is_there():
    """No listed name is missing from its room, and none that is not listed is made up."""
    for name in agentrelay_core.__all__:
        assert getattr(agentrelay_core, name) is not None
    assert set(agentrelay_core.__all__) <= set(dir(agentrelay_core))
    with pytest.raises(AttributeError, match="no attribute 'NoSuchName'"):
        _ = agentrelay_core.NoSuchName


def test_importing_the_package_imports_nothing_heavy():
    """Neither a room nor a library of others is imported before a name is used; what resolves names is no room."""
    heavy = {"attrs", "attr", "asyncio", "yaml", "pluggy", "click", "rich", "sqlite3", "importlib_metadata"}
    # What editable installs and coverage import at start does not count.
    code = "import sys; before = set(sys.modules); import agentrelay_core; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert not imported & heavy
    assert {name for name in imported if name.startswith("agentrelay_core.")} <= {"agentrelay_core.lazy"}
    assert "agentrelay_core" in imported
