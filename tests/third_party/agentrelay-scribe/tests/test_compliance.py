"""The scribe keeps what frameworks and launchers promise, in the core's environment and in the kit's own."""

from pytest_agentrelay.compliance import FrameworkCompliance, LauncherCompliance


class TestScribe(FrameworkCompliance):
    plugin = "agentrelay_scribe"
    framework = "scribe"


class TestScribeInAProcess(LauncherCompliance):
    plugin = "agentrelay_scribe"
    framework = "scribe"
    environment = "process"
    stand_ins = {"sh": "exec sleep 60"}


class TestScribeInTheKit(LauncherCompliance):
    plugin = "agentrelay_scribe"
    framework = "scribe"
    environment = "in_process"
    companions = ("pytest_agentrelay.fakes",)
    stand_ins = {"sh": "exec sleep 60"}
