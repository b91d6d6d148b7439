"""Which tasks a verb is about: those that are named, and what hangs on them."""

from collections.abc import Collection, Iterable

from agentrelay_core.journal.state import RunState
from agentrelay_core.runtime import UserError
from agentrelay_core.spec.suggestions import did_you_mean, listing


class NothingSelected(UserError):
    """There is nothing of the kind that a verb is for (exit 6)."""


def known_tasks(state: RunState, given: Iterable[str]) -> tuple[str, ...]:
    """The tasks that are named.

    Args:
        state: What the journal says.
        given: Ids.

    Raises:
        UserError: There is no such task.
    """
    wanted = tuple(dict.fromkeys(given))
    for task_id in wanted:
        if task_id not in state.tasks:
            hint = did_you_mean(task_id, state.tasks) or f"its tasks are {listing(state.tasks)}"
            raise UserError(f"the run of '{state.graph}' has no task '{task_id}'; {hint}, see `agentrelay status`")
    return wanted


def hanging_on(state: RunState, task_ids: Collection[str]) -> dict[str, str]:
    """What depends on tasks, near or far.

    Args:
        state: What the journal says.
        task_ids: The tasks.

    Returns:
        Ids, in the graph's order, each with the one of its dependencies that is nearest; `task_ids` are left out.
    """
    dependants: dict[str, list[str]] = {}
    for record in state.tasks.values():
        for dependency in record.dependencies or record.blocked_by:
            dependants.setdefault(dependency, []).append(record.id)
    found: dict[str, str] = {}
    frontier = list(task_ids)
    for task_id in frontier:  # grows while it is read
        for dependant in dependants.get(task_id, ()):
            if dependant not in found and dependant not in task_ids:
                found[dependant] = task_id
                frontier.append(dependant)
    return {task_id: found[task_id] for task_id in state.tasks if task_id in found}
