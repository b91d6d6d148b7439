"""The file format: SQLite tables that rows are only ever added to, with a version that says how to read them.

Schema 2: events, and the owners that wrote them, one after another; schema 1 had no owners. ``application_id`` tells
our files from others, ``user_version`` is the schema; `event_of` and the writer's insert are each other's inverse.
"""

import sqlite3
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from agentrelay_core.journal.errors import JournalRefused, damaged
from agentrelay_core.journal.recorded import values_in
from agentrelay_core.journal.texts import encoder
from agentrelay_core.runtime import Event

SCHEMA = 2
COLUMNS = ("timestamp", "kind", "task_id", "workstream_id", "attempt_num", "message", "data")
BUSY_SECONDS = 5.0

_APPLICATION = 0x61726A6C  # "arjl"

# The triggers make "append-only" a property of the file and not of our good intentions.
_APPEND_ONLY = """
CREATE TRIGGER no_update{0} BEFORE UPDATE ON {1} BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER no_delete{0} BEFORE DELETE ON {1} BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""
_EVENTS = f"""
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY,
    timestamp REAL NOT NULL,
    kind TEXT NOT NULL,
    task_id TEXT NOT NULL,
    workstream_id TEXT NOT NULL,
    attempt_num INTEGER NOT NULL,
    message TEXT NOT NULL,
    data TEXT
);
{_APPEND_ONLY.format("", "events")}
"""
# Each opening to write is an epoch of its own, and ends the one before.
_OWNERS = f"""
CREATE TABLE owners (
    epoch INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    since REAL NOT NULL
);
{_APPEND_ONLY.format("_of_owners", "owners")}
"""
_VERSION = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {SCHEMA};
"""

_text_of = encoder(str)

Row = tuple[int, float, str, str, str, int, str, str | None]


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open the file, which must exist.

    Args:
        path: The journal.
        write: Whether it will be written; any thread may use the connection, one at a time.
    """
    mode = "rw" if write else "ro"
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )


def check_schema(connection: sqlite3.Connection, path: Path) -> bool:
    """Make sure that this version can read the file.

    Args:
        connection: An open connection.
        path: The journal, for messages.

    Returns:
        False when the file is still empty.

    Raises:
        JournalRefused: The file is of a newer schema, or is another program's.
    """
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application == 0 and version == 0:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise JournalRefused(f"{path} is a database of another program, not a journal; move it away")
        return False
    if application != _APPLICATION:
        raise JournalRefused(f"{path} is a database of another program, not a journal; move it away")
    if version > SCHEMA:
        raise JournalRefused(
            f"the journal {path} has schema {version}, and this version of agentrelay reads up to {SCHEMA}. "
            f"It was left as it is. Upgrade with `pip install --upgrade agentrelay-core`, then run it again; "
            f"`agentrelay journal export` of the version that wrote it prints all that it holds"
        )
    return True


def create_schema(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty file, or add those that an older schema lacks, in one transaction."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version < SCHEMA:
        tables = _OWNERS if version else _EVENTS + _OWNERS
        connection.executescript(f"BEGIN IMMEDIATE; {tables} {_VERSION} COMMIT;")


def begin_epoch(connection: sqlite3.Connection, owner: str, since: float) -> int:
    """Make this connection the journal's only writer; every write of an earlier one is refused from now on.

    Args:
        connection: An open connection.
        owner: Who writes, for people.
        since: Seconds since the epoch.

    Returns:
        The epoch's number.
    """
    [(epoch,)] = connection.execute(
        "INSERT INTO owners (owner, since) VALUES (?, ?) RETURNING epoch", (owner, since)
    ).fetchall()
    # What every insert of this connection compares with the newest epoch; see `insert_statement`.
    connection.execute("CREATE TEMP TABLE mine (epoch INTEGER)")
    connection.execute("INSERT INTO mine VALUES (?)", (epoch,))
    return int(epoch)


@cache
def insert_statement(rows: int) -> str:
    """The statement that adds events, or none at all when this connection's epoch has ended.

    The epochs are compared within the very transaction that writes, so that no check can be too old; once for all
    rows, where a trigger would do it for each.

    Args:
        rows: How many events; their values are those of `values_of`.
    """
    columns = ", ".join(COLUMNS)
    row = f"({', '.join('?' * len(COLUMNS))})"
    # That there is no data comes as an empty text: to hand over `None`, sqlite3 first asks its adapters, at length.
    *kept, data = (f"column{number}" for number, _ in enumerate(COLUMNS, 1))
    return (
        f"INSERT INTO events ({columns}) SELECT {', '.join(kept)}, nullif({data}, '') "
        f"FROM (VALUES {', '.join([row] * rows)}) "
        "WHERE (SELECT max(epoch) FROM owners) = (SELECT epoch FROM mine)"
    )


def check_structure(connection: sqlite3.Connection, path: Path) -> None:
    """Let SQLite look for damage.

    Args:
        connection: An open connection.
        path: The journal, for messages.

    Raises:
        JournalRefused: Some was found.
    """
    answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if answer != "ok":
        raise damaged(path, answer.replace("\n", " "))


def values_of(events: Iterable[Event]) -> list[Any]:
    """The columns of events, one after another in a flat list."""
    values: list[Any] = []
    for event in events:
        message, data = event.message, event.data
        values += (
            event.timestamp,
            event.kind,
            event.task_id,
            event.workstream_id,
            event.attempt_num,
            # Half of a surrogate pair, as an undecodable file name gives, is no UTF-8.
            message if message.isascii() else message.encode("utf-8", "backslashreplace").decode(),
            # A value that is not plain is recorded as its text: better than losing the event.
            _text_of(data if type(data) is dict else dict(data)) if data else "",
        )
    return values


def event_of(row: Row, path: Path) -> Event:
    """The event of a row.

    Args:
        row: ``sequence`` and `COLUMNS`.
        path: The journal, for messages.

    Raises:
        JournalRefused: The row's data is not what was written.
    """
    sequence, timestamp, kind, task_id, workstream_id, attempt_num, message, text = row
    try:
        data = values_in(text) if text else {}
    except ValueError as error:
        raise unreadable(path, sequence, error) from error
    return Event(
        kind=kind,
        task_id=task_id,
        workstream_id=workstream_id,
        attempt_num=attempt_num,
        message=message,
        timestamp=timestamp,
        data=data,
    )


def unreadable(path: Path, sequence: int, error: ValueError) -> JournalRefused:
    """The error for data that is not what was written."""
    return damaged(path, f"the data of event {sequence} is unreadable ({error})")
