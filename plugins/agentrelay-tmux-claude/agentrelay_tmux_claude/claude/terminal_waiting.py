"""Waiting in a terminal for the first of a signal, the end of a turn, a question's deadline and the program's end."""

import asyncio
import time
from typing import Final

import attrs

from agentrelay_core import IntegrationBoundary, Parked, StepContext, TaskCompletionSignal, TaskRuntime
from agentrelay_core.builtin.required import host_of, required_address, required_path
from agentrelay_core.builtin.watching import program_ended
from agentrelay_core.signals import final_look, wait_for_signal
from agentrelay_core.signals.noticing import Notices, notices_of
from agentrelay_tmux_claude.claude.arguments import options_of
from agentrelay_tmux_claude.claude.events import EventReader, HookEvent, Standing, asked_for
from agentrelay_tmux_claude.claude.memory import read_memory

# Seconds between looks while the host does not know whether the program has ended, and at events that were not told.
LOOK_AGAIN: Final = 5.0


class Waiting:
    """Waits for the first of a signal, the end of a turn and the end of the program.

    Args:
        context: The task.
        reader: Its events.
    """

    def __init__(self, context: StepContext, reader: EventReader) -> None:
        runtime = context.runtime
        options = options_of(context)
        self.asks = options.permissions == "ask"
        self._answer_within = options.answer_within
        self._reader = reader
        self._directory = required_path(runtime, "signal_dir")
        self._nonce = runtime.artifacts.signal_nonce
        self._arrived = read_memory(context).arrived
        address = required_address(runtime)
        self._ended = asyncio.ensure_future(program_ended(host_of(context), address, look_again=LOOK_AGAIN))
        self._signal = asyncio.ensure_future(wait_for_signal(self._directory, self._nonce))
        self._asked: HookEvent | None = None

    @property
    def program_has_ended(self) -> bool:
        """Whether the program has ended."""
        return self._ended.done()

    async def close(self) -> None:
        """Wait for nothing any more."""
        self._ended.cancel()
        self._signal.cancel()
        await asyncio.gather(self._ended, self._signal, return_exceptions=True)

    async def turn_ended(self, runtime: TaskRuntime) -> tuple[TaskCompletionSignal | None, Standing, int | None]:
        """The signal, where there is one, where the session stands, and the program's exit code if it has ended."""
        with notices_of(self._reader.directory, LOOK_AGAIN, names=None) as notices:
            while True:
                standing = self._standing()
                if self._signal.done():
                    return self._signal.result(), standing, None
                if self._ended.done() or standing.ended is not None:
                    # Whoever wrote half a signal is not at it any more.
                    signal = final_look(self._directory, self._nonce)
                    return signal, standing, self._ended.result() if self._ended.done() else None
                left = self._left_to_answer(runtime, standing.question)
                await self._noticed(notices, left)

    async def idle(self, seconds: float) -> bool:
        """Wait until the turn or the program has ended, but no longer than this; whether one has."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        with notices_of(self._reader.directory, 1.0, names=None) as notices:
            while not self._ended.done() and self._standing().ended is None:
                if loop.time() >= until:
                    return False
                await self._noticed(notices, until - loop.time(), with_signal=False)
        return True

    def _standing(self) -> Standing:
        standing = self._reader.standing(asks=self.asks)
        # The end of the turn before is no end of the one that was just begun.
        return standing if standing.prompts > self._arrived else attrs.evolve(standing, ended=None)

    async def _noticed(self, notices: Notices, seconds: float | None, *, with_signal: bool = True) -> None:
        """Wait until anything may have changed."""
        changed = asyncio.ensure_future(notices.changed())
        waited = {changed, self._ended, self._signal} if with_signal else {changed, self._ended}
        try:
            await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            await asyncio.gather(changed, return_exceptions=True)

    def _left_to_answer(self, runtime: TaskRuntime, question: HookEvent | None) -> float | None:
        """Seconds that are left to answer a question, `None` where none is asked.

        Raises:
            Parked: It had its time.
        """
        if question is None:
            if self._asked is not None:
                self._asked, runtime.artifacts.resting = None, False
                runtime.report("task_waiting")
            return None
        what = f"Claude Code waits for your permission for {asked_for(question)}"
        until = None if self._answer_within is None else question.at + self._answer_within
        if question != self._asked:
            self._asked, runtime.artifacts.resting = question, True
            how = f"answer it in `agentrelay attach {runtime.task.id}`"
            runtime.report("task_awaiting_input", f"{what}: {how}", {"until": until})
        if until is None:
            return None
        if time.time() >= until:
            raise Parked(f"{what}, and nobody answered", boundary=IntegrationBoundary.AGENT_LAUNCH)
        return until - time.time()
