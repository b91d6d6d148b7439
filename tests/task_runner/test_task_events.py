"""The short way to an event of a task leads to the same event."""

import time

import attrs
from memory_steps import make_runtime

from agentrelay_core import Event
from agentrelay_core.runtime.events import task_event


def test_an_event_of_a_task_is_whole() -> None:
    """It equals, and hashes as, the event that its fields make, and has every field, with a time of now."""
    runtime = make_runtime(id="b", workstream_id="docs")
    runtime.state.attempt_num = 2
    began = time.time()
    event = task_event("task_launched", runtime, "memory:1", {"agent": 7})
    assert event == Event(
        kind="task_launched",
        task_id="b",
        workstream_id="docs",
        attempt_num=2,
        message="memory:1",
        timestamp=event.timestamp,
        data={"agent": 7},
    )
    assert hash(event) == hash(attrs.evolve(event))
    assert began <= event.timestamp <= time.time()
    assert task_event("task_waiting", runtime).data == {}
