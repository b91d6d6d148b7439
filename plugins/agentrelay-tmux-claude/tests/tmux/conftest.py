"""Real tmux in places of its own: attempts, hosts, and an end of every server that a test started."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import attrs
import pytest
from agentrelay_tmux_claude import TmuxEnvironment, TmuxHost

from agentrelay_core.hooks import AgentCommand, RunInfo, StepContext
from agentrelay_core.processes.table import read_variable
from agentrelay_core.runtime import TaskRuntime, agent_environment
from agentrelay_core.spec import RunSettings, Task

RUN = "20261123T090000Z-beef"


@attrs.define
class Place:
    """A short directory with everything of a test: tmux's sockets bear no long paths."""

    path: Path
    settings: RunSettings = attrs.field(factory=RunSettings)

    @property
    def users_socket(self) -> Path:
        """Where the user's own server is, or would be."""
        return self.path / f"tmux-{os.getuid()}" / "default"

    @property
    def own_socket(self) -> Path:
        """Where the run's own server is."""
        return self.path / "state" / f"tmux-{RUN}"

    def own(self, *arguments: str) -> str:
        """Ask the run's own server; what it says, which is nothing where it is not there."""
        return _tmux(self.own_socket, *arguments)

    def users(self, *arguments: str) -> str:
        """Ask the user's server."""
        return _tmux(self.users_socket, *arguments)

    def context(self, task: str = "one", attempt: int = 0) -> StepContext:
        """An attempt whose directories are there."""
        runtime = TaskRuntime(Task(id=task), run_id=RUN, graph_name="g")
        runtime.state.attempt_num = attempt
        runtime.state.worktree_path = self.path / "work"
        runtime.state.signal_dir = self.path / "signals" / f"{task}-{attempt}"
        runtime.state.signal_dir.mkdir(parents=True, exist_ok=True)
        (self.path / "work").mkdir(exist_ok=True)
        (self.path / "state").mkdir(mode=0o700, exist_ok=True)
        run = RunInfo(
            run_id=RUN, graph_name="g", repository=None, state_dir=self.path / "state", settings=self.settings
        )
        return StepContext(runtime=runtime, run=run)

    def host(self, **fields: Any) -> TmuxHost:
        """A host as the plugin makes it."""
        return TmuxHost(TmuxEnvironment(**fields))

    def command(self, context: StepContext, *argv: str, stdin: Path | None = None, **env: str) -> AgentCommand:
        """A program with an agent's whole environment."""
        return AgentCommand(argv=argv, env={**agent_environment(context.runtime), **env}, stdin=stdin)

    def start(self, context: StepContext, *argv: str, **more: Any) -> Any:
        """Start a program in an environment without options."""
        return self.host().start(self.command(context, *argv, **more), context)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch):
    """A place; afterwards every server and every agent in it is ended, and what was left is told."""
    path = Path(tempfile.mkdtemp(prefix="artmux-", dir="/tmp"))
    monkeypatch.setenv("TMUX_TMPDIR", str(path))
    monkeypatch.delenv("TMUX", raising=False)
    (path / f"tmux-{os.getuid()}").mkdir(mode=0o700)
    yield Place(path)
    for socket in [*path.rglob("tmux-*"), *path.rglob("default")]:
        if socket.is_socket():
            _tmux(socket, "kill-server")
    left = [pid for pid, where in read_variable("AGENTRELAY_SIGNAL_DIR").items() if where.startswith(f"{path}/")]
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(path, ignore_errors=True)


class Shell:
    """A user's shell in a repository with one commit."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.path = place.path / "repository"
        self.path.mkdir()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("AGENTRELAY_")}
        self.environment |= {
            "AGENTRELAY_STATE_DIR": str(place.path / "s"),
            "HOME": str(place.path),
            "NO_COLOR": "1",
            "TERM": "xterm",
        }
        self.git("init", "-q", "-b", "main")
        self.git("-c", "user.name=u", "-c", "user.email=u@e", "commit", "-q", "--allow-empty", "-m", "first")

    def git(self, *arguments: str) -> str:
        """Run git here; what it printed."""
        done = subprocess.run(["git", *arguments], cwd=self.path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def start(self, *arguments: str, **more: Any) -> "subprocess.Popen[str]":
        """Start the command."""
        pipe = subprocess.PIPE
        given: dict[str, Any] = {"stdout": pipe, "stderr": pipe, "env": self.environment, **more}
        argv = [sys.executable, "-m", "agentrelay_core.cli", *arguments]
        return subprocess.Popen(argv, cwd=self.path, text=True, **given)

    def __call__(self, *arguments: str, expect: int = 0) -> "subprocess.CompletedProcess[str]":
        """Run the command to its end, which must be the expected one."""
        process = self.start(*arguments)
        said, complained = process.communicate(timeout=240)
        assert process.returncode == expect, f"exit {process.returncode}\n{said}\n{complained}"
        assert "Traceback" not in complained
        return subprocess.CompletedProcess(process.args, process.returncode, said, complained)

    def graph(self, command: str, tasks: str, more: str = "", environment: str = "tmux") -> None:
        """Write a graph whose agents run a command in tmux."""
        (self.path / "agentrelay.yaml").write_text(
            f"name: g\n{more}defaults: {{agent: a}}\nagents:\n"
            f"  a: {{framework: command, environment: {environment}, command: {json.dumps(command)}}}\n"
            f"tasks:\n{tasks}"
        )

    @property
    def socket(self) -> Path:
        """The socket of the run's own server, once there is one."""
        return next(path for path in (self.place.path / "s").rglob("tmux-*") if path.is_socket())

    def tmux(self, *arguments: str) -> str:
        """Ask the run's own server."""
        return _tmux(self.socket, *arguments)


@pytest.fixture
def shell(place: Place) -> Shell:
    """A user's shell."""
    return Shell(place)


def _tmux(socket: Path, *arguments: str) -> str:
    return subprocess.run(["tmux", "-S", str(socket), *arguments], capture_output=True, text=True, check=False).stdout
