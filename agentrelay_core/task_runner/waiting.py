"""Methods that may wait for others: a check, a review, a merge queue.

Such a wait takes hours and is nobody's fault, so the deadlines of steps do not hold for it; the method bounds it
itself. It may be left when the run is left, and is begun anew when the run goes on.
"""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Coroutine[Any, Any, Any]])

_MARK = "_agentrelay_waits_for_others"


def waits_for_others(method: F) -> F:
    """Say of a merger's ``merge_pr``, or a workspace's ``integrate``, that it may wait for others (a decorator).

    The method has no deadline of the runner's but the task's wall budget on top of its own, and is cancelled when the
    run is left or stopped. What it has begun outside by then must end within 10 s: it returns normally if that is done,
    and lets the cancellation pass if not.

    Args:
        method: An ``async def``.

    Returns:
        The same method.
    """
    setattr(method, _MARK, True)
    return method


def may_wait(target: object, method: str) -> bool:
    """Whether a method of an object was said to wait for others."""
    return bool(getattr(getattr(target, method, None), _MARK, False))
