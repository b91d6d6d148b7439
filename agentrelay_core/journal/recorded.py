"""What the state is derived from, read as quickly as may be: a run goes on only after its whole record was read.

A row stays the tuple that SQLite gave and looks like an `Event`, for making an `Event` would cost more than its use.
"""

import json
from typing import Any, NamedTuple

# `raw_decode` without its own call, and without the error that it makes.
_decoder: Any = json.JSONDecoder()
_read = _decoder.scan_once


class Recorded(NamedTuple):
    """An event as it was recorded; what it shares with `Event` has the same names.

    Args:
        timestamp: Seconds since the epoch, UTC.
        kind: What happened.
        task_id: The task, or empty.
        workstream_id: The workstream, or empty.
        attempt_num: The task's attempt, from 0.
        message: For people.
        values: For programs; `None` where there are none.
    """

    timestamp: float
    kind: str
    task_id: str
    workstream_id: str
    attempt_num: int
    message: str
    values: dict[str, Any] | None

    @property
    def data(self) -> dict[str, Any]:
        """For programs."""
        return self.values or {}


def values_in(text: str) -> dict[str, Any]:
    """The data that a row holds as text.

    Args:
        text: A JSON object, without white space around it.

    Raises:
        ValueError: It is something else.
    """
    try:
        values, end = _read(text, 0)
    except StopIteration as nothing:
        raise ValueError(f"it is no JSON from character {nothing.value} on") from None
    if end != len(text) or not isinstance(values, dict):
        raise ValueError("it is no JSON object")
    return values
