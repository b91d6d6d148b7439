"""The floor of every figure about tasks: what a bare loop costs that does nothing but start tasks in order.

It counts what each task still waits for and starts one coroutine per task when nothing is left; no step, no journal, no
error handling. The same loop drives the standard runner when that is measured alone.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Literal

Shape = Literal["wide", "chain"]


async def nothing(_: int) -> None:
    """A task that does nothing."""


async def bare_loop(count: int, shape: Shape, work: Callable[[int], Coroutine[Any, Any, object]] = nothing) -> None:
    """Run tasks in the order of their dependencies.

    Args:
        count: Number of tasks.
        shape: ``wide``: none depends on another; ``chain``: each on the one before.
        work: Makes the coroutine of a task from its number.
    """
    missing = [0 if shape == "wide" or number == 0 else 1 for number in range(count)]
    followers = [[] if shape == "wide" or number == count - 1 else [number + 1] for number in range(count)]
    over = asyncio.get_running_loop().create_future()
    left = count

    def start(number: int) -> None:
        asyncio.create_task(work(number)).add_done_callback(lambda _: ended(number))

    def ended(number: int) -> None:
        nonlocal left
        left -= 1
        for follower in followers[number]:
            missing[follower] -= 1
            if not missing[follower]:
                start(follower)
        if not left:
            over.set_result(None)

    for number in range(count):
        if not missing[number]:
            start(number)
    await over
