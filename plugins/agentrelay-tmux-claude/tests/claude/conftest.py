"""The real Claude Code against a scripted model, in a home of its own, in a real repository. Loopback alone."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
from pytest_agentrelay.scripted_model import ScriptedModel

from agentrelay_core import AgentConfig, Catalog, Task, TaskGraph, WorkstreamSpec, run_graph
from agentrelay_core.builtin.environment import ProcessEnvironment
from agentrelay_core.processes.table import read_variable

KEY = "sk-ant-dummy-0123456789abcdef0123456789"
PACKAGE = "@anthropic-ai/claude-code"


@pytest.fixture(scope="session")
def claude():
    """The real program; where it cannot be run the tests fail, unless no registry answers that it could come from."""
    program = os.environ.get("AGENTRELAY_CLAUDE") or shutil.which("claude")
    if program is not None:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=240)
        if told.returncode == 0:
            return Path(program), told.stdout.split()[0]
    why = f"{program} cannot be run" if program else "there is no claude on PATH"
    npm = shutil.which("npm")
    asked = npm and subprocess.run([npm, "view", PACKAGE, "version"], capture_output=True, timeout=240)
    if asked and asked.returncode == 0:
        pytest.fail(f"{why}; run `npm install --prefix FOLDER {PACKAGE}`, then set AGENTRELAY_CLAUDE to its bin/claude")
    pytest.skip(f"{why}, and no npm registry answers from which it could be installed")


@pytest.fixture
def real_claude(claude, real_program):
    """Claude Code's program; each use counts as a real run in the summary."""
    program, version = claude
    real_program("claude", version)
    return program


@pytest.fixture
def model():
    """A scripted model."""
    endpoint = ScriptedModel()
    yield endpoint
    endpoint.close()


class Repository:
    """A small git repository of a user."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Uma User")
        self.git("config", "user.email", "uma@example.org")
        (path / "README").write_text("hello\n")
        self.git("add", "README")
        self.git("commit", "-q", "-m", "first")

    def git(self, *arguments: str) -> str:
        """Run git here; what it printed."""
        done = subprocess.run(["git", *arguments], cwd=self.path, capture_output=True, text=True, check=True)
        return done.stdout.strip()


def prepare_home(home: Path, repository: Path) -> None:
    """A home in which Claude Code asks nothing: set up, its key approved, the repository trusted."""
    (home / ".claude").mkdir(parents=True)
    trusted = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True, "allowedTools": []}
    answers = {
        "hasCompletedOnboarding": True,
        "lastOnboardingVersion": "99.0.0",
        "theme": "dark",
        "numStartups": 5,
        "autoUpdates": False,
        "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
        "projects": {str(repository): trusted},
    }
    (home / ".claude.json").write_text(json.dumps(answers))


@pytest.fixture
def repository(tmp_path, monkeypatch, real_claude):
    """A repository with one commit on main, and a user whose only program besides the system's is Claude Code."""
    repository = Repository(tmp_path / "repository")
    prepare_home(tmp_path / "home", repository.path)
    monkeypatch.setenv("AGENTRELAY_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{real_claude.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    return repository


@pytest.fixture
def agent(model):
    """Makes the configuration of an agent that works with the scripted model."""

    def agent(environment=None, *, env=None, pass_env=("ANTHROPIC_API_KEY",), **options):
        variables = {"ANTHROPIC_BASE_URL": model.url, "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
        return AgentConfig(
            framework="claude_code",
            model="claude-sonnet-4-5",
            environment=environment or ProcessEnvironment(),
            env={**variables, "CLAUDE_CODE_MAX_RETRIES": "1", **(env or {})},
            pass_env=pass_env,
            options={"permissions": "deny", "allowed_tools": ["Bash"], **options},
        )

    return agent


# In the first attempt of task a the command ignores HUP, has a child in a session of its own, and says that both work.
_WORK = (
    'if [ "$AGENTRELAY_TASK_ID$AGENTRELAY_ATTEMPT" = a0 ]; then '
    "trap '' HUP; setsid sleep 601 & echo $! > {began}; exec sleep 602; fi; "
    "echo $AGENTRELAY_TASK_ID > $AGENTRELAY_TASK_ID.txt; agentrelay-task done"
)


@pytest.fixture
def at_work(tmp_path):
    """Waits until an agent's command, which is here too, says that it works; the process id of its child."""
    fifo = tmp_path / "began"
    os.mkfifo(fifo)

    async def at_work():
        return int(await asyncio.to_thread(fifo.read_text))

    at_work.command = _WORK.format(began=fifo)
    return at_work


@pytest.fixture
def relay(repository):
    """Run tasks in the repository with what is installed; `events` holds what happened."""

    async def relay(*tasks: Task, **settings):
        lanes = {task.workstream_id: WorkstreamSpec(id=task.workstream_id) for task in tasks}
        graph = TaskGraph(name="g", tasks=tasks, workstreams=tuple(lanes.values()))
        relay.events = []
        return await run_graph(
            graph,
            repository=repository.path,
            catalog=Catalog.discover(),
            settings=attrs.evolve(graph.settings, **settings),
            on_event=relay.events.append,
        )

    return relay


@pytest.fixture
def agents(tmp_path):
    """Finds the processes of agents whose attempts' directories are below the test's."""

    def agents():
        directories = read_variable("AGENTRELAY_SIGNAL_DIR")
        return [pid for pid, where in directories.items() if where.startswith(f"{tmp_path}/")]

    return agents


@pytest.fixture
def shell(repository, agent, agents):
    """Starts `agentrelay run` of a graph with one task in a process of its own."""

    def shell(environment, failpoint="", **task):
        config = agent()
        graph = {
            "name": "g",
            "agents": {
                "claude": {
                    "framework": "claude_code",
                    "environment": environment,
                    "model": config.model,
                    "permissions": "deny",
                    "allowed_tools": ["Bash"],
                    "env": dict(config.env),
                    "pass_env": list(config.pass_env),
                }
            },
            "defaults": {"agent": "claude"},
            "tasks": {"a": {"description": "[[script:a]] work", **task}},
        }
        (repository.path / "agentrelay.yaml").write_text(json.dumps(graph))
        command = [sys.executable, "-m", "agentrelay_core.cli", "run"]
        environ = {**os.environ, "AGENTRELAY_FAILPOINTS": failpoint}
        return subprocess.Popen(
            command, cwd=repository.path, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    yield shell
    for pid in agents():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
