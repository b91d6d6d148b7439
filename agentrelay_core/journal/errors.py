"""What is said when the record of a run cannot be kept or read; it is never mended silently."""

import errno
from pathlib import Path

from agentrelay_core.runtime import Fenced, IntegrationError, UserError
from agentrelay_core.runtime.no_room import lacks_room

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})

FENCED = "another process owns this run now"
"""What SQLite is told to say to a writer whose epoch has ended."""


class JournalError(UserError):
    """A journal cannot be opened, read or written; the text says why and what to do next."""


class JournalRefused(JournalError):
    """The journal is damaged, of a newer version, or none of ours: it is left as it is (exit 3)."""


class JournalFull(JournalError):
    """There is no room for the record: nothing more is begun until a person makes some (exit 4)."""


def damaged(path: Path, detail: str) -> JournalRefused:
    """The error for a journal whose content is not what was written.

    Args:
        path: The journal.
        detail: What was found.
    """
    return JournalRefused(
        f"the journal {path} is damaged: {detail}. It was left as it is. "
        f"Copy the directory {path.parent} to a safe place (`agentrelay journal export` prints the events that can "
        f"still be read), then restore the journal from a backup, "
        f"or move it away and run `agentrelay run` again"
    )


def translate(path: Path, error: Exception) -> IntegrationError:
    """Turn an error of SQLite or of the system into one that says what to do next.

    Args:
        path: The journal.
        error: What was raised.
    """
    import sqlite3  # whoever only says that there is no journal needs no database

    name = getattr(error, "sqlite_errorname", "")
    if FENCED in str(error):
        return Fenced(
            f"{FENCED}: it was taken over, and the journal {path} takes nothing more from here. Agents go on and are "
            f"the new owner's; see `agentrelay status`"
        )
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return damaged(path, str(error))
    # What SQLite calls so where there is no room for its shared memory.
    full = name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")) and lacks_room(path)
    if full or name.startswith("SQLITE_FULL") or getattr(error, "errno", None) in _NO_ROOM:
        return JournalFull(
            f"no space is left for the journal {path}; what it holds is safe. "
            f"Free at least 16 MiB in {path.parent}, then run `agentrelay run` again"
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return JournalError(
            f"the journal {path} is being written by another process. "
            f"See `agentrelay status`, and run `agentrelay run` again when that run has ended"
        )
    if isinstance(error, sqlite3.Error | OSError):
        return JournalError(
            f"the journal {path} cannot be used: {error}. "
            f"Check that {path.parent} is writable and its disk healthy (`agentrelay doctor`), then run it again"
        )
    return JournalError(f"the journal {path} could not record an event: {type(error).__name__}: {error}")
