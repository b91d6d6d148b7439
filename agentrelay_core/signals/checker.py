"""Waiting for an agent's signal: told by the file system, with a poll only where that cannot be had."""

import asyncio
from pathlib import Path

import attrs

from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.signals.noticing import notices_of
from agentrelay_core.signals.reading import SignalReader
from agentrelay_core.task_runner import TaskCompletionSignal


async def wait_for_signal(signal_dir: Path, nonce: str | None, *, poll_interval: float = 2.0) -> TaskCompletionSignal:
    """Wait until an attempt's directory holds a signal; how long at most is the caller's to say, who may cancel.

    Args:
        signal_dir: The attempt's directory.
        nonce: What the attempt's helper adds to its signals; `None` when it is not known.
        poll_interval: Seconds between looks where the file system does not tell of changes.

    Returns:
        The signal, with what ``concerns.log`` holds.

    Raises:
        ProtocolViolation: The agent broke the file protocol.
    """
    loop = asyncio.get_running_loop()
    reader = SignalReader(signal_dir, nonce)
    with notices_of(signal_dir, poll_interval) as notices:
        # A look reads a few kilobytes and never waits for a writer: quicker than handing it to a thread.
        while (signal := reader.look(loop.time())) is None:
            await notices.changed(reader.due)
    return signal


@attrs.frozen(eq=False)
class SignalCompletionChecker:
    """The completion checker for agents that signal by ``.done`` and ``.failed``.

    Args:
        poll_interval: Seconds between looks where the file system does not tell of changes.
    """

    poll_interval: float = attrs.field(default=2.0, validator=attrs.validators.gt(0))

    async def wait_for_completion(self, runtime: TaskRuntime) -> TaskCompletionSignal:
        """Wait for the signal of a task's agent.

        Args:
            runtime: The task, prepared.

        Returns:
            The signal, with what ``concerns.log`` holds.

        Raises:
            ValueError: ``signal_dir`` is not set.
            ProtocolViolation: The agent broke the file protocol.
        """
        signal_dir = runtime.state.signal_dir
        if signal_dir is None:
            raise ValueError(
                f"signal_dir of task {runtime.task.id!r} is not set; prepare the task before waiting for its end"
            )
        return await wait_for_signal(signal_dir, runtime.artifacts.signal_nonce, poll_interval=self.poll_interval)
