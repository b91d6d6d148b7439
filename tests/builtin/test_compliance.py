"""The steps that ship with the core keep what every plugin has to keep."""

from pytest_agentrelay.compliance import (
    CompletionCheckerCompliance,
    EnvironmentCompliance,
    FrameworkCompliance,
    KickoffCompliance,
    LauncherCompliance,
)

PLUGIN = "agentrelay_core.builtin"
IDLE = {"command": ["sleep", "600"]}


class TestComposedLauncher(LauncherCompliance):
    """The launcher of every pair without one of its own, with a command in a local process."""

    plugin = PLUGIN
    environment = "process"
    options = IDLE
    capabilities = frozenset({"resumable", "adoptable", "reports_usage"})


class TestComposedKickoff(KickoffCompliance):
    """The kickoff of every pair without one of its own."""

    plugin = PLUGIN
    environment = "process"
    options = IDLE


class TestComposedCompletionChecker(CompletionCheckerCompliance):
    """The completion checker of every pair without one of its own."""

    plugin = PLUGIN
    environment = "process"
    options = IDLE
    capabilities = frozenset({"waits_for_approval"})


class TestProcessEnvironment(EnvironmentCompliance):
    """The environment ``process``."""

    plugin = PLUGIN
    environment = "process"
    capabilities = frozenset({"adoptable", "reports_usage"})


class TestCommandFramework(FrameworkCompliance):
    """The framework ``command``."""

    plugin = PLUGIN
    options = {"command": "make test"}  # noqa: RUF012  # it is read alone
