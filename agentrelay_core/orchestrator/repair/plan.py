"""The plan of a repair: which agents end, which tasks change, what goes, what stays; shown first, then carried out."""

from enum import StrEnum
from pathlib import Path
from typing import Literal

import attrs

from agentrelay_core.orchestrator.repair.agents import LiveAgent
from agentrelay_core.runtime.status import DONE
from agentrelay_core.task_runner.repairs import Leftover


class Verb(StrEnum):
    """What the plan is for."""

    RETRY = "retry"
    RESET = "reset"
    CLEAN = "clean"
    CANCEL = "cancel"


class Fate(StrEnum):
    """What becomes of something that is left over."""

    REMOVE = "remove"
    RESCUE = "rescue"
    KEEP = "keep"


@attrs.frozen(kw_only=True)
class TaskChange:
    """What becomes of a task.

    Args:
        task_id: The task.
        workstream_id: Its workstream.
        was: Its status now.
        becomes: Its status afterwards.
        attempt_num: The attempt that ends, or the one to come, from 0.
        reason: Why it is in the plan.
    """

    task_id: str
    workstream_id: str
    was: str
    becomes: Literal["pending", "failed"]
    attempt_num: int
    reason: str = ""


@attrs.frozen(kw_only=True)
class Removal:
    """What becomes of something that is left over.

    Args:
        leftover: What it is.
        fate: ``remove`` it, what it holds being kept first; ``rescue`` what it holds and leave it clean; ``keep`` it.
        reason: Why.
    """

    leftover: Leftover
    fate: Fate
    reason: str = ""


@attrs.frozen(kw_only=True)
class RepairPlan:
    """What will be done; nothing else is.

    Args:
        verb: What for.
        graph: The graph's name.
        run_id: The run; empty where none is recorded.
        state_dir: Where its journal is.
        stops: Agents that are ended.
        tasks: Tasks that change.
        removals: What becomes of what is left over.
        forgets: Whether the run is forgotten, so that the next one is a new one.
        outcome: How the run is recorded to have ended; empty where that does not change.
        with_ignored: Whether files that git ignores go with their worktrees.
        protocol_files: Patterns of what goes with attempts' directories beside the protocol's own files.
    """

    verb: Verb
    graph: str
    run_id: str
    state_dir: Path
    stops: tuple[LiveAgent, ...] = ()
    tasks: tuple[TaskChange, ...] = ()
    removals: tuple[Removal, ...] = ()
    forgets: bool = False
    outcome: str = ""
    with_ignored: bool = False
    protocol_files: tuple[str, ...] = ()

    @property
    def nothing_to_do(self) -> bool:
        """Whether it changes nothing."""
        acts = any(removal.fate is not Fate.KEEP for removal in self.removals)
        return not (self.stops or self.tasks or acts or self.forgets or self.outcome)

    @property
    def destroys(self) -> bool:
        """Whether something ends, goes or is done again that was done, so that people are asked first."""
        again = any(change.was in DONE for change in self.tasks)
        return bool(self.stops or self.forgets or again) or any(
            removal.fate is not Fate.KEEP for removal in self.removals
        )
