"""Places at which a test can end the program: the core's by a registry, a plugin's by their form."""

import os
import subprocess
import sys

from agentrelay_core.failpoints import VARIABLE

PASS = "from agentrelay_core.failpoints import failpoint_of_plugin as p; p('mine/here'); p('mine/there'); print('on')"


def ended(armed):
    """A program that passes two places of a plugin."""
    return subprocess.run(
        (sys.executable, "-c", PASS), env=os.environ | {VARIABLE: armed}, capture_output=True, text=True, check=False
    )


def test_a_place_of_a_plugin_is_armed_by_its_name():
    """The place that was armed ends the program; one that is not passed does nothing."""
    armed, other = ended("mine/there=raise"), ended("mine/nowhere=raise")
    assert "FailpointError: mine/there" in armed.stderr
    assert armed.returncode != 0
    assert (other.returncode, other.stdout) == (0, "on\n")


def test_a_place_that_nobody_has_is_refused():
    """A misspelt place of the core is an error, for it would never be reached."""
    assert "'merge:efect=kill' is not" in ended("merge:efect=kill").stderr
