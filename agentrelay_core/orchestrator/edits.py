"""What changed in a graph between two sessions of its run.

Tasks that were only added contradict nothing that was done, and are run. Any other edit is gone on with when a person
has accepted it.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from agentrelay_core.journal import RunState
from agentrelay_core.runtime import UserError
from agentrelay_core.runtime.status import DONE

_SHOWN = 10


class GraphChanged(UserError):
    """The graph is not the one that the run began with (exit 3)."""


@attrs.frozen(kw_only=True)
class Edits:
    """How a graph differs from the one that a run began with.

    Args:
        added: Ids of tasks that are new.
        removed: Ids of tasks that are gone.
        changed: Ids of tasks that ask for something else now.
        elsewhere: Whether the name, the workstreams or their depth changed.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    elsewhere: bool = False

    def lines(self, state: RunState) -> list[str]:
        """One line for each difference, with where the task stands."""
        lines = [f"+ {task_id}" for task_id in self.added]
        lines += [f"- {task_id} ({_standing(state, task_id)})" for task_id in self.removed]
        lines += [f"~ {task_id} ({_standing(state, task_id)})" for task_id in self.changed]
        return [*lines, *(["~ workstreams"] if self.elsewhere else [])]


def edits(digests: Mapping[str, Any], state: RunState) -> Edits | None:
    """Compare a graph with the one that a run began, or last went on, with.

    Args:
        digests: What `graph_data` says of the graph.
        state: What the journal says.

    Returns:
        The differences; `None` for a new run, and where there are none.
    """
    if not state.run_id or digests["digest"] == state.digest:
        return None
    before, now = state.task_digests, digests["task_digests"]
    found = Edits(
        added=tuple(task_id for task_id in now if task_id not in before),
        removed=tuple(task_id for task_id in before if task_id not in now),
        changed=tuple(task_id for task_id in now if before.get(task_id, now[task_id]) != now[task_id]),
    )
    if not before:  # of a version that kept no digests of single tasks
        return Edits(elsewhere=True)
    return attrs.evolve(found, elsewhere=state.rest_digest != digests["rest_digest"])


def refuse_edits(digests: Mapping[str, Any], state: RunState, *, accepted: bool) -> None:
    """Refuse a graph that was edited since its run began.

    Args:
        digests: What `graph_data` says of the graph.
        state: What the journal says.
        accepted: Whether the user accepts the edits. What is done stays done; what is at work must end first.

    Raises:
        GraphChanged: More than tasks were added, and that was not accepted; or a task that is at work was edited.
    """
    found = edits(digests, state)
    if found is None or not (found.removed or found.changed or found.elsewhere):
        return
    lines = found.lines(state)
    listed = "\n  ".join([*lines[:_SHOWN], *([f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else [])])
    if not accepted:
        raise GraphChanged(
            f"the graph was edited since run {state.run_id} began:\n  {listed}\nwhat is done stays done; to go on with "
            f"the graph as it is now, type `agentrelay run --accept-graph`"
        )
    at_work = [
        task_id
        for task_id in (*found.changed, *found.removed)
        if task_id in state.tasks and state.tasks[task_id].interrupted
    ]
    if at_work:
        raise GraphChanged(
            f"{', '.join(at_work)} was edited while an agent is at work on it; undo that edit, or type "
            f"`agentrelay cancel {at_work[0]}` first"
        )


def _standing(state: RunState, task_id: str) -> str:
    record = state.tasks.get(task_id)
    if record is None or record.started_at is None:
        return "not started"
    return f"{record.status}, stays so" if record.status in DONE else str(record.status)
