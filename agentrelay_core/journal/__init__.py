"""The durable record of a run: an append-only log of events in SQLite, from which all that people see is derived."""

from typing import TYPE_CHECKING

from agentrelay_core.journal import kinds as kinds
from agentrelay_core.lazy import lazy_names

if TYPE_CHECKING:
    from agentrelay_core.journal.derive import apply as apply
    from agentrelay_core.journal.derive import rebuild as rebuild
    from agentrelay_core.journal.digest import graph_data as graph_data
    from agentrelay_core.journal.digest import graph_digest as graph_digest
    from agentrelay_core.journal.digest import run_started_event as run_started_event
    from agentrelay_core.journal.errors import JournalError as JournalError
    from agentrelay_core.journal.errors import JournalFull as JournalFull
    from agentrelay_core.journal.errors import JournalRefused as JournalRefused
    from agentrelay_core.journal.filesystem import private_directory as private_directory
    from agentrelay_core.journal.jsonlines import event_from_json as event_from_json
    from agentrelay_core.journal.jsonlines import event_to_json as event_to_json
    from agentrelay_core.journal.reader import read_events as read_events
    from agentrelay_core.journal.reader import read_state as read_state
    from agentrelay_core.journal.state import RunState as RunState
    from agentrelay_core.journal.state import TaskRecord as TaskRecord
    from agentrelay_core.journal.state import WorkstreamRecord as WorkstreamRecord
    from agentrelay_core.journal.state import WorkstreamStatus as WorkstreamStatus
    from agentrelay_core.journal.writer import Journal as Journal

# Names by the module that has them, imported on first use: a command that needs one module should not load them all.
_HOMES = {
    "agentrelay_core.journal.derive": "apply rebuild",
    "agentrelay_core.journal.digest": "graph_data graph_digest run_started_event",
    "agentrelay_core.journal.errors": "JournalError JournalFull JournalRefused",
    "agentrelay_core.journal.filesystem": "private_directory",
    "agentrelay_core.journal.jsonlines": "event_from_json event_to_json",
    "agentrelay_core.journal.reader": "read_events read_state",
    "agentrelay_core.journal.state": "RunState TaskRecord WorkstreamRecord WorkstreamStatus",
    "agentrelay_core.journal.writer": "Journal",
}
__getattr__, __all__ = lazy_names(__name__, _HOMES)
