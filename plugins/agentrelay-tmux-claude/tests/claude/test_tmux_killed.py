"""Claude Code in tmux when what it lives in is killed with it: its attempt has died, and the run goes on elsewhere."""

import asyncio
import json
import os
import signal

import pytest
from agentrelay_tmux_claude import TmuxEnvironment
from agentrelay_tmux_claude.claude.arguments import PROGRAM
from pytest_agentrelay.scripted_model import run, say

from agentrelay_core import Task
from agentrelay_core.orchestrator import RunOutcome
from agentrelay_core.processes.table import command_line, read_variable

OWN, NAMED = TmuxEnvironment(), TmuxEnvironment(session="work")


def servers(tmp_path):
    """The process ids of the tmux servers of each launch, in order."""
    records = sorted((tmp_path / "state").rglob("tmux.json"), key=lambda path: path.stat().st_mtime_ns)
    return [json.loads(path.read_text())["server"]["pid"] for path in records]


def left_of(tmp_path):
    """The processes that are left of agents below a path, with their command lines."""
    found = read_variable("AGENTRELAY_SIGNAL_DIR").items()
    return {pid: command_line(pid) for pid, where in found if where.startswith(f"{tmp_path}/")}


def kill_claude(tmp_path):
    """Kill the process of Claude Code that works below a path."""
    [pid] = [pid for pid, words in left_of(tmp_path).items() if words.startswith(f"{PROGRAM} ")]
    os.kill(pid, signal.SIGKILL)


@pytest.mark.fault("A10")
@pytest.mark.parametrize("environment", [OWN, NAMED], ids=["own", "named"])
async def test_kill_9_of_the_server_costs_one_attempt(
    relay, repository, model, agent, users_tmux, at_work, tmp_path, environment
):
    """Claude Code and what ignored HUP end with their terminal, and a new server has the rest of the run."""
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
    assert left_of(tmp_path) == {}
    assert killed not in servers(tmp_path)[1:]


@pytest.mark.fault("A8")
async def test_kill_9_of_claude_costs_one_attempt(relay, repository, model, agent, at_work, tmp_path):
    """It is told as it was, the commands that outlived it are ended before another one begins."""
    model.script("a", run(at_work.command), say("Done."))
    running = asyncio.ensure_future(
        relay(Task(id="a", description="work", primary_agent=agent(OWN)), max_task_attempts=2)
    )
    child = await at_work()
    kill_claude(tmp_path)
    result = await running
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    (retried,) = [event for event in relay.events if event.kind == "task_retrying"]
    assert "Claude Code was ended by SIGKILL" in retried.message
    assert repository.git("show", "agentrelay/g@default:a.txt") == "a"
    assert child not in read_variable("AGENTRELAY_SIGNAL_DIR")
    assert left_of(tmp_path) == {}


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
    assert left_of(tmp_path) == {}


@pytest.mark.parametrize("environment", [OWN, NAMED], ids=["own", "named"])
async def test_a_user_s_own_tmux_is_untouched(
    relay, repository, model, agent, users_tmux, at_work, tmp_path, environment
):
    """After a run that typed, and whose server or agent was killed, all that the user's tmux has is as it was.

    The user has sessions, windows, marks and a buffer of the names that are ours, in the session that is named too.
    """
    users_tmux.start()
    before = users_tmux.snapshot()
    model.script("a", run(at_work.command), say("Done."))
    model.script("b", run("echo b > b.txt"), say("Hi."), run("agentrelay-task done"), say("Done."))
    tasks = [Task(id=name, description="work", primary_agent=agent(environment)) for name in "ba"]
    running = asyncio.ensure_future(relay(*tasks, max_task_attempts=2, max_concurrency=1))
    await at_work()
    if environment is OWN:
        os.kill(servers(tmp_path)[-1], signal.SIGKILL)
    else:
        assert users_tmux("list-windows", "-t", "=work:", "-F", "#{window_name}") == "a\na\n"
        kill_claude(tmp_path)
    result = await running
    assert result.outcome is RunOutcome.SUCCEEDED, [task.error for task in result.tasks.values()]
    assert [event.kind for event in relay.events if event.kind in ("task_warning", "task_retrying")] == [
        "task_warning",
        "task_retrying",
    ]
    assert users_tmux.snapshot() == before
    assert left_of(tmp_path) == {}
