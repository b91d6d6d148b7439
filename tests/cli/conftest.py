"""A small repository with a graph, and the command as users start it."""

import contextlib
import os
import signal
import subprocess
import sys

import pytest

from agentrelay_core.processes.table import read_variable

GRAPH = """\
name: g
agents:
  a: {framework: command, command: 'echo "$AGENTRELAY_TASK_ID" > "$AGENTRELAY_TASK_ID.txt"; echo "worked"'}
defaults: {agent: a}
tasks:
  one: {description: First}
  two: {description: Second, dependencies: [one], workstream_id: side}
workstreams:
  side: {}
"""


class Shell:
    """A user's shell in a repository."""

    def __init__(self, path, state):
        self.path = path
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("AGENTRELAY_")}
        self.environment |= {"AGENTRELAY_STATE_DIR": str(state), "HOME": str(state.parent), "NO_COLOR": "1"}

    def git(self, *arguments):
        done = subprocess.run(["git", *arguments], cwd=self.path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def command(self, *arguments):
        return [sys.executable, "-m", "agentrelay_core.cli", *map(str, arguments)]

    def __call__(self, *arguments, expect=0, **environment):
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.path,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def start(self, *arguments, **environment):
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.path,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def graph(self, text):
        (self.path / "agentrelay.yaml").write_text(text)


@pytest.fixture
def shell(tmp_path):
    """A shell in a repository with one commit and a graph of two tasks in two lanes."""
    path = tmp_path / "repository"
    path.mkdir()
    shell = Shell(path, tmp_path / "state")
    shell.git("init", "-q", "-b", "main")
    shell.git("-c", "user.name=u", "-c", "user.email=u@e", "commit", "-q", "--allow-empty", "-m", "first")
    shell.graph(GRAPH)
    yield shell
    # Agents outlive the command, so a test that forgets one would leave it for good.
    left = [pid for pid, where in read_variable("AGENTRELAY_SIGNAL_DIR").items() if where.startswith(f"{path}/")]
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert not left, f"the test left agents at work: {left}"
