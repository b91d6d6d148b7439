"""What each event of a workstream changes in the state of a run."""

from collections.abc import Callable, Mapping

from agentrelay_core.journal import kinds
from agentrelay_core.journal.recorded import Recorded
from agentrelay_core.journal.state import RunState, WorkstreamRecord, WorkstreamStatus
from agentrelay_core.runtime import Event

AnyEvent = Event | Recorded
Change = Callable[[RunState, AnyEvent], None]


def _workstream(state: RunState, event: AnyEvent) -> WorkstreamRecord:
    record = state.workstreams.get(event.workstream_id)
    if record is None:
        record = state.workstreams[event.workstream_id] = WorkstreamRecord(id=event.workstream_id)
    return record


def _workstream_opened(state: RunState, event: AnyEvent) -> None:
    record = _workstream(state, event)
    record.status = WorkstreamStatus.OPEN
    record.branch = event.data["branch"]
    record.reason = None


def _workstream_integrating(state: RunState, event: AnyEvent) -> None:
    record = _workstream(state, event)
    record.status = WorkstreamStatus.INTEGRATING
    record.reason = None


def _workstream_waiting(state: RunState, event: AnyEvent) -> None:
    _workstream(state, event).reason = event.message


def _workstream_integrated(state: RunState, event: AnyEvent) -> None:
    record = _workstream(state, event)
    record.status = WorkstreamStatus.INTEGRATED
    record.pr_url = event.data.get("pr_url")
    record.merged = bool(event.data.get("merged", False))
    record.reason = None


def _workstream_failed(state: RunState, event: AnyEvent) -> None:
    record = _workstream(state, event)
    record.status = WorkstreamStatus.FAILED
    record.reason = event.message


def _workstream_parked(state: RunState, event: AnyEvent) -> None:
    record = _workstream(state, event)
    record.status = WorkstreamStatus.PARKED
    record.pr_url = event.data.get("pr_url", record.pr_url)
    record.reason = event.message


WORKSTREAM_CHANGES: Mapping[str, Change] = {
    kinds.WORKSTREAM_OPENED: _workstream_opened,
    kinds.WORKSTREAM_INTEGRATING: _workstream_integrating,
    kinds.WORKSTREAM_WAITING: _workstream_waiting,
    kinds.WORKSTREAM_INTEGRATED: _workstream_integrated,
    kinds.WORKSTREAM_FAILED: _workstream_failed,
    kinds.WORKSTREAM_PARKED: _workstream_parked,
}
