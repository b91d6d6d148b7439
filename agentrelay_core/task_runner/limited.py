"""A limit in what we do for a task ourselves: it is waited out, and the effect is tried again.

The agent has done its work by then. To begin another attempt, as for a limit of the agent's, would do it twice.
"""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from agentrelay_core.runtime import Parked, Throttled

if TYPE_CHECKING:
    from agentrelay_core.task_runner.agent_wait import AgentWait

# Seconds that a limit is waited for which does not say when it ends.
UNTOLD: Final = 60.0


def waited_out(limit: Throttled, waited: float, longest: float) -> tuple[float, str]:
    """How long to wait for a limit to end.

    Args:
        limit: The limit.
        waited: Seconds that were waited for others before it.
        longest: Seconds that may be waited in all.

    Returns:
        The seconds, and a sentence for people.

    Raises:
        Parked: It would be longer.
    """
    pause = max(0.0, UNTOLD if limit.retry_after is None else limit.retry_after)
    ends = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() + pause))
    if waited + pause > longest:
        raise Parked(f"{limit.message}; type `agentrelay run` after {ends}, when that ends") from limit
    return pause, f"{limit.message}; it goes on at {ends}"


async def after_limit(life: "AgentWait", limit: Throttled, again: Callable[[], Awaitable[Any]]) -> Any:
    """Do an effect again when the limit ends that kept it from happening, as often as there is a limit.

    Args:
        life: The task's.
        limit: What kept it from happening the first time.
        again: Does it; safe to be repeated.

    Returns:
        What it returns.

    Raises:
        Parked: All limits together outlast the task's wall budget.
    """
    waited = 0.0
    while True:
        pause, told = waited_out(limit, waited, life.deadlines.wall)
        waited += pause
        life.runtime.report("task_throttled", told, {"until": time.time() + pause})
        await life.pause(pause)
        try:
            return await again()
        except Throttled as next_limit:
            limit = next_limit
