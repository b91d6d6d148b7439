"""JSON lines: schema 1 as programs of others read it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentrelay_core.journal import JournalError, event_from_json, event_to_json
from agentrelay_core.runtime import Event

# What schema 1 looks like; others parse it, so it never changes.
GOLDEN = (
    '{"schema":1,"sequence":7,"timestamp":"2025-01-01T00:00:00.125Z","kind":"task_launched","task_id":"a",'
    '"workstream_id":"default","attempt_num":2,"message":"\\u001b[31m\\u007f\\u0085\\u202ered","data":{"k":[1,null]}}'
)
EVENT = Event(
    kind="task_launched",
    task_id="a",
    workstream_id="default",
    attempt_num=2,
    message="\x1b[31m\x7f\x85\u202ered",
    timestamp=1735689600.125,
    data={"k": [1, None]},
)


def test_schema_1() -> None:
    """An event is this line and no other, and the line is this event."""
    assert event_to_json(EVENT, 7) == GOLDEN
    assert event_from_json(GOLDEN) == (7, EVENT)
    assert "sequence" not in json.loads(event_to_json(EVENT))
    assert event_from_json(event_to_json(EVENT))[0] is None


@given(st.text(), st.floats(0, 4e9), st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_there_and_back(message: str, timestamp: float, data: dict[str, object]) -> None:
    """Any event is one line of printable ASCII that gives the same event, its time within half a millisecond."""
    event = Event(kind="log", message=message, timestamp=timestamp, data=data)
    line = event_to_json(event, 1)
    assert line.isascii()
    assert line.isprintable()
    _, back = event_from_json(line)
    assert (back.message, back.data) == (message, data)
    assert back.timestamp == pytest.approx(timestamp, abs=0.00051)


@pytest.mark.parametrize("line", ["", "null", "{}", "[1]", '{"schema": 1}', '{"schema": "1"}', GOLDEN[:-5]])
def test_what_is_no_event_is_refused(line: str) -> None:
    """A line that is something else is quoted in the error."""
    with pytest.raises(JournalError, match="not an event"):
        event_from_json(line)


def test_a_newer_schema_is_refused() -> None:
    """A line of a later version asks for an upgrade."""
    with pytest.raises(JournalError, match=r"has schema 2, .*pip install --upgrade"):
        event_from_json(GOLDEN.replace('"schema":1', '"schema":2'))
