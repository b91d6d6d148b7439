"""Agents that a session of the run left behind when it was killed.

They are not adopted yet, and two agents must never work in one worktree: before a run goes on, what still lives of its
agents is ended. Processes are known by the run's id in their environment, and by nothing else.
"""

import asyncio

from agentrelay_core.processes import ProcessError, ProcessGroup, find_marked

MARKER = "AGENTRELAY_RUN_ID"


async def end_orphans(run_id: str) -> str | None:
    """End the processes that earlier sessions of a run left.

    Args:
        run_id: The run.

    Returns:
        What was done, or could not be done, in a sentence; `None` when there was nothing.
    """
    try:
        left = await asyncio.to_thread(find_marked, MARKER, run_id)
        for identity in left:
            await ProcessGroup.adopt(identity, (MARKER, run_id)).stop()
    except ProcessError as error:
        return f"processes that an earlier session left could not be ended: {error}"
    return f"ended {len(left)} processes that an earlier session left" if left else None
