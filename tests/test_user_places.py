"""The user's own directories."""

import sys
from pathlib import Path

import platformdirs
import pytest

from agentrelay_core.user_places import user_configuration, user_state

VARIABLES = ("XDG_CONFIG_HOME", "XDG_STATE_HOME")


@pytest.mark.parametrize("base", [None, "", "  ", "/somewhere/else"])
def test_they_are_where_platformdirs_says(base, monkeypatch):
    """Where the import is saved, the answer is still the same."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        if base is not None:
            monkeypatch.setenv(name, base)
    assert user_configuration() == platformdirs.user_config_path("agentrelay", appauthor=False)
    assert user_state() == platformdirs.user_state_path("agentrelay", appauthor=False)


@pytest.mark.skipif(sys.platform != "linux", reason="the variables are those of Linux")
def test_a_given_environment_stands_for_the_process_s_own():
    """What is handed in is what is read."""
    environ = {"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"}
    assert (user_configuration(environ), user_state(environ)) == (Path("/c/agentrelay"), Path("/s/agentrelay"))
