"""What a run came to, as facts: how each task ended, how each workstream ended, and the exit code that follows."""

from collections.abc import Collection, Mapping
from enum import StrEnum

import attrs

from agentrelay_core.runtime import TaskStatus
from agentrelay_core.runtime.status import DONE
from agentrelay_core.task_runner import TaskRunResult


class RunOutcome(StrEnum):
    """How a run ended."""

    SUCCEEDED = "succeeded"
    NOTHING_TO_DO = "nothing_to_do"
    FAILED = "failed"
    PARKED = "parked"
    INTERNAL_ERROR = "internal_error"
    CANCELLED = "cancelled"
    DETACHED = "detached"


EXIT_CODES: Mapping[RunOutcome, int] = {
    RunOutcome.SUCCEEDED: 0,
    RunOutcome.NOTHING_TO_DO: 0,
    RunOutcome.FAILED: 1,
    RunOutcome.PARKED: 4,
    RunOutcome.INTERNAL_ERROR: 70,
    RunOutcome.CANCELLED: 1,
    RunOutcome.DETACHED: 0,
}


@attrs.frozen(kw_only=True)
class WorkstreamResult:
    """How a workstream ended.

    Args:
        id: The workstream.
        pr_url: Its integration pull request, if there is one.
        merged: Whether that was merged.
        error: Why it could not be integrated.
        parked: Whether a person must act; `error` says how.
    """

    id: str
    pr_url: str | None = None
    merged: bool = False
    error: str | None = None
    parked: bool = False


@attrs.frozen(kw_only=True)
class Ended:
    """How a session ended, before it is told what that comes to.

    Args:
        cancelled: Whether it was told to stop.
        detached: Whether it was told to leave.
        left: Whether workstreams that could be integrated were not.
        internal: Whether an internal error was seen.
    """

    cancelled: bool
    detached: bool
    left: bool
    internal: bool


@attrs.frozen(kw_only=True)
class RunResult:
    """The end of a run.

    Args:
        outcome: How it ended.
        tasks: How each task stands, by id, in the order of the graph.
        run_id: The run's id.
        workstreams: How each workstream that was integrated, or could not be, ended.
        parked: Ids of failed tasks that need a person.
        blocked: For each task that never ran, what it waits for.
    """

    outcome: RunOutcome
    tasks: Mapping[str, TaskRunResult]
    run_id: str
    workstreams: Mapping[str, WorkstreamResult] = attrs.field(factory=dict)
    parked: frozenset[str] = frozenset()
    blocked: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def exit_code(self) -> int:
        """The process's exit code for this outcome."""
        return EXIT_CODES[self.outcome]

    @property
    def succeeded(self) -> bool:
        """Whether every task is done."""
        return all(result.status in DONE for result in self.tasks.values())


def outcome_of(
    ended: Ended,
    tasks: Mapping[str, TaskRunResult],
    lanes: Collection[WorkstreamResult],
    parked: Collection[str],
    blocked: Collection[str],
) -> RunOutcome:
    """Which outcome holds; where several do, in the order of their exit codes 70, 1, 4, 0 (graph.md).

    Args:
        ended: How the session ended.
        tasks: How each task stands, by id.
        lanes: How workstreams ended.
        parked: Ids of failed tasks that need a person.
        blocked: Ids of tasks that should have run and did not. Tasks that were not selected are no failure.
    """
    if ended.cancelled:
        return RunOutcome.CANCELLED
    if ended.detached and (ended.left or any(result.status not in DONE for result in tasks.values())):
        return RunOutcome.DETACHED
    if ended.internal:
        return RunOutcome.INTERNAL_ERROR
    failed = {task_id for task_id, result in tasks.items() if result.status == TaskStatus.FAILED}.difference(parked)
    if failed or any(lane.error and not lane.parked for lane in lanes):
        return RunOutcome.FAILED
    if parked or any(lane.parked for lane in lanes):
        return RunOutcome.PARKED
    return RunOutcome.FAILED if blocked else RunOutcome.SUCCEEDED
