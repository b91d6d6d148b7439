"""What Claude Code used: all of it, its sub-agents' too, in tokens and dollars, and counted once whoever is killed."""

import json
import os
import shutil
import signal
import subprocess
import threading

import pytest
from agentrelay_tmux_claude import TmuxEnvironment
from agentrelay_tmux_claude.claude.account import Account
from agentrelay_tmux_claude.claude.hook_program import EVENTS_DIRECTORY, status_line
from agentrelay_tmux_claude.claude.status import cost_of, told_since
from agentrelay_tmux_claude.claude.transcript import transcripts_of
from agentrelay_tmux_claude.claude.usage import Usage, result_usage
from pytest_agentrelay.scripted_model import Reply, run, say

from agentrelay_core import RunInfo, StepContext, Task, TaskRuntime
from agentrelay_core.builtin.environment import ProcessEnvironment
from agentrelay_core.journal import read_state
from agentrelay_core.orchestrator import RunOutcome

EACH = {"argvalues": [ProcessEnvironment(), TmuxEnvironment()], "ids": ["process", "tmux"]}
# What the scripted model says of each of its answers, at the price of the tests' model.
OF_ONE = 20
DOLLARS_OF_ONE = 10 * 3e-6 + 20 * 15e-6


def paid(used):
    """How many answers were paid for; in a terminal, titles are asked for beside the work."""
    return round(used["cost_usd"] / DOLLARS_OF_ONE, 3)


def write_status(signal_dir, number, cost):
    """Have a start of the session tell its cost as Claude Code does."""
    environment = {"AGENTRELAY_SIGNAL_DIR": str(signal_dir), "PATH": os.environ["PATH"]}
    given = json.dumps({"cost": {"total_cost_usd": cost}})
    command = status_line(number)["command"]
    done = subprocess.run(
        ["sh", "-c", command], input=given, text=True, env=environment, check=True, capture_output=True
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_what_a_session_costs_is_added_over_its_starts(tmp_path):
    """A start that goes on with the count of the one before adds what is new, and one that begins at 0 all of it."""
    (tmp_path / EVENTS_DIRECTORY).mkdir()
    assert cost_of(tmp_path) == 0.0
    for number, cost in [(1, 0), (1, 0.25), (1, 0.5), (2, 0.5), (2, 0.75), (10, 0), (10, 0.125)]:
        write_status(tmp_path, number, cost)
    assert cost_of(tmp_path) == 0.875
    assert len(list((tmp_path / EVENTS_DIRECTORY).iterdir())) == 6
    assert not told_since(tmp_path, 9e9)
    assert told_since(tmp_path, 0.0)


def test_a_status_that_an_agent_forged_raises_nothing(tmp_path):
    """Rubbish, links and a directory that is none cost nothing."""
    folder = tmp_path / EVENTS_DIRECTORY
    assert cost_of(tmp_path) == 0.0
    assert told_since(tmp_path, 9e9)
    folder.mkdir()
    (folder / "status-1-first.json").write_text('{"cost": {"total_cost_usd": "much"}}')
    (folder / "status-1-last.json").symlink_to("/etc/passwd")
    (folder / "status-2-last.json").write_text('{"cost": [1]}')
    assert cost_of(tmp_path) == 0.0
    shutil.rmtree(folder)
    folder.write_text("")
    assert cost_of(tmp_path) == 0.0


def test_a_result_counts_the_sub_agents():
    """Tokens are those of all models where they are told by model, and the main agent's where they are not."""
    usage = {"output_tokens": 60, "cache_read_input_tokens": 5}
    by_model = {"a": {"outputTokens": 90, "inputTokens": 1}, "b": {"outputTokens": 10}}
    found = result_usage({"usage": usage, "modelUsage": by_model, "total_cost_usd": 0.5, "num_turns": 3})
    assert found == Usage(output_tokens=100, input_tokens=1, cache_read_input_tokens=5, cost_usd=0.5, turns=3)
    assert result_usage({"usage": usage}).output_tokens == 60


def test_transcripts_are_those_of_the_session_alone(tmp_path):
    """An answer in several parts counts once, a sub-agent's too, and rubbish not at all."""

    def answer(name, tokens):
        message = {"id": name, "role": "assistant", "usage": {"output_tokens": tokens}, "content": [{"text": name}]}
        return json.dumps({"type": "assistant", "message": message})

    folder = tmp_path / "projects" / "-some-where"
    (folder / "s" / "subagents").mkdir(parents=True)
    (folder / "s.jsonl").write_text(f'{answer("a", 1)}\n{answer("a", 3)}\n{answer("b", 4)}\nrubbish "assistant"\n')
    (folder / "s" / "subagents" / "agent-x.jsonl").write_text(answer("c", 5))
    (folder / "other.jsonl").write_text(answer("d", 6))
    found = transcripts_of("s", {"CLAUDE_CONFIG_DIR": str(tmp_path)})
    assert (found.usage.output_tokens, found.usage.turns, found.said) == (12, 3, "b")
    assert not transcripts_of("none", {"HOME": str(tmp_path)}).usage


def test_a_total_is_told_when_it_changes_and_again_by_a_successor(tmp_path):
    """What is told is a total with a name, so that two who tell the same count it once; it never goes down."""
    told = []
    runtime = TaskRuntime(Task(id="a"), run_id="r")
    runtime.reporter = lambda kind, message, data: told.append(data)
    run_info = RunInfo(run_id="r", graph_name="g", repository=None, state_dir=tmp_path)
    context = StepContext(runtime=runtime, run=run_info)
    account = Account(context)
    account.tell(Usage(output_tokens=5))
    account.tell(Usage(output_tokens=5))
    account.tell(Usage(output_tokens=7), results={"u": Usage(output_tokens=6, cost_usd=0.5)})
    Account(context).tell(Usage())
    assert [(data["output_tokens"], data["cost_usd"]) for data in told] == [(5, 0.0), (7, 0.5), (7, 0.5)]
    assert len({data["of"] for data in told}) == 1


@pytest.mark.parametrize("environment", **EACH)
async def test_sub_agents_count_in_tokens_and_in_dollars(relay, model, agent, environment):
    """Two answers of a sub-agent and three of the agent are five, by the count of each environment."""
    given = {"description": "part", "prompt": "[[script:sub]] do a part", "subagent_type": "general-purpose"}
    model.script("a", Reply(tools=(("Task", given),)), run("echo a > a.txt && agentrelay-task done"), say("Done."))
    model.script("sub", run("echo part"), say("Part done."))
    task = Task(
        id="a", description="[[script:a]] work", primary_agent=agent(environment, allowed_tools=["Bash", "Task"])
    )
    result = await relay(task)
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    assert sorted(model.requests) == [("a", 0), ("a", 1), ("a", 2), ("sub", 0), ("sub", 1)]
    used = [event.data for event in relay.events if event.kind == "task_usage"][-1]
    assert used["output_tokens"] == 5 * OF_ONE
    assert 5 <= paid(used) <= len(model.keys)


async def test_a_turn_that_is_stopped_after_its_signal_still_tells_what_it_used(relay, model, agent):
    """Without a terminal such a turn has no result; its answers are in the transcript."""
    model.script("a", run("echo a > a.txt && agentrelay-task done"), Reply(text="Never.", hold=threading.Event()))
    result = await relay(Task(id="a", description="[[script:a]] work", primary_agent=agent()))
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    (used,) = [event.data for event in relay.events if event.kind == "task_usage"]
    assert used["output_tokens"] == OF_ONE


@pytest.mark.parametrize("environment", ["process", "tmux"])
@pytest.mark.parametrize("place", ["publish:begin", "publish:intent", "send_turn:begin"])
def test_usage_is_neither_lost_nor_counted_twice(shell, model, environment, place, tmp_path):
    """Wherever the orchestrator is killed after a turn was counted, the four answers count once."""
    work = "git add . && git commit -qm b; agentrelay-task done"
    model.script(
        "a", run(f"echo wrong > a.txt && {work}"), say("Done."), run(f"echo right > a.txt && {work}"), say("Mended.")
    )
    gate = {"completion_gate": "grep -q right a.txt"}
    killed = shell(environment, f"{place}=kill", **gate)
    killed.communicate(timeout=240)
    assert killed.returncode == -signal.SIGKILL
    again = shell(environment, **gate)
    printed, _ = again.communicate(timeout=240)
    assert again.returncode == 0, printed
    [journal] = (tmp_path / "state").rglob("journal.sqlite")
    used = read_state(journal).tasks["a"].usage
    assert used["output_tokens"] == 4 * OF_ONE
    assert 4 <= paid(used) <= len(model.keys)
