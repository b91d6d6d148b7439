"""Reading the record, while a run goes on and after it, without ever writing to it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agentrelay_core.journal import kinds, storage
from agentrelay_core.journal.derive import CHANGES
from agentrelay_core.journal.errors import JournalError, damaged, translate
from agentrelay_core.journal.recorded import Recorded, values_in
from agentrelay_core.journal.state import RunState
from agentrelay_core.runtime import Event

_SELECT = f"SELECT sequence, {', '.join(storage.COLUMNS)} FROM events WHERE sequence > ? ORDER BY sequence"
# Half of a long record says nothing about the state, and that an agent is at work something only after a failed gate;
# SQLite passes over rows quicker than we could.
_KINDS = ", ".join(f"'{kind}'" for kind in sorted(CHANGES.keys() - {kinds.TASK_WAITING}))
_CHANGING = f"FROM events WHERE kind IN ({_KINDS}) ORDER BY sequence"
_CHANGING_WITH_GATES = f"""FROM events WHERE kind IN ({_KINDS}) OR kind = '{kinds.TASK_WAITING}'
AND task_id IN (SELECT task_id FROM events WHERE kind = '{kinds.TASK_GATE_FAILED}') ORDER BY sequence"""
_COUNT = f"SELECT count(*), coalesce(max(sequence), 0), total(kind = '{kinds.TASK_GATE_FAILED}') FROM events"
_ROWS_AT_ONCE = 1000  # SQLite and we disturb each other's caches when we take turns row by row


def read_events(path: Path, *, after: int = 0) -> Iterator[tuple[int, Event]]:
    """Read events in the order in which they were recorded.

    Args:
        path: The journal.
        after: The last sequence that is already known; 0 reads all.

    Yields:
        Sequence, counted from 1 without gaps, and event: all that were durable when reading began.

    Raises:
        JournalError: There is no journal, it is damaged, or it is of a newer version.
    """
    with _reading(path) as connection:
        if connection is None:
            return
        expected = after
        for row in connection.execute(_SELECT, (after,)):
            expected += 1
            if row[0] != expected:
                raise damaged(path, f"event {expected} is missing")
            yield expected, storage.event_of(row, path)


def read_state(path: Path) -> RunState:
    """Derive the state of a run from its journal.

    Args:
        path: The journal.

    Returns:
        The state; to follow a live run, `apply` what ``read_events(path, after=state.sequence)`` gives.

    Raises:
        JournalError: As `read_events` does, or an event does not say what its kind must say.
    """
    state = RunState()
    with _reading(path) as connection:
        if connection is None:
            return state
        connection.execute("BEGIN")  # both queries see the same moment
        count, last, failed_gates = connection.execute(_COUNT).fetchone()
        if count != last:
            raise damaged(path, f"it should hold {last} events and holds {count}; some are missing")
        _derive(state, connection, path, _CHANGING_WITH_GATES if failed_gates else _CHANGING)
        state.sequence = last
    return state


def _derive(state: RunState, connection: sqlite3.Connection, path: Path, changing: str) -> None:
    changes, make = CHANGES, tuple.__new__  # as `Recorded._make` does, but without a call of its own for each row
    rows = connection.execute(f"SELECT {', '.join(storage.COLUMNS)} {changing}")
    done = 0
    while some := rows.fetchmany(_ROWS_AT_ONCE):
        for row in some:
            text = row[-1]
            try:
                event = make(Recorded, row if text is None else (*row[:-1], values_in(text)))
            except ValueError as error:
                sequence, _ = _which(connection, changing, done + some.index(row))
                raise storage.unreadable(path, sequence, error) from error
            try:
                changes[event.kind](state, event)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                sequence, kind = _which(connection, changing, done + some.index(row))
                raise damaged(path, f"event {sequence} ({kind}) cannot be understood: {error!r}") from error
        done += len(some)


def _which(connection: sqlite3.Connection, changing: str, position: int) -> tuple[int, str]:
    """Number and kind of the event at a position among those that were read."""
    sequence, kind = connection.execute(f"SELECT sequence, kind {changing} LIMIT 1 OFFSET ?", (position,)).fetchone()
    return sequence, kind


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection that cannot write; `None` while the file has no tables yet."""
    if not path.is_file():
        raise JournalError(f"there is no journal at {path}; nothing was run yet. Start with `agentrelay run`")
    try:
        with closing(storage.connect(path, write=False)) as connection:
            yield connection if storage.check_schema(connection, path) else None
    except sqlite3.Error as error:
        raise translate(path, error) from error
