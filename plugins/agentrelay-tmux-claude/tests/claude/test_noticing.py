"""How soon signals and ends of turns are known in tmux: from the file that tells of them to the word to people."""

import asyncio
import itertools
import threading

from agentrelay_tmux_claude import TmuxEnvironment
from agentrelay_tmux_claude.claude.late import look_until
from pytest_agentrelay.scripted_model import run, say

from agentrelay_core import Task
from agentrelay_core.orchestrator import RunOutcome

TASKS = "abcd"


async def test_signals_and_ends_of_turns_are_known_at_once(relay, model, agent, tmp_path, at_once):
    """From a signal's appearance, and from the call of a turn's last hook, to our word it takes less than 100 ms."""
    for name in TASKS:
        model.script(name, run(f"echo {name} > {name}.txt"), say("Hi."), run("agentrelay-task done"), say("Done."))
    tasks = [Task(id=name, description="work", primary_agent=agent(TmuxEnvironment())) for name in TASKS]
    result = await relay(*tasks, max_concurrency=1)
    assert result.outcome is RunOutcome.SUCCEEDED, [task.error for task in result.tasks.values()]
    late = {"signal": [], "turn_ended": []}
    for name in TASKS:
        [signal_dir] = {
            path.parent for path in (tmp_path / "repository" / ".workflow").glob(f"*/signals/{name}/*/claude-events")
        }
        hooks = (signal_dir / "claude-events").glob("*-Stop.json")
        told = {
            "signal": [(signal_dir / ".done").stat().st_mtime],
            "turn_ended": sorted(int(file.name.partition("-")[0]) / 1e9 for file in hooks),
        }
        for kind, began in told.items():
            known = [e.timestamp for e in relay.events if e.task_id == name and e.data.get("kind") == kind]
            late[kind] += [after - before for before, after in zip(began, known, strict=True)]
    allowed = at_once()
    assert all(sorted(each)[len(each) // 2] < allowed for each in late.values()), (allowed, late)


async def test_what_is_written_late_is_seen_by_event(tmp_path):
    """A look that does not find enough is made again when one of the directories changes, and not before."""
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    looks, looked = itertools.count(1), [threading.Event() for _ in range(9)]

    def look():
        seen = [path.name for folder in folders for path in folder.iterdir()]
        looked[next(looks)].set()
        return seen

    waiting = asyncio.ensure_future(look_until(look, lambda seen: len(seen) == 2, folders, 60.0))
    for number, folder in enumerate(folders, start=1):
        await asyncio.to_thread(looked[number].wait, 60)
        (folder / f"late{number}").touch()
    assert sorted(await waiting) == ["late1", "late2"]
    assert await look_until(lambda: "nothing", lambda _: False, folders, 0.0) == "nothing"
