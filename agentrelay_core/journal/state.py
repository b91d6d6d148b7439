"""What a run looks like at one moment, as its events tell it; nothing here is stored anywhere else."""

from enum import StrEnum
from typing import Any

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
        first_attempt: The first of the attempts that are counted against the task's limit.
        branch: The attempt's branch.
        pr_url: The attempt's pull request.
        error: Why the latest ended attempt failed.
        failure_class: The coarse class of that error.
        parked: Whether a person is needed.
        blocked_by: Ids of the tasks that keep it from starting.
        label: Where the attempt's agent lives, for people.
        progress: How far the attempt's agent is, in the words of its framework.
        started_at: When the attempt began, in seconds since the epoch.
        finished_at: When it ended, likewise.
        concerns: What the agent, or a step, wants people to know.
        teardown_due: Whether the latest attempt has ended and is still to be torn down.
        retryable: Whether the way it ended leaves room for another attempt.
        agent: What the agent's host needs to adopt it.
        gates_failed: How many completion gates of the attempt have failed.
        turn_due: Whether the agent is still to be told of the last of them.
        recovered: Effects of the attempt that had happened already when the run went on.
        dependencies: Ids of the tasks that it depends on, as the run began with.
        usage: What all its attempts have used, by name: tokens, cost in US dollars.
        usage_of: What of that was told as totals, by what they are totals of.
        throttled_until: When a limit ends that it waits for, in seconds since the epoch.
        waits_for: What its pull request waits for: checks, a review, a queue.
        agent_done: Whether the agent's work was kept when a person was needed, so that it need not be done again.
    """

    id: str
    workstream_id: str = ""
    status: TaskStatus = TaskStatus.PENDING
    attempt_num: int = 0
    first_attempt: int = 0
    branch: str | None = None
    pr_url: str | None = None
    error: str | None = None
    failure_class: IntegrationFailureClass | None = None
    parked: bool = False
    blocked_by: tuple[str, ...] = ()
    label: str | None = None
    progress: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    concerns: tuple[str, ...] = ()
    teardown_due: bool = False
    retryable: bool = False
    agent: Any = None
    gates_failed: int = 0
    turn_due: bool = False
    recovered: tuple[str, ...] = ()

    @property
    def interrupted(self) -> bool:
        """Whether an attempt was begun that is neither finished nor waiting for its successor."""
        return self.started_at is not None and self.finished_at is None and self.status != TaskStatus.PENDING

    dependencies: tuple[str, ...] = ()
    usage: dict[str, float] = attrs.Factory(dict)
    usage_of: dict[str, dict[str, float]] = attrs.Factory(dict)
    throttled_until: float | None = None
    waits_for: str | None = None
    agent_done: bool = False

    @property
    def next_attempt(self) -> int:
        """The number of the attempt to come; no number is used twice, for branches and directories are called so."""
        begun = self.started_at is not None and self.status != TaskStatus.PENDING
        return self.attempt_num + begun


@attrs.define(kw_only=True)
class WorkstreamRecord:
    """One workstream.

    Args:
        id: The workstream.
        status: Where it stands.
        branch: Its integration branch.
        pr_url: Its integration pull request.
        merged: Whether that was merged.
        reason: Why it failed, or what it waits for.
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
        task_digests: Digests of the tasks as they were when the run began or last went on, by id.
        rest_digest: Digest of what its graph holds besides, likewise.
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
    task_digests: dict[str, str] = attrs.Factory(dict)
    rest_digest: str = ""
    outcome: str | None = None
    tasks: dict[str, TaskRecord] = attrs.Factory(dict)
    workstreams: dict[str, WorkstreamRecord] = attrs.Factory(dict)
    started_at: float | None = None
    finished_at: float | None = None
    sequence: int = 0
