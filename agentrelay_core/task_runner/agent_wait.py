"""One task's wait for its agent: for a signal, with a clock of progress, until it ends, hangs or is given up."""

import asyncio
from typing import Any

from agentrelay_core.failpoints import failpoint
from agentrelay_core.runtime import AgentFailure, Internal
from agentrelay_core.runtime.events import task_event
from agentrelay_core.runtime.secrets import without_secrets
from agentrelay_core.task_runner.calls import call_step
from agentrelay_core.task_runner.completion import TaskCompletionSignal
from agentrelay_core.task_runner.progress import ProgressTeller
from agentrelay_core.task_runner.step_calls import StepCalls
from agentrelay_core.task_runner.watchdog import Interruption

# Seconds for the end of an agent, by its teardown step or by its address.
TEARDOWN = 120.0
# Seconds of its wall budget that an agent has at least when a run goes on.
LEAST_AFTER_GAP = 60.0
# The agent of a resumed task whose end is found within this time, in seconds, has ended while nobody watched.
GLANCE = 5.0


class AgentWait(StepCalls):
    """How one run of one task waits for its agent, and tells what happens meanwhile."""

    __slots__ = ()

    async def _wait_for_signal(self) -> TaskCompletionSignal:
        runtime = self.runtime
        self._event("task_waiting", "")
        failpoint("kickoff", "outcome")
        watchdog = self.runner.watchdog
        watchdog.watch_agent(self)
        began = watchdog.clock() if runtime.resumed else 0.0
        runtime.on_progress = ProgressTeller(self)
        try:
            signal: TaskCompletionSignal = await self._step(
                "wait_for_completion",
                self.runner.completion_checker,
                self._wall,
                keep=_is_signal,
                detachable=True,
            )
        except AgentFailure:
            watchdog.stalls.forget(self)
            if self.wait.given_up:
                await self._give_up_agent()
            raise
        finally:
            runtime.on_progress = None
            watchdog.stalls.forget(self)
        runtime.artifacts.concerns.extend(without_secrets(runtime, each) for each in signal.concerns)
        runtime.artifacts.ended = signal.ended
        runtime.unwatched = runtime.resumed and watchdog.clock() - began < GLANCE
        return signal

    def warn(self, message: str) -> None:
        """Tell people of the agent that is waited for."""
        self._event("task_warning", message)

    def progress(self, kind: str, said: str) -> None:
        """Tell people how far the agent is."""
        self._event("task_progress", said, {"kind": kind})

    def hung(self, reason: str) -> None:
        """End the wait for an agent that does nothing any more."""
        self.wait.interrupt(Interruption.HUNG, AgentFailure(reason))

    def _wall(self) -> float:
        # No agent is given up at the first look after a gap in which nobody could see its end.
        return max(self.deadlines.wall - self.runtime.seconds_used, min(self.deadlines.wall, LEAST_AFTER_GAP))

    async def _give_up_agent(self) -> None:
        """Stop an agent that is not waited for any longer, whatever teardown will do: another may take its place."""
        try:
            async with asyncio.timeout(TEARDOWN):
                await self._stop_agent()
        except TimeoutError:
            self.runtime.artifacts.concerns.append(f"the agent could not be stopped within {TEARDOWN:g} s")
        except Exception as error:
            self.runtime.artifacts.concerns.append(f"the agent could not be stopped: {error}")

    async def _stop_agent(self) -> None:
        address = self.runtime.artifacts.agent_address
        if address is not None:
            await call_step(self.runner.executor, address, "teardown", self.runtime.state.signal_dir, False)

    def _event(self, kind: str, message: str, data: dict[str, Any] | None = None) -> None:
        listener = self.runner.on_event
        if listener is not None:
            runtime = self.runtime
            listener(task_event(kind, runtime, without_secrets(runtime, message) if message else "", data))


def _is_signal(signal: object) -> None:
    if not isinstance(signal, TaskCompletionSignal):
        raise Internal(f"the completion checker returned {signal!r:.100}, which is no TaskCompletionSignal")
