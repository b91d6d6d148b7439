"""One rule for every step method: plain ones run in a thread, and whatever comes back is awaited if it is awaitable.

A step that runs in a thread cannot be interrupted. When its caller is cancelled it is awaited a while, so that its
effect is not left half known, and what it returned is kept all the same.
"""

import asyncio
import contextvars
import inspect
from collections.abc import Callable, Hashable
from concurrent.futures import Executor
from functools import lru_cache
from typing import Any

from agentrelay_core.task_runner.holding import measured

# How long a cancelled caller waits for a step that runs in a thread, in seconds.
THREAD_GRACE = 10.0


@lru_cache(maxsize=4096)
def _is_async(kind: Hashable, method: str) -> bool | None:
    function = getattr(kind, method, None)
    return None if function is None else inspect.iscoroutinefunction(function)


def is_async(target: object, method: str) -> bool:
    """Whether a method is ``async def``, remembered by the object's class."""
    known = _is_async(type(target), method)  # type: ignore[arg-type]  # mypy takes classes for unhashable here
    return inspect.iscoroutinefunction(getattr(target, method)) if known is None else known


async def call_step(
    executor: Executor | None,
    target: object,
    method: str,
    *args: object,
    keep: Callable[[Any], None] | None = None,
) -> Any:
    """Call a method that may be ``def`` or ``async def`` without blocking the event loop.

    Args:
        executor: Where a plain method runs; `None` means the loop's default.
        target: The step, host, workspace or forge.
        method: Name of its method.
        args: Arguments of the call.
        keep: Called with the result as soon as there is one, even when the caller was cancelled meanwhile.

    Returns:
        What the method returned, awaited.
    """
    function = getattr(target, method)
    if is_async(target, method):
        result = await measured(function(*args), target, method)
    else:
        context = contextvars.copy_context()
        future = asyncio.get_running_loop().run_in_executor(executor, context.run, function, *args)
        try:
            result = await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait({future}, timeout=THREAD_GRACE)
            if keep is not None and future.done() and not future.cancelled() and future.exception() is None:
                late = future.result()
                if not inspect.isawaitable(late):
                    keep(late)
            raise
        if inspect.isawaitable(result):
            result = await result
    if keep is not None:
        keep(result)
    return result
