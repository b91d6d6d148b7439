"""Claude Code in tmux: the real programs, a scripted model, a real repository."""

import json

import pytest
from agentrelay_tmux_claude import TmuxEnvironment
from pytest_agentrelay.scripted_model import run, say

from agentrelay_core import Task
from agentrelay_core.orchestrator import RunOutcome

TMUX = TmuxEnvironment()


def kinds(events, kind):
    return [event for event in events if event.kind == kind]


async def test_three_tasks_become_merged_branches(relay, repository, model, agent):
    """Three tasks end merged; a gate's failure goes back as text to the session that lives, and none is relaunched."""
    model.script("a", run("echo a > a.txt && agentrelay-task done"), say("Done."))
    model.script(
        "b",
        run("echo wrong > b.txt && git add . && git commit -qm b && agentrelay-task done"),
        say("Done."),
        run("echo right > b.txt && git add . && git commit -qm c && agentrelay-task done"),
        say("Mended."),
    )
    model.script("c", run("test -e a.txt && echo c > c.txt && agentrelay-task done"), say("Done."))
    result = await relay(
        Task(id="a", description="write a", primary_agent=agent(TMUX)),
        Task(id="b", description="write b", primary_agent=agent(TMUX), completion_gate="grep -q right b.txt"),
        Task(id="c", description="write c", dependencies=("a",), primary_agent=agent(TMUX)),
    )
    assert result.outcome is RunOutcome.SUCCEEDED, [task.error for task in result.tasks.values()]
    files = repository.git("ls-tree", "--name-only", "agentrelay/g@default").split()
    assert files == ["README", "a.txt", "b.txt", "c.txt"]
    assert repository.git("show", "agentrelay/g@default:b.txt") == "right"
    assert len(kinds(relay.events, "task_launched")) == 3
    assert all("agentrelay:%" in event.message for event in kinds(relay.events, "task_launched"))
    used = {event.task_id: event.data for event in kinds(relay.events, "task_usage")}
    assert used["a"]["output_tokens"] == 40


async def test_a_turn_that_did_nothing_is_told_once_and_then_failed(relay, model, agent):
    """The nudge is typed and arrives once; a second turn without work is a failure by name."""
    model.script("a", say("All done!"), say("Really done!"))
    result = await relay(Task(id="a", description="work", primary_agent=agent(TMUX)))
    assert result.outcome is RunOutcome.FAILED
    assert "ended twice without a signal and did nothing; it said: Really done!" in result.tasks["a"].error
    assert model.requests == [("a", 0), ("a", 1)]
    assert "there is no signal" in json.dumps(model.prompts[1]["messages"])


async def test_a_question_is_an_event_with_a_deadline(relay, model, agent):
    """With ``ask`` people are told what is asked and where to answer; nobody does, and the task is parked."""
    model.script("a", run("echo a > a.txt"), say("Done."))
    options = {"permissions": "ask", "allowed_tools": [], "answer_within": 3}
    result = await relay(Task(id="a", description="work", primary_agent=agent(TMUX, **options)))
    assert result.outcome is RunOutcome.PARKED
    assert "permission for Bash(echo a > a.txt), and nobody answered" in result.tasks["a"].error
    (asked,) = kinds(relay.events, "task_awaiting_input")
    assert "agentrelay attach a" in asked.message
    assert asked.data["until"] == pytest.approx(asked.timestamp + 3, abs=3)


async def test_what_is_refused_is_named_where_nobody_is_asked(relay, model, agent):
    """With ``deny`` the question is answered by the hook, and a task that did nothing else fails by name."""
    model.script("a", run("echo a > a.txt"), say("Done."))
    result = await relay(Task(id="a", description="work", primary_agent=agent(TMUX, allowed_tools=[])))
    assert result.outcome is RunOutcome.FAILED
    assert "refused: Bash(echo a > a.txt)" in result.tasks["a"].error


async def test_a_dialog_in_the_way_is_named(relay, repository, model, agent, tmp_path):
    """A repository that is not trusted parks the task, and the words say how to trust it."""
    home = tmp_path / "home" / ".claude.json"
    home.write_text(json.dumps({**json.loads(home.read_text()), "projects": {}}))
    result = await relay(Task(id="a", description="work", primary_agent=agent(TMUX)))
    assert result.outcome is RunOutcome.PARKED
    assert "asks whether this repository is trusted: run `claude` once" in result.tasks["a"].error
