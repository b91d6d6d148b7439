"""The durable record of a run: an append-only log of events in SQLite, from which all that people see is derived."""

from agentrelay_core.journal import kinds
from agentrelay_core.journal.derive import apply, rebuild
from agentrelay_core.journal.digest import graph_digest, run_started_event
from agentrelay_core.journal.errors import JournalError
from agentrelay_core.journal.filesystem import private_directory
from agentrelay_core.journal.jsonlines import event_from_json, event_to_json
from agentrelay_core.journal.reader import read_events, read_state
from agentrelay_core.journal.state import RunState, TaskRecord, WorkstreamRecord, WorkstreamStatus
from agentrelay_core.journal.writer import Journal

__all__ = [
    "Journal",
    "JournalError",
    "RunState",
    "TaskRecord",
    "WorkstreamRecord",
    "WorkstreamStatus",
    "apply",
    "event_from_json",
    "event_to_json",
    "graph_digest",
    "kinds",
    "private_directory",
    "read_events",
    "read_state",
    "rebuild",
    "run_started_event",
]
