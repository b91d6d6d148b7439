"""Fake agents and the end of the process that they live in: what is lost with it is known, and done again."""

import subprocess
import sys

import pytest

GRAPH = """\
name: g
agents:
  asking: {framework: fake, environment: ENVIRONMENT, script: [{print: begun}, ask_permission, write, done]}
tasks:
  a: {agent: asking, description: Do it., deadlines: {stall: 0.2s}}
"""


@pytest.fixture
def start(git_repository):
    """Starts ``agentrelay run``, and returns once the agent has asked."""
    running = []

    def start():
        command = [sys.executable, "-u", "-m", "agentrelay_core.cli", "run"]
        process = subprocess.Popen(command, cwd=git_repository.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        running.append(process)
        for line in process.stdout:
            if b"waits for input" in line:
                return process
        raise AssertionError(f"the agent has not asked; exit {process.wait()}")

    yield start
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(("environment", "begun"), [("in_process", 2), ("process", 1)])
def test_a_run_that_was_killed_goes_on(environment, begun, start, git_repository, leak_check):
    """An agent in a thread ends with its process and is started again; one in a program of its own is adopted."""
    (git_repository.path / "agentrelay.yaml").write_text(GRAPH.replace("ENVIRONMENT", environment))
    killed = start()
    killed.kill()
    killed.wait()
    [attempt] = (git_repository.path / ".workflow").glob("g/signals/a/*")
    if begun > 1:
        (attempt / "waiting_input").unlink()  # whoever asked is no more: the next to ask is the next agent
    goes_on = start()
    (attempt / "waiting_input").unlink()
    said, _ = goes_on.communicate(timeout=240)
    assert goes_on.returncode == 0, said.decode()
    assert (attempt / "agent.log").read_text() == "begun\n" * begun
    branch = "agentrelay/g@default"
    assert git_repository.lines("ls-tree", "-r", "--name-only", branch) == ["README", "a.txt"]
    assert len(git_repository.lines("log", "--merges", "--format=%s", branch)) == 1
