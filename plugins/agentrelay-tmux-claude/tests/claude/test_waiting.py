"""Waiting for a limit: within the attempt where it may last so long, and never in a hurry."""

import time

import pytest
from agentrelay_tmux_claude.claude.verdict import Limited
from agentrelay_tmux_claude.claude.waiting import limit_over

from agentrelay_core import Task, TaskRuntime, Throttled
from agentrelay_core.spec import Deadlines


def limited_for(seconds):
    return Limited(message="limited", until=None if seconds is None else time.time() + seconds)


@pytest.fixture
def runtime():
    """A task whose attempt may last 100 seconds."""
    return TaskRuntime(Task(id="a", deadlines=Deadlines(wall=100)))


def reporting(runtime, told):
    runtime.reporter = lambda kind, message, data: told.append((kind, data.get("until"), runtime.artifacts.resting))


async def test_people_are_told_and_the_agent_rests(runtime):
    """The end is told, and afterwards the agent is expected to work again."""
    told = []
    reporting(runtime, told)
    await limit_over(runtime, limited_for(-5), 0, time.monotonic())
    ((kind, until, _),) = told
    assert kind == "task_throttled"
    assert until <= time.time()
    assert not runtime.artifacts.resting


@pytest.mark.parametrize(("seconds", "earlier"), [(3600, 0), (None, 4), (-5, 4)])
async def test_what_outlasts_the_attempt_is_left_to_the_next_one(runtime, seconds, earlier):
    """A far end, and a pause that has doubled often, are no reason to hold the attempt beyond its wall."""
    with pytest.raises(Throttled) as caught:
        await limit_over(runtime, limited_for(seconds), earlier, time.monotonic())
    assert caught.value.retry_after > 100
