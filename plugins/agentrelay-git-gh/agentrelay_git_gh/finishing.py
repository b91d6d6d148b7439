"""Letting what was begun outside come to its end when the run is left meanwhile."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

GRACE: Final = 10.0  # seconds that a run which is left waits for a change that is under way


async def finished(work: Callable[..., T], *arguments: object) -> T:
    """Do something in a thread; cancelled meanwhile, it is given some seconds, and if they do, all is well.

    Whoever begins a wait after that calls `leave_if_cancelled` first.

    Args:
        work: What to do; it blocks.
        arguments: Its arguments.

    Returns:
        What it returned.

    Raises:
        asyncio.CancelledError: It was not done, or failed, in those seconds.
    """
    doing = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        await asyncio.wait({doing}, timeout=GRACE)
        if doing.done() and not doing.cancelled() and doing.exception() is None:
            return doing.result()
        raise


def leave_if_cancelled() -> None:
    """Let a cancellation pass that `finished` held back, where something would begin that can wait.

    Raises:
        asyncio.CancelledError: The current task was cancelled.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
