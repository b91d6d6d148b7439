"""A method that holds the event loop is named; one that does not costs nothing that is seen."""

import asyncio
import logging
import time

import pytest
from memory_steps import Steps, make_runner, make_runtime

from agentrelay_core import TaskStatus
from agentrelay_core.task_runner.holding import measured


class Holding(Steps):
    """Steps that compute for a while where they should await."""

    async def prepare(self, runtime):
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251 - the mistake that is looked for
        await asyncio.sleep(0)


@pytest.mark.fault("O16")
async def test_a_step_that_holds_the_loop_is_named(caplog):
    """The warning names class, method and seconds, once for each time, and the task goes on."""
    with caplog.at_level(logging.WARNING):
        result = await make_runner(Holding()).run(make_runtime())
    assert result.status is TaskStatus.PR_MERGED
    [record] = caplog.records
    assert "test_holding.Holding.prepare held the event loop for 0.3" in record.getMessage()


@pytest.mark.fault("O16")
async def test_awaiting_is_no_holding(caplog):
    """However long a method awaits, nothing is said."""

    async def wait():
        await asyncio.sleep(0.4)
        return 7

    assert await measured(wait(), object(), "wait") == 7
    assert caplog.records == []


async def test_errors_and_cancellation_go_through():
    """What is raised inside is raised outside, and a cancellation reaches the method, which may clean up."""
    seen = []

    async def fails():
        await asyncio.sleep(0)
        raise ValueError("x")

    async def waits():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            seen.append("cleaned up")

    async def outer():
        await measured(waits(), object(), "waits")

    with pytest.raises(ValueError, match="x"):
        await measured(fails(), object(), "fails")
    task = asyncio.create_task(outer())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cleaned up"]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await measured(waits(), object(), "waits")
