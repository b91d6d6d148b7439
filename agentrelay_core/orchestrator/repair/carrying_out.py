"""Carrying a plan out: agents end first, then what is left over goes, and the journal is told last.

Each step may be done twice: who was stopped halfway types the command again.
"""

from collections.abc import Callable
from pathlib import Path

import attrs

from agentrelay_core.journal import Journal, kinds
from agentrelay_core.orchestrator.places import journal_path
from agentrelay_core.orchestrator.repair.agents import end_agent
from agentrelay_core.orchestrator.repair.plan import Fate, Removal, RepairPlan, TaskChange
from agentrelay_core.orchestrator.repair.signal_directories import is_signal_directory, remove_signal_directory
from agentrelay_core.runtime import Event, IntegrationError
from agentrelay_core.task_runner.repairs import Repairs


@attrs.frozen(kw_only=True)
class Carried:
    """What came of a plan.

    Args:
        rescued: The refs under which work was kept.
        problems: What could not be done, and so stays as it was; one sentence each.
    """

    rescued: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


async def carry_out(
    plan: RepairPlan, repository: Path, repairs: Repairs, tell: Callable[[str], None] = lambda _: None
) -> Carried:
    """Carry a plan out; the caller owns the run.

    Args:
        plan: The plan.
        repository: Root of the user's repository.
        repairs: Lets go of what is left in the repository.
        tell: Called with each thing that was done, for people.

    Raises:
        UserError: An agent could not be ended; nothing was removed.
        JournalError: The journal cannot be written.
    """
    for agent in plan.stops:
        await end_agent(agent)
        tell(f"ended the agent of {agent.task_id}")
    rescued: dict[str, None] = {}
    problems: list[str] = []
    for removal in plan.removals:
        if removal.fate is Fate.KEEP:
            continue
        try:
            ref = _carry_out(plan, removal, repository, repairs)
        except (IntegrationError, OSError) as error:
            problems.append(str(error))
            continue
        if ref is not None:
            rescued[ref] = None
        if removal.fate is Fate.REMOVE:
            tell(f"removed {removal.leftover.called}")
    _record(plan)
    return Carried(rescued=tuple(rescued), problems=tuple(problems))


def _carry_out(plan: RepairPlan, removal: Removal, repository: Path, repairs: Repairs) -> str | None:
    leftover = removal.leftover
    if removal.fate is Fate.RESCUE:
        return repairs.keep(leftover)
    if leftover.kind == "directory" and is_signal_directory(repository, plan.graph, Path(leftover.name)):
        remove_signal_directory(Path(leftover.name), plan.protocol_files)
        return None
    return repairs.let_go(leftover, ignored=plan.with_ignored)


def _record(plan: RepairPlan) -> None:
    events = [_cancelled(change) for change in plan.tasks if change.becomes == "failed"]
    again = [change.task_id for change in plan.tasks if change.becomes == "pending"]
    if again:
        events.append(Event(kind=kinds.RUN_RESET, message=", ".join(again), data={"tasks": again}))
    if plan.forgets:
        events.append(Event(kind=kinds.RUN_RESET, message=plan.run_id))
    if plan.outcome:
        events.append(Event(kind=kinds.RUN_FINISHED, message=plan.outcome, data={"outcome": plan.outcome}))
    if not events:
        return
    journal = Journal.open(journal_path(plan.state_dir))
    try:
        for event in events:
            journal.append(event)
    finally:
        journal.close()


def _cancelled(change: TaskChange) -> Event:
    error = "CancelledError: cancelled"
    return Event(
        kind=kinds.TASK_FINISHED,
        task_id=change.task_id,
        workstream_id=change.workstream_id,
        attempt_num=change.attempt_num,
        message=error,
        data={"status": change.becomes, "error": error, "failure_class": "internal_error"},
    )
