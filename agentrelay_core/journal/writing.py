"""How a connection is made fit to write with, and how it writes."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from agentrelay_core.journal import storage
from agentrelay_core.journal.errors import FENCED, damaged
from agentrelay_core.runtime import Event

# Rows of one statement: many, as SQLite works on them without holding Python's lock, so that the loop runs meanwhile;
# of few different numbers, as each makes a statement of its own that has to be prepared.
PORTIONS = (64, 32, 16)


def prepare(connection: sqlite3.Connection, path: Path, *, waits_for_disk: bool) -> None:
    """Make a connection fit to write with, and the file whole, of this version and with all its tables.

    Args:
        connection: A new connection.
        path: The journal, for messages.
        waits_for_disk: Whether a commit waits until it would survive a power cut.

    Raises:
        JournalError: The file is damaged, of a newer version or not ours.
    """
    holds_events = storage.check_schema(connection, path)
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise damaged(path, f"it cannot have a write-ahead log (its mode is {mode})")
    connection.execute(f"PRAGMA synchronous = {'FULL' if waits_for_disk else 'NORMAL'}")
    # A checkpoint within a commit would make everyone wait who waits for that commit.
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    if holds_events:
        storage.check_structure(connection, path)
    storage.create_schema(connection)


def commit(connection: sqlite3.Connection, events: Sequence[Event]) -> int:
    """Write events in one transaction.

    Args:
        connection: One that `prepare` made fit.
        events: At least one.

    Returns:
        How many statements that took.

    Raises:
        sqlite3.Error: None of them was written.
    """
    if len(events) < PORTIONS[-1]:
        # One statement is a transaction by itself.
        _insert(connection, events)
        return 1
    statements = start = 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        while start < len(events):
            rows = _portion(len(events) - start)
            _insert(connection, events[start : start + rows])
            start += rows
            statements += 1
        connection.execute("COMMIT")
    except BaseException:
        # SQLite has rolled back by itself where the disk is full.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return statements


def _portion(left: int) -> int:
    """How many of the events that are left the next statement takes."""
    return next((rows for rows in PORTIONS if rows <= left), left)


def _insert(connection: sqlite3.Connection, events: Sequence[Event]) -> None:
    added = connection.execute(storage.insert_statement(len(events)), storage.values_of(events)).rowcount
    if added != len(events):
        raise sqlite3.IntegrityError(FENCED)
