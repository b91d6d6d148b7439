"""What may come in the way of the real Claude Code: a prompt that is lost, errors of the API, an old version."""

import os
import shlex

import pytest
from agentrelay_tmux_claude import TmuxEnvironment
from pytest_agentrelay.scripted_model import Refusal, Reply, run, say

from agentrelay_core import Task
from agentrelay_core.builtin.environment import ProcessEnvironment
from agentrelay_core.orchestrator import RunOutcome

TMUX = TmuxEnvironment()
EACH = {"argvalues": [ProcessEnvironment(), TMUX], "ids": ["process", "tmux"]}
WORK = run("echo a > a.txt && agentrelay-task done")
# What 2.1.197 prints where its maker says that it is too old; without a network nobody tells it so.
TOO_OLD = """
It looks like your version of Claude Code (2.1.197) needs an update.
A newer version (99.0.0 or higher) is required to continue.

To update, please run:
    claude update

This will ensure you have access to the latest features and improvements.
"""


def kinds(events, kind):
    return [event for event in events if event.kind == kind]


@pytest.fixture
def instead(tmp_path, monkeypatch, repository, real_claude):
    """Puts a script into the place of Claude Code's program, which it knows as $REAL."""

    def instead(script):
        folder = tmp_path / "instead"
        folder.mkdir()
        program = folder / "claude"
        program.write_text(f"#!/bin/sh\nREAL={shlex.quote(str(real_claude))}\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return instead


@pytest.mark.slow
async def test_a_prompt_that_is_lost_is_typed(relay, repository, model, agent, instead):
    """Where the prompt that was an argument does not arrive, it is typed into the session, and arrives once."""
    instead(
        'for last; do :; done\ncount=$#\nwhile [ $((count -= 1)) -ge 1 ]; do set -- "$@" "$1"; shift; done\n'
        'shift\nexec "$REAL" "$@"'
    )
    model.script("a", WORK, say("Done."))
    result = await relay(Task(id="a", description="work", primary_agent=agent(TMUX)))
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    assert repository.git("show", "agentrelay/g@default:a.txt") == "a"
    assert model.requests == [("a", 0), ("a", 1)]


async def test_a_stop_while_a_sub_agent_works_is_no_end(relay, repository, model, agent):
    """The agent's turn ends while its sub-agent works in the background: nobody is nudged, and its work counts."""
    given = {
        "description": "part",
        "prompt": "[[script:sub]] do a part",
        "subagent_type": "general-purpose",
        "run_in_background": True,
    }
    # The sub-agent goes on only after the agent's Stop, and long enough for somebody who took that for the end.
    stopped = 'until ls "$AGENTRELAY_SIGNAL_DIR"/claude-events/*-Stop.json; do sleep 0.1; done; sleep 3'
    model.script("a", Reply(tools=(("Task", given),)), say("It works on it."))
    model.script("sub", run(f"{stopped}; echo a > a.txt && agentrelay-task done"), say("Part done."))
    worker = agent(TMUX, allowed_tools=["Bash", "Task"])
    result = await relay(Task(id="a", description="work", primary_agent=worker))
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    assert repository.git("show", "agentrelay/g@default:a.txt") == "a"
    assert ("sub", 0) in model.requests
    assert not kinds(relay.events, "task_warning")


@pytest.mark.parametrize("environment", **EACH)
async def test_a_bill_that_was_not_paid_parks_the_task(relay, model, agent, environment):
    """A person must mend that: the task is parked by name, and its attempt is not used up."""
    refusal = Refusal(status=400, kind="invalid_request_error", message="Your credit balance is too low to access this")
    model.script("a", refusal)
    result = await relay(Task(id="a", description="[[script:a]]", primary_agent=agent(environment)))
    assert result.outcome is RunOutcome.PARKED
    assert "Claude Code cannot be billed" in result.tasks["a"].error
    assert "redit balance" in result.tasks["a"].error


@pytest.mark.parametrize("environment", **EACH)
async def test_an_api_that_fails_is_tried_again_in_another_attempt(relay, repository, model, agent, environment):
    """After Claude Code's own tries an error 5xx is no failure of the agent's, and the next attempt does the work."""
    refusal = Refusal(status=500, kind="api_error", message="Internal server error", times=2, then=WORK)
    model.script("a", refusal, say("Done."))
    task = Task(id="a", description="[[script:a]]", primary_agent=agent(environment))
    result = await relay(task, max_task_attempts=2)
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    (retried,) = kinds(relay.events, "task_retrying")
    assert "could not reach its model" in retried.message


@pytest.mark.parametrize("environment", **EACH)
async def test_bypass_is_what_the_graph_says(relay, repository, model, agent, environment):
    """With ``bypass`` nothing is asked and nothing refused, not even whether that is meant."""
    model.script("a", WORK, say("Done."))
    worker = agent(environment, permissions="bypass", allowed_tools=[], env={"IS_SANDBOX": "1"})
    result = await relay(Task(id="a", description="[[script:a]]", primary_agent=worker))
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    assert repository.git("show", "agentrelay/g@default:a.txt") == "a"


async def test_a_home_that_was_never_set_up_is_named(relay, model, agent, tmp_path):
    """In tmux its first start wants its maker's service, which is not there; people are told what to do."""
    (tmp_path / "home" / ".claude.json").unlink()
    worker = agent(TMUX, env={"HTTPS_PROXY": "http://127.0.0.1:9"})  # loopback alone, whatever network there is
    result = await relay(Task(id="a", description="[[script:a]]", primary_agent=worker))
    assert result.outcome is RunOutcome.PARKED
    assert (
        "Claude Code cannot reach its service: look at the network, and set Claude Code up" in result.tasks["a"].error
    )


@pytest.mark.parametrize("environment", **EACH)
async def test_a_version_that_is_too_old_is_named(relay, agent, instead, environment):
    """A program that refuses to start before it is updated parks the task, with the command to type."""
    instead(f"printf %s {shlex.quote(TOO_OLD)} >&2\nexit 1")
    result = await relay(Task(id="a", description="work", primary_agent=agent(environment)))
    assert result.outcome is RunOutcome.PARKED
    assert (
        "refuses to start before it is updated: run `claude update`; then `agentrelay run`" in result.tasks["a"].error
    )


@pytest.mark.parametrize("environment", **EACH)
async def test_it_does_not_replace_itself_during_a_run(relay, repository, model, agent, environment):
    """Whatever the user has set, an agent looks for no update, so that no notice of one comes in its way."""
    model.script("a", run("echo $DISABLE_AUTOUPDATER > a.txt && agentrelay-task done"), say("Done."))
    result = await relay(Task(id="a", description="[[script:a]]", primary_agent=agent(environment)))
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    assert repository.git("show", "agentrelay/g@default:a.txt") == "1"
