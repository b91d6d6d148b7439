"""Where a task stands, and which steps from there are legal."""

from enum import StrEnum


class TaskStatus(StrEnum):
    """The status of a task; shown by value."""

    PENDING = "pending"
    RUNNING = "running"
    PR_CREATED = "pr_created"
    PR_MERGED = "pr_merged"
    COMPLETED = "completed"
    FAILED = "failed"


# FAILED becomes PENDING by a retry alone.
LEGAL_EDGES: dict[TaskStatus, frozenset[TaskStatus]] = {
    TaskStatus.PENDING: frozenset({TaskStatus.RUNNING}),
    TaskStatus.RUNNING: frozenset({TaskStatus.PR_CREATED, TaskStatus.COMPLETED, TaskStatus.FAILED}),
    TaskStatus.PR_CREATED: frozenset({TaskStatus.PR_MERGED, TaskStatus.FAILED}),
    TaskStatus.PR_MERGED: frozenset(),
    TaskStatus.COMPLETED: frozenset(),
    TaskStatus.FAILED: frozenset({TaskStatus.PENDING}),
}

DONE = frozenset({TaskStatus.PR_MERGED, TaskStatus.COMPLETED})
ENDED = DONE | {TaskStatus.FAILED}
