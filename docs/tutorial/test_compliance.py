"""What every framework promises, checked by the test kit; each class brings its checks."""

from pytest_agentrelay.compliance import FrameworkCompliance, LauncherCompliance


class TestVerse(FrameworkCompliance):
    """The command, the reading of its output, and the reading of its end."""

    plugin = "agentrelay_verse"
    framework = "verse"
    options = {"lines": 3}


class TestVerseLaunch(LauncherCompliance):
    """Started by the built-in launcher, with a program in place of verse that is at work until it is ended."""

    plugin = "agentrelay_verse"
    framework = "verse"
    stand_ins = {"verse": "exec sleep 60"}
