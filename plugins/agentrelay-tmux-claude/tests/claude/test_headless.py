"""Claude Code without a terminal: the real program, a scripted model, a real repository."""

import os
import time

import pytest
from agentrelay_tmux_claude import TmuxEnvironment
from pytest_agentrelay.scripted_model import Refusal, run, say

from agentrelay_core import Task
from agentrelay_core.builtin.environment import ProcessEnvironment
from agentrelay_core.orchestrator import RunOutcome


async def test_three_tasks_become_merged_branches(relay, repository, model, agent):
    """Three tasks that hang on each other end merged, each with what it used, and its model was the task's."""
    for name in "abc":
        model.script(name, run(f"echo {name} > {name}.txt && git add . && agentrelay-task done"), say("Done."))
    result = await relay(
        Task(id="a", description="[[script:a]] write a", primary_agent=agent()),
        Task(id="b", description="[[script:b]] write b", dependencies=("a",), primary_agent=agent()),
        Task(id="c", description="[[script:c]] write c", dependencies=("a",), primary_agent=agent()),
    )
    assert result.outcome is RunOutcome.SUCCEEDED, [task.error for task in result.tasks.values()]
    files = repository.git("ls-tree", "--name-only", "agentrelay/g@default").split()
    assert files == ["README", "a.txt", "b.txt", "c.txt"]
    used = [event for event in relay.events if event.kind == "task_usage"]
    assert sorted(event.task_id for event in used) == ["a", "b", "c"]
    assert all(event.data["output_tokens"] == 40 and event.data["cost_usd"] > 0 for event in used)
    assert {prompt["model"] for prompt in model.prompts} == {"claude-sonnet-4-5"}


async def test_a_failed_gate_is_the_next_turn_of_the_same_session(relay, repository, model, agent):
    """The gate's output goes back to the session by its id, which then mends its own work."""
    model.script(
        "a",
        run("echo wrong > a.txt && git add . && git commit -qm a && agentrelay-task done"),
        say("Done."),
        run("echo right > a.txt && git add . && git commit -qm b && agentrelay-task done"),
        say("Mended."),
    )
    task = Task(id="a", description="[[script:a]]", primary_agent=agent(), completion_gate="grep -q right a.txt")
    result = await relay(task)
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    assert repository.git("show", "agentrelay/g@default:a.txt") == "right"
    assert model.requests == [("a", 0), ("a", 1), ("a", 2), ("a", 3)]
    assert "did not pass its completion gate" in str(model.prompts[2]["messages"])
    launched = [event.data["agent"]["launch"] for event in relay.events if event.kind == "task_launched"]
    assert len(launched) == 2


async def test_a_turn_that_did_nothing_is_told_once_and_then_failed(relay, model, agent):
    """Twice a friendly word and no work is no success: the agent is nudged once, and the task fails by name."""
    model.script("a", say("All done!"), say("Really done!"))
    result = await relay(Task(id="a", description="[[script:a]]", primary_agent=agent()))
    assert result.outcome is RunOutcome.FAILED
    assert "ended twice without a signal and did nothing; it said: Really done!" in result.tasks["a"].error
    assert model.requests == [("a", 0), ("a", 1)]
    assert "there is no signal" in str(model.prompts[1]["messages"])


async def test_work_without_a_signal_counts_after_the_nudge(relay, repository, model, agent):
    """Where the work is there and only the signal is missing, the evidence decides, and people are told."""
    model.script("a", run("echo a > a.txt"), say("Done."), say("As I said, done."))
    result = await relay(Task(id="a", description="[[script:a]]", primary_agent=agent()))
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    assert repository.git("show", "agentrelay/g@default:a.txt") == "a"
    finished = next(event for event in relay.events if event.kind == "task_finished")
    assert finished.data["concerns"] == ["Claude Code ended twice without a signal; its work was checked"]


async def test_exit_0_with_every_tool_refused_is_not_done(relay, model, agent):
    """What was refused is named, with where to allow it."""
    model.script("a", run("echo a > a.txt"), say("Done."))
    result = await relay(Task(id="a", description="[[script:a]]", primary_agent=agent(allowed_tools=[])))
    assert result.outcome is RunOutcome.FAILED
    error = result.tasks["a"].error
    assert "every tool that Claude Code used was refused: Bash(echo a > a.txt)" in error
    assert "allowed_tools" in error


async def test_where_a_person_is_to_be_asked_the_task_is_parked(relay, model, agent):
    """Without a terminal nobody can be asked: the run ends parked and names what needs permission."""
    model.script("a", run("echo a > a.txt"), say("Done."))
    options = {"permissions": "ask", "allowed_tools": []}
    result = await relay(Task(id="a", description="[[script:a]]", primary_agent=agent(**options)))
    assert result.outcome is RunOutcome.PARKED
    assert "needs your permission for Bash(echo a > a.txt)" in result.tasks["a"].error


async def test_a_limit_is_waited_for_until_its_stated_end_and_costs_no_attempt(relay, repository, model, agent):
    """In a storm of 429 a task with a single attempt goes on in its session when the limit is said to end."""
    ends = int(time.time()) + 20
    headers = {
        "retry-after": "3600",
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-reset": str(ends),
        "anthropic-ratelimit-unified-representative-claim": "five_hour",
    }
    limit = Refusal(status=429, kind="rate_limit_error", message="limited", headers=headers)
    # Claude Code puts its own words about the limit where the model's turn would have been.
    model.script("a", limit, run("echo a > a.txt && agentrelay-task done"), say("Done."))
    login = agent(env={"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-dummy-0123456789"}, pass_env=())
    result = await relay(Task(id="a", description="[[script:a]]", primary_agent=login))
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    (throttled,) = [event for event in relay.events if event.kind == "task_throttled"]
    assert throttled.data["until"] == pytest.approx(ends, abs=2)
    assert time.time() >= ends
    assert {event.attempt_num for event in relay.events} == {0}


@pytest.mark.parametrize("environment", [ProcessEnvironment(), TmuxEnvironment()], ids=["process", "tmux"])
async def test_a_login_that_is_missing_parks_the_task_by_name(
    relay, repository, model, agent, monkeypatch, environment
):
    """What to do is said; once it is done, the next run goes on in the same attempt and session."""
    key = os.environ["ANTHROPIC_API_KEY"]
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    work = run("echo a > a.txt && agentrelay-task done")
    model.script("a", work, work, say("Done."))  # Claude Code's own words may stand where a turn would have been
    task = Task(id="a", description="[[script:a]]", primary_agent=agent(environment))
    result = await relay(task)
    assert result.outcome is RunOutcome.PARKED
    assert "no login that works" in result.tasks["a"].error
    assert "pass_env: [ANTHROPIC_API_KEY]" in result.tasks["a"].error
    monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    result = await relay(task)
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    assert {event.attempt_num for event in relay.events} == {0}


async def test_64_kib_of_instructions_arrive_as_they_are(relay, repository, model, agent, tmp_path):
    """Quotes, newlines and semicolons reach the model byte for byte, and the key is in no argument and no file."""
    text = ('it\'s "quoted" `here`; $HOME; #{pane_id} \\ %s\n\t;;\n' * 1500)[: 64 * 1024]
    model.script("a", run("tr '\\0' ' ' < /proc/$PPID/cmdline > args.txt; agentrelay-task done"), say("Done."))
    result = await relay(Task(id="a", description=f"[[script:a]] {text}", primary_agent=agent()))
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    first = model.prompts[0]["messages"][0]["content"]
    assert text.strip() in (first if isinstance(first, str) else "".join(block["text"] for block in first))
    assert "stream-json" in repository.git("show", "agentrelay/g@default:args.txt")
    assert os.environ["ANTHROPIC_API_KEY"] not in repository.git("show", "agentrelay/g@default:args.txt")
    written = [path for top in ("state", "repository") for path in (tmp_path / top).rglob("*") if path.is_file()]
    assert not [path for path in written if os.environ["ANTHROPIC_API_KEY"].encode() in path.read_bytes()]
