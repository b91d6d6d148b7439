"""What is killed goes on: the orchestrator, the agent, or both; the session is the same, and nothing is done twice."""

import json
import os
import signal
import threading

import pytest
from pytest_agentrelay.scripted_model import run, say

from agentrelay_core import Task
from agentrelay_core.journal import read_events, read_state
from agentrelay_core.orchestrator import RunOutcome
from agentrelay_core.processes.table import command_line


def ended(process):
    """What a run printed; it has ended well."""
    printed, _ = process.communicate(timeout=240)
    assert process.returncode == 0, printed
    return printed


@pytest.mark.parametrize("environment", ["process", "tmux"])
def test_a_live_session_is_adopted_after_the_orchestrator_was_killed(shell, repository, model, environment, tmp_path):
    """The next run goes on with the session that lives; it was not interrupted and is not told that it was."""
    hold = threading.Event()
    model.script("a", run("echo a > a.txt && agentrelay-task done", hold), say("Done."))
    killed = shell(environment)
    assert model.wait_for_requests(1)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=240)
    second = shell(environment)
    hold.set()
    assert "1 merged" in ended(second)
    assert repository.git("show", "agentrelay/g@default:a.txt") == "a"
    assert model.requests == [("a", 0), ("a", 1)]
    assert "interrupted" not in json.dumps(model.prompts[-1]["messages"])
    [journal] = (tmp_path / "state").rglob("journal.sqlite")
    events = [event for _, event in read_events(journal)]
    assert "launch" in {event.message for event in events if event.kind == "effect_recovered"}
    assert read_state(journal).tasks["a"].usage["output_tokens"] == 40


@pytest.mark.parametrize("environment", ["process", "tmux"])
@pytest.mark.parametrize("place", ["send_turn:begin", "send_turn:effect"])
def test_a_gate_s_failure_arrives_whenever_the_orchestrator_is_killed(shell, repository, model, environment, place):
    """Killed right before, or right after, the agent is told: the next run tells it, or knows that it was told."""
    model.script(
        "a",
        run("echo wrong > a.txt && git add . && git commit -qm b && agentrelay-task done"),
        say("Done."),
        *[run("echo right > a.txt && git add . && git commit -qm c; agentrelay-task done"), say("Mended.")] * 2,
    )
    killed = shell(environment, f"{place}=kill", completion_gate="grep -q right a.txt")
    killed.communicate(timeout=240)
    assert killed.returncode == -signal.SIGKILL
    assert "1 merged" in ended(shell(environment, completion_gate="grep -q right a.txt"))
    assert repository.git("show", "agentrelay/g@default:a.txt") == "right"
    told = json.dumps(model.prompts[-1]["messages"]).count("did not pass its completion gate")
    assert told == 1


def test_a_session_that_died_with_the_orchestrator_is_resumed_and_told(shell, repository, model, agents):
    """Both are killed: the next run resumes the session by its id, and tells it that it was interrupted."""
    hold = threading.Event()
    work = run("echo a > a.txt && agentrelay-task done")
    # In its second turn, for of a session that is killed in its first nothing may have been kept.
    model.script("a", run("true"), run("true", hold))
    killed = shell("process")
    assert model.wait_for_requests(2)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=240)
    found = [pid for pid in agents() if "stream-json" in command_line(pid)]
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    model.script("a", work, work, work, say("Done."))  # Claude Code may put a word of its own where it was cut off
    hold.set()
    assert "1 merged" in ended(shell("process"))
    assert found
    assert repository.git("show", "agentrelay/g@default:a.txt") == "a"
    assert "You were interrupted" in json.dumps(model.prompts[2]["messages"])


async def test_an_agent_that_was_killed_is_tried_again(relay, repository, model, agent):
    """Its death is told as it was, and the next attempt is another session."""
    # The shell outlives it, and must not signal in its place.
    kill = '[ "$AGENTRELAY_ATTEMPT" = 1 ] || { kill -9 $PPID; exit; }; echo a > a.txt; agentrelay-task done'
    model.script("a", run(kill), say("Done."))
    result = await relay(Task(id="a", description="[[script:a]] work", primary_agent=agent()), max_task_attempts=2)
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    (retried,) = [event for event in relay.events if event.kind == "task_retrying"]
    assert "Claude Code was ended by SIGKILL" in retried.message
