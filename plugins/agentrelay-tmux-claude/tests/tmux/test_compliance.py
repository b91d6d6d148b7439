"""What every environment has to keep, windows in tmux keep too."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from agentrelay_tmux_claude import TmuxEnvironment
from pytest_agentrelay.compliance import EnvironmentCompliance


class TestTmuxEnvironment(EnvironmentCompliance):
    """The host of windows in tmux."""

    plugin = "agentrelay_tmux_claude"
    environment = TmuxEnvironment()
    companions = ("agentrelay_core.builtin",)
    capabilities = frozenset({"adoptable", "reports_usage"})
    patience = 15.0
    deadline = 60.0

    @pytest.fixture(autouse=True)
    def _no_server_is_left(self, tmp_path: Path) -> Iterator[None]:
        yield
        for socket in tmp_path.rglob("tmux-*"):
            subprocess.run(["tmux", "-S", str(socket), "kill-server"], capture_output=True, check=False)
