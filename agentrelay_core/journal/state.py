"""What a run looks like at one moment, as its events tell it; nothing here is stored anywhere else."""

from enum import StrEnum

import attrs

from agentrelay_core.runtime import IntegrationFailureClass, TaskStatus


class WorkstreamStatus(StrEnum):
    """Where a workstream stands; shown by value."""

    PENDING = "pending"
    OPEN = "open"
    INTEGRATING = "integrating"
    INTEGRATED = "integrated"
    FAILED = "failed"
    PARKED = "parked"


@attrs.define(kw_only=True)
class TaskRecord:
    """One task: its latest attempt, and how that ended.

    Args:
        id: The task.
        workstream_id: Its lane.
        status: Where it stands.
        attempt_num: The latest attempt, or the one to come after a failure that is retried; from 0.
        branch: The attempt's branch.
        pr_url: The attempt's pull request.
        error: Why the latest ended attempt failed.
        failure_class: The coarse class of that error.
        parked: Whether a person is needed.
        blocked_by: Ids of the tasks that keep it from starting.
        label: Where the attempt's agent lives, for people.
        started_at: When the attempt began, in seconds since the epoch.
        finished_at: When it ended, likewise.
        concerns: What the agent, or a step, wants people to know.
    """

    id: str
    workstream_id: str = ""
    status: TaskStatus = TaskStatus.PENDING
    attempt_num: int = 0
    branch: str | None = None
    pr_url: str | None = None
    error: str | None = None
    failure_class: IntegrationFailureClass | None = None
    parked: bool = False
    blocked_by: tuple[str, ...] = ()
    label: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    concerns: tuple[str, ...] = ()


@attrs.define(kw_only=True)
class WorkstreamRecord:
    """One workstream.

    Args:
        id: The workstream.
        status: Where it stands.
        branch: Its integration branch.
        pr_url: Its integration pull request.
        merged: Whether that was merged.
        reason: Why it failed or waits for a person.
    """

    id: str
    status: WorkstreamStatus = WorkstreamStatus.PENDING
    branch: str | None = None
    pr_url: str | None = None
    merged: bool = False
    reason: str | None = None


@attrs.define(kw_only=True)
class RunState:
    """A run; without a `run_id` there is none.

    Args:
        run_id: Id of the run, or empty.
        graph: Name of its graph.
        digest: Digest of the graph as it was when the run began.
        outcome: How it ended; `None` while it goes on.
        tasks: Every task by id, in the graph's order.
        workstreams: Every workstream by id.
        started_at: When it began, in seconds since the epoch.
        finished_at: When it ended, likewise.
        sequence: The last event that is taken into account; 0 before the first.
    """

    run_id: str = ""
    graph: str = ""
    digest: str = ""
    outcome: str | None = None
    tasks: dict[str, TaskRecord] = attrs.Factory(dict)
    workstreams: dict[str, WorkstreamRecord] = attrs.Factory(dict)
    started_at: float | None = None
    finished_at: float | None = None
    sequence: int = 0
