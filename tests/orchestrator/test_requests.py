"""Asking the process that drives a run to cancel: it is told at once, answers, and is never waited for without end."""

import asyncio
import json
import os
import time

import pytest
from memory_plugin import memory_catalog
from memory_steps import Steps

from agentrelay_core import Orchestrator, RunSettings, Task, TaskGraph, TaskStatus
from agentrelay_core.orchestrator import RunIsOwned
from agentrelay_core.orchestrator.requests import OwnerSilent, answering, ask


async def _there(look):
    """Let others go on until something is there, 10 s at most."""
    async with asyncio.timeout(60):
        while not look():  # noqa: ASYNC110  # a file of another thread, of which no event tells
            await asyncio.sleep(0)


async def test_a_request_is_answered_at_once(tmp_path):
    """Tasks are cancelled in order, no task means all, and nothing is left in the directory."""
    asked = []
    async with answering(tmp_path, asked.append):
        await asyncio.to_thread(ask, tmp_path, ["one", "two"])
        await asyncio.to_thread(ask, tmp_path, [])
    assert asked == ["one", "two", None]
    assert list((tmp_path / "requests").iterdir()) == []


async def test_requests_from_before_the_owner_was_ready_are_answered(tmp_path):
    """Who asks a moment too early is answered as well; who gave up long ago is not acted upon."""
    asked = []
    early = asyncio.create_task(asyncio.to_thread(ask, tmp_path, ["one"]))
    await _there(lambda: list(tmp_path.glob("requests/*.request.json")))
    stale = tmp_path / "requests" / "0.request.json"
    stale.write_text(json.dumps({"schema": 1, "action": "cancel", "tasks": ["stale"]}))
    os.utime(stale, (time.time() - 3600, time.time() - 3600))
    async with answering(tmp_path, asked.append):
        await early
    assert asked == ["one"]
    assert list((tmp_path / "requests").iterdir()) == []


def test_a_silent_owner_is_not_waited_for_without_end(tmp_path):
    """After the deadline the error says what to do, is exit 75, and the request is withdrawn."""
    with pytest.raises(OwnerSilent, match=r"did not answer within 0\.2 s.*end that process"):
        ask(tmp_path, ["one"], deadline=0.2)
    assert issubclass(OwnerSilent, RunIsOwned)
    assert list((tmp_path / "requests").iterdir()) == []


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"schema": 2, "action": "cancel", "tasks": []}', '{"schema": 1, "action": "rm"}']
)
async def test_rubbish_is_refused(tmp_path, content):
    """What cannot be understood cancels nothing and is answered with a reason."""
    asked = []
    async with answering(tmp_path, asked.append):
        path = tmp_path / "requests" / "x.request.json"
        await _there(path.parent.is_dir)
        path.write_text(content)
        reply = path.with_name("x.reply.json")
        await _there(reply.exists)
    assert json.loads(reply.read_text())["error"]
    assert asked == []


async def test_a_link_is_not_followed(tmp_path):
    """A request that is a link is left alone, and other requests are answered all the same."""
    asked = []
    (tmp_path / "requests").mkdir(mode=0o700)
    (tmp_path / "requests" / "a.request.json").symlink_to("/etc/passwd")
    async with answering(tmp_path, asked.append):
        await asyncio.to_thread(ask, tmp_path, ["one"])
    assert asked == ["one"]


async def test_a_task_that_is_unknown_is_refused(tmp_path):
    """The owner's KeyError becomes an error of who asked."""

    def cancel(task):
        raise KeyError(task)

    async with answering(tmp_path, cancel):
        with pytest.raises(OwnerSilent, match="there is no task 'one'"):
            await asyncio.to_thread(ask, tmp_path, ["one"])


@pytest.mark.parametrize("whole", [True, False])
async def test_a_task_that_was_just_started_comes_to_its_end(tmp_path, whole):
    """Cancelled before its first step, a task is failed and the run ends; it is not waited for for ever."""
    graph = TaskGraph(
        name="g", tasks=(Task(id="a", description="x"), Task(id="b", description="y", dependencies=("a",)))
    )
    orchestrator = Orchestrator(
        graph, catalog=memory_catalog(Steps()), settings=RunSettings(state_dir=tmp_path), on_event=None
    )

    def on_event(event):
        if event.kind == "run_started":
            # runs after the first task is made, and before its first step
            asyncio.get_running_loop().call_soon(orchestrator.cancel, None if whole else "a")

    orchestrator._listener = on_event
    async with asyncio.timeout(60):
        result = await orchestrator.run()
    assert result.tasks["a"].status is TaskStatus.FAILED
    assert result.tasks["b"].status is TaskStatus.PENDING
    assert result.exit_code == 1
