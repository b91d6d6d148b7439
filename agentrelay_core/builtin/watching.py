"""Waiting for a program's end through any host, be its ``wait`` a coroutine or a function that blocks for hours."""

import asyncio
import contextlib
import inspect
import threading
from typing import Any

from agentrelay_core.hooks import EnvironmentHost
from agentrelay_core.runtime import AgentAddress
from agentrelay_core.task_runner.calls import call_step, is_async


async def program_ended(host: EnvironmentHost, address: AgentAddress, *, look_again: float) -> int | None:
    """Wait until an agent's program has ended, by its host's word; one of whom nothing is known has not.

    Args:
        host: The host of its environment.
        address: Where it lives.
        look_again: Seconds between looks while the host does not know.

    Returns:
        Its exit code; `None` when it has ended and the exit code cannot be known.
    """
    while True:
        exit_code = await _wait(host, address)
        if exit_code is not None:
            return exit_code
        if await call_step(None, host, "is_alive", address) == "ended":
            return None
        await asyncio.sleep(look_again)


async def _wait(host: EnvironmentHost, address: AgentAddress) -> int | None:
    result: Any
    if is_async(host, "wait"):
        result = host.wait(address)
    else:
        result = await _in_own_thread(host, address)
    exit_code: int | None = (await result) if inspect.isawaitable(result) else result
    return exit_code


async def _in_own_thread(host: EnvironmentHost, address: AgentAddress) -> Any:
    """Call a blocking ``wait``: not in a pool, whose few threads it would hold, nor to be awaited when cancelled."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: Exception | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def work() -> None:
        result, error = None, None
        try:
            result = host.wait(address)
        except Exception as raised:
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, name=f"wait {address.label}", daemon=True).start()
    return await future
