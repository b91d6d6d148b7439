"""Claude Code in tmux when what it lives in is killed with it: its attempt has died, and the run goes on elsewhere."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from agentrelay_tmux_claude import TmuxEnvironment
from agentrelay_tmux_claude.claude.arguments import PROGRAM
from pytest_agentrelay.scripted_model import run, say

from agentrelay_core import Task
from agentrelay_core.orchestrator import RunOutcome
from agentrelay_core.processes.table import command_line, read_variable

OWN, NAMED = TmuxEnvironment(), TmuxEnvironment(session="work")
# In its first attempt the agent's command ignores HUP, has a child in a session of its own, and says that both work.
WORK = (
    'if [ "$AGENTRELAY_TASK_ID$AGENTRELAY_ATTEMPT" = a0 ]; then '
    "trap '' HUP; setsid sleep 601 & echo $! >> {began}; exec sleep 602; fi; "
    "echo $AGENTRELAY_TASK_ID > $AGENTRELAY_TASK_ID.txt; agentrelay-task done"
)


@pytest.fixture
def users_tmux(monkeypatch):
    """A short place for the user's own tmux server; afterwards none is there."""
    folder = Path(tempfile.mkdtemp(prefix="arc-", dir="/tmp"))
    monkeypatch.setenv("TMUX_TMPDIR", str(folder))
    monkeypatch.delenv("TMUX", raising=False)
    yield folder
    socket = folder / f"tmux-{os.getuid()}" / "default"
    subprocess.run(["tmux", "-S", str(socket), "kill-server"], capture_output=True, check=False)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def at_work(tmp_path):
    """Waits until the agent's command says that it works."""
    fifo = tmp_path / "began"
    os.mkfifo(fifo)

    async def wait():
        return int(await asyncio.to_thread(fifo.read_text))

    wait.command = WORK.format(began=fifo)
    return wait


def servers(tmp_path):
    """The process ids of the tmux servers of each launch, in order."""
    records = sorted((tmp_path / "state").rglob("tmux.json"), key=lambda path: path.stat().st_mtime_ns)
    return [json.loads(path.read_text())["server"]["pid"] for path in records]


def left_of(tmp_path):
    """What is left of the agents below a path."""
    return [
        command_line(pid)
        for pid, where in read_variable("AGENTRELAY_SIGNAL_DIR").items()
        if where.startswith(f"{tmp_path}/")
    ]


def agent_below(tmp_path):
    """The process of Claude Code that works below a path."""
    [pid] = [
        pid
        for pid, where in read_variable("AGENTRELAY_SIGNAL_DIR").items()
        if where.startswith(f"{tmp_path}/") and command_line(pid).startswith(f"{PROGRAM} ")
    ]
    return pid


@pytest.mark.fault("A10")
@pytest.mark.parametrize("environment", [OWN, NAMED], ids=["own", "named"])
async def test_kill_9_of_the_server_costs_one_attempt(
    relay, repository, model, agent, users_tmux, at_work, tmp_path, environment
):
    """Claude Code ends with its terminal, what ignored HUP is ended with it, and a new server has the rest of the run."""
    for name in "ab":
        model.script(name, run(at_work.command), say("Done."))
    tasks = [
        Task(id="a", description="work", primary_agent=agent(environment)),
        Task(id="b", description="work", dependencies=("a",), primary_agent=agent(environment)),
    ]
    running = asyncio.ensure_future(relay(*tasks, max_task_attempts=2))
    await at_work()
    [killed] = servers(tmp_path)
    os.kill(killed, signal.SIGKILL)
    result = await running
    assert result.outcome is RunOutcome.SUCCEEDED, [task.error for task in result.tasks.values()]
    (retried,) = [event for event in relay.events if event.kind == "task_retrying"]
    assert (retried.task_id, retried.message) == ("a", "Claude Code was ended by SIGHUP (exit 129)")
    assert repository.git("ls-tree", "--name-only", "agentrelay/g@default").split() == ["README", "a.txt", "b.txt"]
    assert left_of(tmp_path) == []
    assert killed not in servers(tmp_path)[1:]


@pytest.mark.fault("A8")
async def test_kill_9_of_claude_costs_one_attempt(relay, repository, model, agent, at_work, tmp_path):
    """It is told as it was, the commands that outlived it are ended before another one begins."""
    model.script("a", run(at_work.command), say("Done."))
    running = asyncio.ensure_future(
        relay(Task(id="a", description="work", primary_agent=agent(OWN)), max_task_attempts=2)
    )
    child = await at_work()
    os.kill(agent_below(tmp_path), signal.SIGKILL)
    result = await running
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    (retried,) = [event for event in relay.events if event.kind == "task_retrying"]
    assert "Claude Code was ended by SIGKILL" in retried.message
    assert repository.git("show", "agentrelay/g@default:a.txt") == "a"
    assert child not in read_variable("AGENTRELAY_SIGNAL_DIR")
    assert left_of(tmp_path) == []


async def test_without_another_attempt_the_task_has_died(relay, model, agent, at_work, tmp_path):
    """With a single attempt the run fails, says what killed the agent, and leaves nothing of it."""
    model.script("a", run(at_work.command), say("Done."))
    running = asyncio.ensure_future(relay(Task(id="a", description="work", primary_agent=agent(OWN))))
    await at_work()
    [killed] = servers(tmp_path)
    os.kill(killed, signal.SIGKILL)
    result = await running
    assert result.outcome is RunOutcome.FAILED
    (ended,) = [event for event in relay.events if event.kind == "task_ended"]
    assert ended.data["retryable"]
    assert result.tasks["a"].error == "Claude Code was ended by SIGHUP (exit 129)"
    assert left_of(tmp_path) == []
