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


# Names of their own, for where every task passes: an attribute of an enumeration costs ten times as much before 3.12.
PENDING, RUNNING, PR_CREATED, PR_MERGED, COMPLETED, FAILED = TaskStatus

# FAILED becomes PENDING by a retry alone.
LEGAL_EDGES: dict[TaskStatus, frozenset[TaskStatus]] = {
    PENDING: frozenset({RUNNING}),
    RUNNING: frozenset({PR_CREATED, COMPLETED, FAILED}),
    PR_CREATED: frozenset({PR_MERGED, FAILED}),
    PR_MERGED: frozenset(),
    COMPLETED: frozenset(),
    FAILED: frozenset({PENDING}),
}

DONE = frozenset({PR_MERGED, COMPLETED})
ENDED = DONE | {FAILED}
