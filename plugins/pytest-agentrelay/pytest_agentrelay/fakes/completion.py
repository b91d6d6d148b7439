"""The fake completion checker: signal files, and the end of the agent's thread, whichever comes first."""

import asyncio
import contextlib
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import attrs

from agentrelay_core.processes import describe_exit
from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.signals import final_look, read_concerns, wait_for_signal
from agentrelay_core.task_runner import TaskCompletionSignal
from pytest_agentrelay.fakes.address import InProcessAddress
from pytest_agentrelay.fakes.required import required


@attrs.frozen(kw_only=True)
class FakeCompletionChecker:
    """Waits for the end of a fake agent's work; of any other agent it waits for the signal alone.

    Args:
        poll_interval: Seconds between looks where the file system does not tell of changes.
    """

    poll_interval: float = attrs.field(default=2.0, validator=attrs.validators.gt(0))

    async def wait_for_completion(self, runtime: TaskRuntime) -> TaskCompletionSignal:
        """Wait for a whole signal, or for the agent's end.

        Raises:
            ValueError: ``signal_dir`` is not set.
            ProtocolViolation: The agent broke the file protocol.
        """
        signal_dir, nonce = required(runtime, "signal_dir"), runtime.artifacts.signal_nonce
        address = runtime.artifacts.agent_address
        ended = address.agent.ended if isinstance(address, InProcessAddress) else Future()
        with _ends_with(ended) as until_ended:
            try:
                async with until_ended:
                    return _told(await wait_for_signal(signal_dir, nonce, poll_interval=self.poll_interval))
            except TimeoutError:
                if not ended.done():
                    raise  # the file system's own
        signal = final_look(signal_dir, nonce)
        if signal is not None:
            return _told(signal)
        error = f"the agent {describe_exit(ended.result())} without a signal"
        return TaskCompletionSignal("failed", error=error, concerns=read_concerns(signal_dir), ended="died")


def _told(signal: TaskCompletionSignal) -> TaskCompletionSignal:
    """The signal, with its own word for how the attempt ended."""
    return attrs.evolve(signal, ended=signal.outcome)


@contextlib.contextmanager
def _ends_with(ended: "Future[Any]") -> Iterator[asyncio.Timeout]:
    """A time limit that is reached when the agent has ended; nothing is left of it afterwards."""
    loop = asyncio.get_running_loop()
    limit = asyncio.timeout(None)
    over = False

    def reach() -> None:
        if not over:
            limit.reschedule(loop.time())

    def tell(_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(reach)

    ended.add_done_callback(tell)
    try:
        yield limit
    finally:
        over = True
