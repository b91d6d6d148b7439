"""Distributions as users get them: wheels, installed by pip into clean environments."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PLUGIN = """
from agentrelay_core import AgentCommand, FrameworkType, TaskCompletionSignal, hookimpl


class Echo:
    def command(self, context):
        return AgentCommand(argv=("sh", "-c", "echo echoed > echo.txt"))

    def read_line(self, line):
        return None

    def outcome(self, exit_code, last_lines):
        return TaskCompletionSignal(outcome="done" if exit_code == 0 else "failed")


@hookimpl
def agentrelay_frameworks():
    yield FrameworkType(name="echo", cls=Echo, default_environment="process")
"""

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "agentrelay-echo"
version = "0.1.0"
dependencies = ["agentrelay-core>=0.1,<0.2"]

[project.entry-points."agentrelay.v1"]
echo = "agentrelay_echo"
"""


def _run(*command, cwd=None, env=None, expect=0):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AGENTRELAY_", "PYTHONPATH"))}
    done = subprocess.run(command, cwd=cwd, env={**clean, **(env or {})}, capture_output=True, text=True, check=False)
    assert done.returncode == expect, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


class Environment:
    """A clean virtual environment."""

    def __init__(self, path: Path) -> None:
        venv.create(path, with_pip=True)
        self.bin = path / "bin"

    def install(self, *what):
        _run(self.bin / "python", "-m", "pip", "install", "-q", *map(str, what))

    def agentrelay(self, *arguments, **more):
        return _run(self.bin / "agentrelay", *arguments, **more)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Wheels of the core, of each plugin in this tree, and of one built outside of it."""
    place = tmp_path_factory.mktemp("wheels")
    outside = tmp_path_factory.mktemp("outside") / "agentrelay-echo"
    (outside / "agentrelay_echo").mkdir(parents=True)
    (outside / "agentrelay_echo" / "__init__.py").write_text(PLUGIN)
    (outside / "pyproject.toml").write_text(PROJECT)
    for source in (ROOT, ROOT / "plugins" / "agentrelay-git-gh", outside):
        _run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(place), str(source))
    return {name: next(place.glob(f"agentrelay_{name}-*.whl")) for name in ("core", "git_gh", "echo")}


def test_the_core_alone_works_and_names_what_is_missing(wheels, tmp_path):
    """Help and the list of plugins work; a graph that needs a merger is told which distribution has it."""
    environment = Environment(tmp_path / "venv")
    environment.install(wheels["core"])
    assert "run what is not done" in environment.agentrelay("--help").stdout
    assert "agentrelay-core" in environment.agentrelay("plugins", "list").stdout
    repository = _repository(tmp_path, "command", "command: echo hi > hi.txt")
    state = {"AGENTRELAY_STATE_DIR": str(tmp_path / "state")}
    refused = environment.agentrelay("run", cwd=repository, env=state, expect=5)
    assert "agentrelay-git-gh" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_plugin_built_elsewhere_adds_a_framework(wheels, tmp_path):
    """Installed by pip, it is listed, and a graph that uses its framework ends merged."""
    environment = Environment(tmp_path / "venv")
    environment.install(*wheels.values())
    assert "agentrelay-echo" in environment.agentrelay("plugins", "list").stdout
    repository = _repository(tmp_path, "echo")
    state = {"AGENTRELAY_STATE_DIR": str(tmp_path / "state")}
    done = environment.agentrelay("run", cwd=repository, env=state)
    assert "1 merged, 0 failed, 0 blocked" in done.stdout
    shown = _run("git", "show", "agentrelay/g@default:echo.txt", cwd=repository)
    assert shown.stdout == "echoed\n"


def _repository(tmp_path, framework, *options):
    repository = tmp_path / "repository"
    repository.mkdir()
    agent = "".join(f", {option}" for option in options)
    (repository / "agentrelay.yaml").write_text(
        f"name: g\nagents:\n  a: {{framework: {framework}{agent}}}\n"
        "defaults: {agent: a}\ntasks:\n  one: {description: Do it}\n"
    )
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=u", "-c", "user.email=u@e", "commit", "-qm", "1"]):
        _run("git", *command, cwd=repository)
    return repository
