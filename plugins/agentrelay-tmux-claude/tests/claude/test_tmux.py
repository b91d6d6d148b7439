"""Claude Code in tmux: the real programs, a scripted model, a real repository."""

import asyncio
import json
import os
import time

import attrs
import pytest
from agentrelay_tmux_claude import TmuxEnvironment, TmuxHost, deliver
from agentrelay_tmux_claude.claude.events import EventReader
from agentrelay_tmux_claude.claude.terminal import Arrival
from pytest_agentrelay.scripted_model import Refusal, Reply, run, say

from agentrelay_core import Task
from agentrelay_core.orchestrator import RunOutcome
from agentrelay_core.processes.table import read_variable

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


async def test_a_question_is_answered_in_the_window(relay, repository, model, agent):
    """A person who says yes in the window has the agent go on, in the same session, and people are told of that too."""
    model.script("a", run("echo a > a.txt"), run("agentrelay-task done"), say("Done."))
    options = {"permissions": "ask", "allowed_tools": []}
    running = asyncio.ensure_future(relay(Task(id="a", description="work", primary_agent=agent(TMUX, **options))))
    while not (asked := kinds(getattr(relay, "events", ()), "task_awaiting_input")):  # noqa: ASYNC110  # no event tells
        await asyncio.sleep(0.05)
    [launched] = kinds(relay.events, "task_launched")
    pane = TmuxHost(TMUX).adopt(launched.data["agent"]).pane
    while not await asyncio.to_thread(model.wait_for_requests, 2, 2.0):  # a key that comes before the question is lost
        pane.server.run(("send-keys", "-t", pane.look().pane, "Enter"))
    result = await running
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    assert repository.git("show", "agentrelay/g@default:a.txt") == "a"
    assert kinds(relay.events, "task_waiting")[-1].timestamp > asked[0].timestamp
    assert {event.attempt_num for event in relay.events} == {0}


async def test_what_is_refused_is_named_where_nobody_is_asked(relay, model, agent):
    """With ``deny`` the question is answered by the hook, and a task that did nothing else fails by name."""
    model.script("a", run("echo a > a.txt"), say("Done."))
    result = await relay(Task(id="a", description="work", primary_agent=agent(TMUX, allowed_tools=[])))
    assert result.outcome is RunOutcome.FAILED
    assert "refused: Bash(echo a > a.txt)" in result.tasks["a"].error


async def test_a_dialog_in_the_way_is_named(relay, repository, model, agent, tmp_path):
    """A repository that is not trusted parks the task; once it is trusted the next run goes on in the same attempt."""
    home = tmp_path / "home" / ".claude.json"
    answers = home.read_text()
    home.write_text(json.dumps({**json.loads(answers), "projects": {}}))
    model.script("a", run("echo a > a.txt && agentrelay-task done"), say("Done."))
    task = Task(id="a", description="work", primary_agent=agent(TMUX))
    result = await relay(task)
    assert result.outcome is RunOutcome.PARKED
    assert "asks whether this repository is trusted: run `claude` once" in result.tasks["a"].error
    home.write_text(answers)
    result = await relay(task)
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    assert {event.attempt_num for event in relay.events} == {0}


@pytest.mark.slow
async def test_a_storm_of_limits_is_waited_for_without_a_program(relay, repository, model, agent):
    """Three sessions that meet a limit at once go on in new programs when it is said to end, in the same attempts."""
    ends = int(time.time())
    headers = {
        "retry-after": "3600",
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-reset": str(ends),
        "anthropic-ratelimit-unified-representative-claim": "five_hour",
    }
    limit = Refusal(status=429, kind="rate_limit_error", message="limited", times=1, headers=headers)
    login = agent(TMUX, env={"CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-dummy-0123456789"}, pass_env=())
    for name in "abc":
        work = run(f"echo {name} > {name}.txt && agentrelay-task done")
        model.script(name, attrs.evolve(limit, then=work), work, say("Done."))
    lanes = [Task(id=name, description="work", primary_agent=login, workstream_id=name) for name in "abc"]
    result = await relay(*lanes, max_concurrency=3)
    assert result.outcome is RunOutcome.SUCCEEDED, [task.error for task in result.tasks.values()]
    throttled = {event.task_id: event.data["until"] for event in kinds(relay.events, "task_throttled")}
    assert sorted(throttled) == ["a", "b", "c"]
    assert all(ends <= until <= ends + 122 for until in throttled.values())  # it tells the minute alone
    assert len(kinds(relay.events, "task_launched")) == 6
    assert not [pid for pid, home in read_variable("HOME").items() if home == os.environ["HOME"]]
    assert {event.attempt_num for event in relay.events if event.task_id} == {0}


async def test_64_kib_of_instructions_and_no_secret_anywhere(relay, repository, model, agent, tmp_path):
    """Instructions of any text arrive by their file; the key is in no argument, in no record and on no screen."""
    text = 'it\'s "quoted" `here`; $HOME; #{pane_id} #(touch x) \\ %s\n\t;;\n' * 1200
    args = (
        "tr '\\0' ' ' < /proc/$PPID/cmdline > args.txt; cp \"$AGENTRELAY_INSTRUCTIONS\" read.md; agentrelay-task done"
    )
    model.script("a", run(args), say("Done."))
    result = await relay(Task(id="a", description=text, primary_agent=agent(TMUX)))
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    assert text.strip() in repository.git("show", "agentrelay/g@default:read.md")
    arguments = repository.git("show", "agentrelay/g@default:args.txt")
    assert "instructions.md" in arguments
    key = os.environ["ANTHROPIC_API_KEY"]
    assert key not in arguments
    written = [path for top in ("state", "repository") for path in (tmp_path / top).rglob("*") if path.is_file()]
    assert any(path.name == "agent.log" for path in written)
    assert not [path for path in written if key.encode() in path.read_bytes()]


async def test_64_kib_that_are_typed_reach_the_model_as_they_are(relay, model, agent, tmp_path):
    """What is pasted into the real session while it is at rest arrives whole: every quote, newline and semicolon."""
    text = ('it\'s "quoted" `here`; $HOME; #{pane_id} #(touch x) \\ %s\n\t;;\n' * 1500)[: 64 * 1024] + ";"
    begin = {"command": "sleep 600", "description": "wait", "run_in_background": True}
    work = run("echo a > a.txt && agentrelay-task done")
    # It rests while a command of its own works, which is no end of its turn, and so nobody else types.
    model.script("a", Reply(tools=(("Bash", begin),)), say("It runs."), work, say("Done."))
    running = asyncio.ensure_future(relay(Task(id="a", description="work", primary_agent=agent(TMUX))))
    signals = tmp_path / "repository" / ".workflow" / "g" / "signals"
    while not (found := list(signals.glob("a/*/claude-events/*-Stop.json"))):  # noqa: ASYNC110  # no event tells
        await asyncio.sleep(0.05)
    (launched,) = kinds(relay.events, "task_launched")
    pane = TmuxHost(TMUX).adopt(launched.data["agent"]).pane
    await deliver(pane, text, acknowledged=Arrival(EventReader(found[0].parent.parent), 1))
    result = await running
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    said = [message["content"] for message in model.prompts[2]["messages"] if message["role"] == "user"]
    texts = [part if isinstance(part, str) else part.get("text", "") for each in said for part in _parts(each)]
    due = text.replace("\t", "    ")  # Claude Code's line of input makes blanks of tabs
    assert [part for part in texts if due in part], texts[-1][:500]


async def test_a_stop_while_something_works_in_the_background_is_no_end(relay, repository, model, agent):
    """The agent says that it is done while its command still runs: it is not nudged, and what comes of that counts."""
    command = "sleep 4; echo a > a.txt; agentrelay-task done"
    begin = {"command": command, "description": "work", "run_in_background": True}
    model.script("a", Reply(tools=(("Bash", begin),)), say("It runs."))
    result = await relay(Task(id="a", description="work", primary_agent=agent(TMUX)))
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    assert repository.git("show", "agentrelay/g@default:a.txt") == "a"
    assert not kinds(relay.events, "task_warning")
    assert len(model.requests) >= 2


def _parts(content):
    return [content] if isinstance(content, str) else content
