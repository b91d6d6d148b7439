"""How far an agent is, as its steps tell: from any thread, shown once, and counted each time."""

import asyncio

import pytest
from memory_steps import DONE, Steps, make_runner, make_runtime

from agentrelay_core import Deadlines, TaskStatus
from agentrelay_core.task_runner.stalls import Stalls


async def told_of(checker):
    """The events of one task whose completion checker is given, and its runtime."""
    events, runtime = [], make_runtime()
    result = await make_runner(Steps(wait_for_completion=checker), on_event=events.append).run(runtime)
    assert result.status is TaskStatus.PR_MERGED, result.error
    return [event for event in events if event.kind in ("task_progress", "task_warning")], runtime


async def test_progress_is_an_event_from_whichever_thread():
    """What is told in a thread and in the event loop arrives in order, with its kind, without control characters."""

    async def checker(runtime):
        await asyncio.to_thread(runtime.progress, "reading", "a\x1b[31m file\n" + "x" * 1000)
        runtime.progress("writing")
        return DONE

    events, _ = await told_of(checker)
    assert [event.message[:18] for event in events] == ["reading: a file xx", "writing"]
    assert len(events[0].message) < 320
    assert [event.data for event in events] == [{"kind": "reading"}, {"kind": "writing"}]


async def test_the_same_again_is_shown_once():
    """Repeated words are one event until others come between."""

    async def checker(runtime):
        for message in ("a", "a", "b", "a"):
            runtime.progress("line", message)
        return DONE

    events, _ = await told_of(checker)
    assert [event.message for event in events] == ["line: a", "line: b", "line: a"]


async def test_nothing_is_told_when_nobody_waits():
    """Before and after the wait, words are passed over; a thread that is late ends in silence."""
    late = []

    async def checker(runtime):
        late.append(runtime.on_progress)
        return DONE

    events, runtime = await told_of(checker)
    runtime.progress("late")
    await asyncio.to_thread(late[0], "later", "")
    await asyncio.sleep(0)
    assert events == []
    assert runtime.on_progress is None


async def test_an_agent_that_asks_is_told_of():
    """The kind awaiting_input is progress and a warning with the question."""

    async def checker(runtime):
        runtime.progress("awaiting_input", "May I?")
        return DONE

    events, _ = await told_of(checker)
    assert [(event.kind, event.message) for event in events] == [
        ("task_progress", "awaiting_input: May I?"),
        ("task_warning", "the agent waits for input: May I?"),
    ]


class Told:
    """An awaited agent whose stops are kept; it is one for the clock alone."""

    def __init__(self):
        self.stops, self.warnings = [], []
        self.runtime = make_runtime(deadlines=Deadlines(stall=10.0, stall_stop=20.0))

    def warn(self, message):
        self.warnings.append(message)

    def hung(self, reason):
        self.stops.append(reason)


@pytest.mark.parametrize(("asks", "stops"), [(True, 0), (False, 1)])
async def test_who_asks_is_not_taken_for_hung(asks, stops):
    """While it asks nothing is held against an agent; once it goes on, silence counts again."""
    now = [0.0]
    looks = []
    stalls, told = Stalls(clock=lambda: now[0], begin=looks.append), Told()
    stalls.watch(told)
    stalls.progressed(told, asks=asks)
    for second in range(0, 40, 2):
        now[0] = float(second)
        stalls.tick(now[0], after_gap=False)
        while looks:
            looks.pop()()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        if told.stops:
            break
    assert len(told.stops) == stops
    stalls.progressed(told)
    assert stalls._watched[told].asks is False
