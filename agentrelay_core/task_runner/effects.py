"""What the runner tells of effects on the outside world: before one begins, when one is found done, when a task ended.

The order of a task's life is fixed, so most records serve twice: that one step ended says that the next may have begun.
"""

from collections.abc import Awaitable
from typing import Final, Protocol

from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.task_runner.result import TaskRunResult

# The effect of each step that has one; waiting touches nothing.
EFFECT_OF: Final = {
    "prepare": "prepare",
    "launch": "launch",
    "kickoff": "kickoff",
    "merge_pr": "merge",
    "teardown": "teardown",
    "send_turn": "send_turn",
    "publish": "publish",
    "verify": "verify",
}

# Effects that are not begun before their intent is durable. The others are found by their names.
DURABLE: Final = frozenset({"launch", "publish", "merge"})


class EffectRecorder(Protocol):
    """Where the runner's word is kept; the orchestrator's is the journal."""

    def intend(self, runtime: TaskRuntime, effect: str) -> Awaitable[None]:
        """Return when it is durable that an effect may have begun.

        Args:
            runtime: The task.
            effect: One of `DURABLE`.

        Raises:
            Detached: It cannot be made durable; the effect does not begin, and nothing of the task is torn down.
        """

    def recovered(self, runtime: TaskRuntime, effect: str) -> None:
        """Note that an effect had happened already, in an earlier session, and was not repeated."""

    def ended(self, runtime: TaskRuntime, result: TaskRunResult) -> Awaitable[None]:
        """Return when it is noted how an attempt ended; it is torn down then.

        Raises:
            Detached: It cannot be noted; nothing is torn down.
        """
