"""Waiting for a usage limit to end, within the attempt where that is allowed to last so long, else outside of it."""

import asyncio
import time
from typing import Final

from agentrelay_core import IntegrationBoundary, TaskRuntime, Throttled
from agentrelay_core.spec import Deadlines
from agentrelay_tmux_claude.claude.verdict import Limited

# Seconds to wait for a limit whose end is not told: the first time, and at most.
FIRST_PAUSE: Final = 60.0
LONGEST_PAUSE: Final = 900.0
# Seconds after the stated end of a limit: clocks differ.
AFTER_RESET: Final = 1.0
_DEFAULTS = Deadlines()


async def limit_over(
    runtime: TaskRuntime, limit: Limited, earlier: int, began: float, *, first_pause: float = FIRST_PAUSE
) -> None:
    """Return when a limit has ended; people are told until when the agent rests.

    Args:
        runtime: The task.
        limit: What was said of it.
        earlier: How many limits came right before, with nothing done in between.
        began: When the wait for the agent began, in seconds of the monotonic clock.
        first_pause: Seconds to wait where no end is told, or where that was none; doubled each time.

    Raises:
        Throttled: It ends later than the attempt may last.
    """
    now = time.time()
    pause = min(first_pause * 2**earlier, LONGEST_PAUSE)
    until = now + pause if limit.until is None else limit.until + AFTER_RESET
    if earlier:  # the stated end was not the end
        until = max(until, now + pause)
    deadlines = runtime.task.deadlines or _DEFAULTS
    left = deadlines.wall - runtime.seconds_used - (time.monotonic() - began)
    if until - now > left:
        raise Throttled(
            f"Claude Code reached a usage limit: {limit.message}",
            retry_after=until - now,
            boundary=IntegrationBoundary.AGENT_LAUNCH,
        )
    end = time.strftime("%H:%M:%S", time.localtime(until))
    runtime.report("task_throttled", f"{limit.message}; it goes on at {end}", {"until": until})
    runtime.artifacts.resting = True
    try:
        await asyncio.sleep(max(0.0, until - now))
    finally:
        runtime.artifacts.resting = False
