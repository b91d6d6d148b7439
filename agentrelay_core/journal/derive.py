"""State from events: one small function for each kind that changes what people see.

Status is written nowhere; it is whatever these functions make of the record, all at once or one event at a time.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from agentrelay_core.journal import kinds
from agentrelay_core.journal.derive_workstreams import WORKSTREAM_CHANGES, AnyEvent, Change
from agentrelay_core.journal.state import RunState, TaskRecord, WorkstreamRecord
from agentrelay_core.journal.usage import add_usage
from agentrelay_core.runtime import Event, IntegrationFailureClass, TaskStatus

_BRANCH = "branch="
_STATUS = {status.value: status for status in TaskStatus}  # a call of the class costs ten times as much
_TERMINAL = frozenset({TaskStatus.PR_MERGED, TaskStatus.COMPLETED, TaskStatus.FAILED})


def apply(state: RunState, event: AnyEvent) -> None:
    """Take the next event into account.

    Args:
        state: Changed in place.
        event: The event that follows the last one applied; a kind that is not known changes nothing but `sequence`.
    """
    state.sequence += 1
    change = CHANGES.get(event.kind)
    if change is not None:
        change(state, event)


def rebuild(events: Iterable[Event]) -> RunState:
    """Derive the state of a run from all its events.

    Args:
        events: From the first on, in order.
    """
    state = RunState()
    for event in events:
        apply(state, event)
    return state


def _task(state: RunState, event: AnyEvent) -> TaskRecord:
    record = state.tasks.get(event.task_id)
    if record is None:
        record = state.tasks[event.task_id] = TaskRecord(id=event.task_id, workstream_id=event.workstream_id)
    return record


def _run_started(state: RunState, event: AnyEvent) -> None:
    data = event.data
    state.run_id = data["run_id"]
    state.graph = data["graph"]
    state.digest = data["digest"]
    state.task_digests = dict(data.get("task_digests") or {})
    state.rest_digest = data.get("rest_digest", "")
    state.outcome = None
    state.started_at = event.timestamp
    state.finished_at = None
    lane_of = {task_id: lane for lane, task_ids in data["workstreams"].items() for task_id in task_ids}
    depends = data.get("dependencies", {})
    state.tasks = {
        task_id: TaskRecord(
            id=task_id, workstream_id=lane_of.get(task_id, ""), dependencies=tuple(depends.get(task_id, ()))
        )
        for task_id in data["tasks"]
    }
    state.workstreams = {lane: WorkstreamRecord(id=lane) for lane in data["workstreams"]}


def _run_resumed(state: RunState, event: AnyEvent) -> None:
    state.digest = event.data.get("digest", state.digest)
    state.task_digests = dict(event.data.get("task_digests") or state.task_digests)
    state.rest_digest = event.data.get("rest_digest", state.rest_digest)
    state.outcome = None
    state.finished_at = None
    for record in state.tasks.values():
        record.blocked_by = ()


def _run_finished(state: RunState, event: AnyEvent) -> None:
    state.outcome = event.data["outcome"]
    state.finished_at = event.timestamp


def _run_reset(state: RunState, event: AnyEvent) -> None:
    if "tasks" in event.data:
        state.outcome = None
        state.finished_at = None
        for task_id in event.data["tasks"]:
            old = state.tasks.get(task_id) or TaskRecord(id=task_id)
            state.tasks[task_id] = TaskRecord(
                id=task_id,
                workstream_id=old.workstream_id,
                attempt_num=old.next_attempt,
                dependencies=old.dependencies,
                usage=old.usage,
            )
        return
    state.__init__(sequence=state.sequence)  # type: ignore[misc]  # as new, for whoever holds this very object


def _task_started(state: RunState, event: AnyEvent) -> None:
    record = _task(state, event)
    record.workstream_id = event.workstream_id or record.workstream_id
    if record.started_at is None or record.finished_at is not None:
        record.first_attempt = event.attempt_num  # no retry, but a beginning
    record.status = TaskStatus.RUNNING
    record.attempt_num = event.attempt_num
    record.branch = record.pr_url = record.error = record.label = record.progress = None
    record.failure_class = None
    record.parked = False
    record.blocked_by = ()
    record.started_at = event.timestamp
    record.finished_at = None
    record.teardown_due = record.retryable = record.turn_due = False
    record.agent = record.throttled_until = record.waits_for = None
    record.gates_failed = 0
    record.recovered = ()


def _task_resumed(state: RunState, event: AnyEvent) -> None:
    record = _task(state, event)
    if not record.teardown_due:
        record.status = TaskStatus.RUNNING
        record.error = record.failure_class = None
        record.parked = False
    record.blocked_by = ()
    record.waits_for = None
    record.finished_at = None


def _task_prepared(state: RunState, event: AnyEvent) -> None:
    _task(state, event).branch = event.message.removeprefix(_BRANCH)


def _task_launched(state: RunState, event: AnyEvent) -> None:
    record = _task(state, event)
    record.label = event.message
    record.agent = event.data.get("agent")
    record.turn_due = False
    record.throttled_until = None


def _task_waiting(state: RunState, event: AnyEvent) -> None:
    record = state.tasks.get(event.task_id)
    if record is not None:  # the reader leaves this out where it changes nothing
        record.turn_due = False


def _task_progress(state: RunState, event: AnyEvent) -> None:
    _task(state, event).progress = event.message


def _task_gate_failed(state: RunState, event: AnyEvent) -> None:
    record = _task(state, event)
    record.gates_failed += 1
    record.turn_due = True


def _task_usage(state: RunState, event: AnyEvent) -> None:
    add_usage(_task(state, event), event.data)


def _task_throttled(state: RunState, event: AnyEvent) -> None:
    _task(state, event).throttled_until = event.data.get("until")


def _task_waiting_external(state: RunState, event: AnyEvent) -> None:
    _task(state, event).waits_for = event.message


def _effect_recovered(state: RunState, event: AnyEvent) -> None:
    if event.task_id:
        record = _task(state, event)
        record.recovered = (*record.recovered, event.message)


def _task_has_pull_request(state: RunState, event: AnyEvent) -> None:
    record = _task(state, event)
    record.pr_url = event.message
    record.status = TaskStatus.PR_CREATED


def _task_ended(state: RunState, event: AnyEvent) -> None:
    record = _task(state, event)
    _end(record, event.data)
    record.teardown_due = True
    record.throttled_until = record.waits_for = None


def _task_finished(state: RunState, event: AnyEvent) -> None:
    record = _task(state, event)
    _end(record, event.data)
    record.teardown_due = False
    # An agent that was left to go on has no end yet.
    record.finished_at = event.timestamp if record.status in _TERMINAL else None


def _end(record: TaskRecord, data: Mapping[str, Any]) -> None:
    get = data.get
    record.status = _STATUS[data["status"]]
    record.retryable = bool(get("retryable", False))
    record.pr_url = get("pr_url") or record.pr_url
    record.error = get("error")
    failure_class = get("failure_class")
    record.failure_class = IntegrationFailureClass(failure_class) if failure_class else None
    record.parked = bool(get("parked", False))
    record.agent_done = bool(get("agent_done", False))
    concerns = get("concerns")
    record.concerns = tuple(concerns) if concerns else ()


def _task_retrying(state: RunState, event: AnyEvent) -> None:
    record = _task(state, event)
    record.status = TaskStatus.PENDING
    record.attempt_num = event.attempt_num + 1
    record.first_attempt += bool(event.data.get("free", False))
    record.error = event.data.get("error", record.error)
    record.teardown_due = False


def _task_blocked(state: RunState, event: AnyEvent) -> None:
    by = event.data["by"]
    _task(state, event).blocked_by = (by,) if isinstance(by, str) else tuple(by)


CHANGES: Mapping[str, Change] = {
    kinds.RUN_STARTED: _run_started,
    kinds.RUN_RESUMED: _run_resumed,
    kinds.RUN_FINISHED: _run_finished,
    kinds.RUN_RESET: _run_reset,
    kinds.TASK_STARTED: _task_started,
    kinds.TASK_RESUMED: _task_resumed,
    kinds.TASK_PREPARED: _task_prepared,
    kinds.TASK_LAUNCHED: _task_launched,
    kinds.TASK_WAITING: _task_waiting,
    kinds.TASK_PROGRESS: _task_progress,
    kinds.TASK_GATE_FAILED: _task_gate_failed,
    kinds.TASK_PR_MERGING: _task_has_pull_request,
    kinds.TASK_ENDED: _task_ended,
    kinds.TASK_FINISHED: _task_finished,
    kinds.TASK_RETRYING: _task_retrying,
    kinds.TASK_BLOCKED: _task_blocked,
    kinds.TASK_USAGE: _task_usage,
    kinds.TASK_THROTTLED: _task_throttled,
    kinds.TASK_WAITING_EXTERNAL: _task_waiting_external,
    kinds.EFFECT_RECOVERED: _effect_recovered,
    **WORKSTREAM_CHANGES,
}
"""What each kind changes; all other kinds only count."""
