"""Where a run is killed: between what GitHub did and its record, and while GitHub works."""

import os
import signal
from random import Random
from typing import Final

from matrix_lives import Life
from matrix_moments import Arrange
from pytest_agentrelay.github import Fault, Hold

ONCE: Final = ("ref-moved", "merge-noted")  # passed for the task alone; the others are for its workstream as well


def killed(place: str) -> Arrange:
    """The run is killed at one of the places between a deed and its record."""

    def arrange(life: Life, draw: Random) -> None:
        life.plan.integrates, life.plan.method = True, draw.choice(("merge", "merge", "squash"))
        life.plan.deletes = draw.random() < 0.5
        life.hosted.set(delete_branch_on_merge=life.plan.deletes)
        life.plan.failpoints = f"agentrelay-git-gh/{place}=kill@{draw.randint(1, 1 if place in ONCE else 2)}"

    return arrange


def killed_at(match: str) -> Arrange:
    """The run is killed while GitHub works, and what was asked for happens in the next session."""

    def arrange(life: Life, draw: Random) -> None:
        hold, life.plan.integrates = Hold(), draw.random() < 0.3
        kill = lambda: os.kill(life.pid, signal.SIGKILL)  # noqa: E731
        moment = draw.choice(("hold_before", "hold_after"))
        life.script(Fault(match=match, skip=int(life.plan.integrates), before=kill))
        life.script(Fault(match=match, skip=int(life.plan.integrates), **{moment: hold}))
        life.mend = lambda: life.script(Fault(match=".", skip=draw.randint(0, 12), before=hold.release.set))

    return arrange


def lets_go(life: Life) -> None:
    """GitHub goes on with what it was asked."""
    assert life.mend is not None
    life.mend()
