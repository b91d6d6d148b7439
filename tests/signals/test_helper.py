"""The agent's helper works in any Python from 3.8 on and says what the reader understands."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.signals import read_concerns, read_outputs, read_signal, write_protocol_files
from agentrelay_core.spec import TaggedPath, Task

# pyenv's own interpreters come first: its shim on PATH fails where that version is not the chosen one.
PYENV = sorted((Path.home() / ".pyenv" / "versions").glob("3.8.*/bin/python"))
OLD = str(PYENV[-1]) if PYENV else shutil.which("python3.8")


@pytest.fixture(params=["current", "oldest"])
def interpreter(request: pytest.FixtureRequest) -> str:
    if request.param == "current":
        return sys.executable
    if OLD is None or subprocess.run([OLD, "-c", ""], capture_output=True, timeout=240).returncode:
        pytest.skip("no Python 3.8 here")
    return OLD


class Agent:
    """An agent in its worktree, with the files that it was given."""

    def __init__(self, root: Path, interpreter: str) -> None:
        self.runtime = TaskRuntime(Task(id="a"), run_id="r", graph_name="g")
        self.directory = self.runtime.state.signal_dir = root / "signals" / "r-0"
        write_protocol_files(self.runtime, dependency_descriptions={}, base_branch=None, context_content="Know this.")
        self.worktree = root / "tree"
        (self.worktree / "src").mkdir(parents=True)
        (self.worktree / ".git").touch()
        (self.worktree / "src" / "a.py").touch()
        self.interpreter = interpreter

    def call(self, *arguments: str, where: str = "src", **env: str) -> subprocess.CompletedProcess[str]:
        helper = str(self.directory / "bin" / "agentrelay-task")
        return subprocess.run(
            [self.interpreter, "-I", "-W", "error", helper, *arguments],
            cwd=self.worktree / where,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C", **env},
            capture_output=True,
            text=True,
            timeout=240,
        )

    def says(self, *arguments: str, **options: str) -> str:
        done = self.call(*arguments, **options)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def agent(tmp_path: Path, interpreter: str) -> Agent:
    return Agent(tmp_path, interpreter)


def test_done_once(agent: Agent) -> None:
    """A done is whole and carries the nonce; again it changes nothing; failed is then refused."""
    agent.says("done", "--pr", "https://x/1")
    written = (agent.directory / ".done").read_text()
    assert written.splitlines()[1:] == ["https://x/1", f"nonce={agent.runtime.artifacts.signal_nonce}"]
    agent.says("done")
    assert (agent.directory / ".done").read_text() == written
    refused = agent.call("failed", "no")
    assert refused.returncode == 1
    assert "already signalled 'done'" in refused.stderr
    signal = read_signal(agent.directory, agent.runtime.artifacts.signal_nonce)
    assert signal is not None
    assert signal.pr_url == "https://x/1"


def test_failed_once(agent: Agent) -> None:
    """A failed carries the reason on one line; done is then refused; a stale signal is replaced."""
    (agent.directory / ".failed").write_text("x\ny\nnonce=00\n")
    agent.says("failed", "it\nbroke", "badly\x1b")
    signal = read_signal(agent.directory, agent.runtime.artifacts.signal_nonce)
    assert signal is not None
    assert signal.error == "it broke badly"
    assert agent.call("done").returncode == 1


def test_concerns_outputs_context(agent: Agent) -> None:
    """Concerns are appended, outputs collected relative to the repository, the context printed."""
    agent.says("concern", "first\nline")
    agent.says("concern", "second")
    assert read_concerns(agent.directory) == ("first line", "second")
    agent.says("output", "a.py", "--category", "src")
    agent.says("output", "src/a.py", "--category", "src", where=".")
    agent.says("output", str(agent.worktree / "src" / "a.py"), "--category", "test")
    assert read_outputs(agent.directory) == (TaggedPath("src/a.py", "src"), TaggedPath("src/a.py", "test"))
    assert agent.says("context") == "Know this."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("done", "--pr", "branch"), "takes the URL"),
        (("failed", " "), "say why"),
        (("concern", ""), "say what"),
        (("output", "nothing.py", "--category", "src"), "there is no file nothing.py"),
        (("output", "a.py", "--category", "a b"), "a category is a word"),
        (("output", "/etc/passwd", "--category", "src"), "is not in the repository"),
    ],
)
def test_clear_errors(agent: Agent, arguments: tuple[str, ...], said: str) -> None:
    """What cannot be done is said in a sentence, and nothing is written."""
    done = agent.call(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not {".done", ".failed", "concerns.log", "outputs.json"} & {path.name for path in agent.directory.iterdir()}


def test_where_it_writes(agent: Agent, tmp_path: Path) -> None:
    """AGENTRELAY_SIGNAL_DIR comes first; one that is no task's directory is refused by name."""
    other = tmp_path / "other"
    other.mkdir()
    refused = agent.call("done", AGENTRELAY_SIGNAL_DIR=str(other))
    assert refused.returncode == 1
    assert f"{other} is no task's directory" in refused.stderr
    (other / "manifest.json").write_text(json.dumps({"nonce": "ab"}))
    agent.says("done", AGENTRELAY_SIGNAL_DIR=str(other))
    assert (other / ".done").exists()
    assert not (agent.directory / ".done").exists()


def test_help(agent: Agent) -> None:
    """--help names every command; no command is wrong usage."""
    shown = agent.says("--help")
    assert all(command in shown for command in ("done", "failed", "concern", "output", "context"))
    assert agent.call().returncode == 2
