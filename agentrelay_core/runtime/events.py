"""What happened, as people, hosts and the journal are told."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from agentrelay_core.runtime.state import TaskRuntime


# Without slots, because a frozen instance with them takes half as long again to be made, and there are many.
@attrs.frozen(kw_only=True, slots=False)
class Event:
    """One thing that happened.

    Args:
        kind: Stable name, for example ``task_prepared``.
        task_id: The task, or empty for what concerns the run or a workstream.
        workstream_id: The workstream, or empty for what concerns the run.
        attempt_num: The task's attempt, from 0.
        message: For people; text from agents in it is data.
        timestamp: Seconds since the epoch, UTC.
        data: Plain values for programs, by kind.
    """

    kind: str
    task_id: str = ""
    workstream_id: str = ""
    attempt_num: int = 0
    message: str = ""
    timestamp: float = attrs.field(factory=time.time)
    data: Mapping[str, Any] = attrs.field(factory=dict, hash=False)


EventListener = Callable[[Event], None]

_new = object.__new__


def task_event(kind: str, runtime: "TaskRuntime", message: str = "", data: Mapping[str, Any] | None = None) -> Event:
    """An event about a task, with its lane and attempt.

    Each task has many, so the fields are laid down at once, at less than half of what ``__init__`` costs.

    Args:
        kind: As that of `Event`.
        runtime: The task.
        message: For people.
        data: Plain values for programs.
    """
    task = runtime.task
    event = _new(Event)
    event.__dict__.update(
        kind=kind,
        task_id=task.id,
        workstream_id=task.workstream_id,
        attempt_num=runtime.state.attempt_num,
        message=message,
        timestamp=time.time(),
        data=data or {},
    )
    return event


def careful(listener: EventListener) -> EventListener:
    """Wrap a listener so that its errors end nothing: the first is logged, further ones are passed over.

    Args:
        listener: A host's or a plugin's listener.
    """
    raised = False

    def call(event: Event) -> None:
        nonlocal raised
        try:
            listener(event)
        except Exception:
            if not raised:
                raised = True
                import logging  # most listeners never raise

                logging.getLogger(__name__).exception(
                    "the event listener %r raised; further errors of it are not shown", listener
                )

    return call
