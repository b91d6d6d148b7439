"""Events as JSON lines: what ``--json`` prints and what an export holds.

Every character outside of printable ASCII is escaped, so that a line shown on a terminal can do nothing to it.
"""

import json
from datetime import UTC, datetime
from typing import Any

from agentrelay_core.journal.errors import JournalError
from agentrelay_core.runtime import Event

SCHEMA = 1

_dump = json.JSONEncoder(separators=(",", ":"), default=str).encode


def event_to_json(event: Event, sequence: int | None = None) -> str:
    """Write an event as one line, without the line end.

    Args:
        event: The event.
        sequence: Its number in the journal, where it is known.

    Returns:
        A JSON object with ``schema``, ``sequence`` (if given), ``timestamp`` (ISO 8601, UTC, milliseconds) and the
        event's other fields.
    """
    moment = datetime.fromtimestamp(round(event.timestamp, 3), UTC).isoformat(timespec="milliseconds")
    fields: dict[str, Any] = {"schema": SCHEMA}
    if sequence is not None:
        fields["sequence"] = sequence
    fields["timestamp"] = moment.removesuffix("+00:00") + "Z"
    fields["kind"] = event.kind
    fields["task_id"] = event.task_id
    fields["workstream_id"] = event.workstream_id
    fields["attempt_num"] = event.attempt_num
    fields["message"] = event.message
    fields["data"] = dict(event.data)
    return _dump(fields)


def event_from_json(line: str) -> tuple[int | None, Event]:
    """Read a line that `event_to_json` wrote.

    Args:
        line: One JSON object.

    Returns:
        The sequence, if the line has one, and the event.

    Raises:
        JournalError: The line is no such object, or of a newer schema.
    """
    try:
        fields = json.loads(line)
        schema = fields["schema"]
        if schema > SCHEMA:
            raise JournalError(
                f"the line has schema {schema}, and this version of agentrelay reads up to {SCHEMA}. "
                f"Upgrade with `pip install --upgrade agentrelay-core`"
            )
        event = Event(
            kind=fields["kind"],
            task_id=fields["task_id"],
            workstream_id=fields["workstream_id"],
            attempt_num=fields["attempt_num"],
            message=fields["message"],
            timestamp=datetime.fromisoformat(fields["timestamp"]).timestamp(),
            data=fields["data"],
        )
        return fields.get("sequence"), event
    except (KeyError, TypeError, ValueError) as error:
        raise JournalError(
            f"not an event: {error!r} in {line[:80]!r}. A line must be one that `agentrelay run --json` printed"
        ) from error
