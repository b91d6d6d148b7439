"""How soon the end of a turn in tmux is known: from the call of Claude Code's hook to what is done about it."""

import asyncio
import json
import time

from agentrelay_tmux_claude import TmuxEnvironment
from agentrelay_tmux_claude.claude.transcript import PATIENCE, used_until_said
from pytest_agentrelay.scripted_model import run, say

from agentrelay_core import Task
from agentrelay_core.orchestrator import RunOutcome

TASKS = "abcd"
SOON = 0.1  # seconds


async def test_the_end_of_a_turn_is_known_at_once(relay, model, agent, tmp_path):
    """From a turn's last hook to the nudge, or to the pull request, it takes less than 100 ms (median of eight)."""
    for name in TASKS:
        model.script(name, run(f"echo {name} > {name}.txt"), say("Hi."), run("agentrelay-task done"), say("Done."))
    tasks = [Task(id=name, description="work", primary_agent=agent(TmuxEnvironment())) for name in TASKS]
    result = await relay(*tasks, max_concurrency=1)
    assert result.outcome is RunOutcome.SUCCEEDED, [task.error for task in result.tasks.values()]
    late = []
    for name in TASKS:
        files = tmp_path.rglob(f"signals/{name}/*/claude-events/*-Stop.json")
        ends = sorted(int(file.name.partition("-")[0]) / 1e9 for file in files)
        known = [event.timestamp for event in relay.events if event.task_id == name and _follows_a_turn(event)]
        assert len(ends) == len(known) == 2
        late += [after - end for end, after in zip(ends, known, strict=True)]
    late.sort()
    assert late[len(late) // 2] < SOON, late


def _follows_a_turn(event):
    return event.kind == "task_warning" or (event.kind == "intent" and event.message == "publish")


async def test_last_words_are_waited_for_by_event(tmp_path):
    """A transcript without the turn's last words is looked at again when it is written to, be they in two pieces."""

    def line(number, text):
        message = {"id": f"m{number}", "usage": {"output_tokens": 3}, "content": [{"text": text}]}
        return json.dumps({"type": "assistant", "message": message}) + "\n"

    path = tmp_path / "session.jsonl"
    path.write_text(line(0, "Done."))
    # The same words of a turn that is counted already are not the last ones.
    waiting = asyncio.ensure_future(used_until_said(str(path), "session", ("m0",), "First this. Done."))
    await asyncio.sleep(0)
    began = time.monotonic()
    with path.open("a") as file:
        file.write(line(1, "First this.") + line(1, "Done."))
    found = await waiting
    assert (found.ids, found.usage.output_tokens) == (("m1",), 3)
    assert time.monotonic() - began < PATIENCE / 2
