"""Calling a step: looked up, asked whether its effect is there already, run with a deadline, and left when told to."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

from agentrelay_core.failpoints import ANY_ARMED, failpoint
from agentrelay_core.runtime import Agent, AgentFailure, Internal, Lost, TaskRuntime
from agentrelay_core.runtime.status import ENDED
from agentrelay_core.spec import Deadlines
from agentrelay_core.task_runner.calls import call_step
from agentrelay_core.task_runner.dispatch import StepDispatch
from agentrelay_core.task_runner.effects import DURABLE, EFFECT_OF
from agentrelay_core.task_runner.holding import first_turn, measured
from agentrelay_core.task_runner.watchdog import SHORT, Interruption, Wait

if TYPE_CHECKING:
    from agentrelay_core.task_runner.runner import StandardTaskRunner

# Seconds for a step's answer whether its effect is there already.
RECONCILE = 900.0
# How often, and how long apart in seconds, an "unknown" is looked at again.
LOOKS = 3
LOOK_PAUSE = 1.0

# Steps whose delay is the agent's; that of the others is the machine's or a plugin's.
AGENT_STEPS = frozenset({"launch", "kickoff", "wait_for_completion", "send_turn"})

_DEFAULTS = Deadlines()


class Detached(Exception):  # no error: the end of a run whose agent goes on
    """The run was left; the agent goes on."""


class Work(Awaitable[Any], Protocol):
    """What is awaited, and may be closed before it was begun."""

    def close(self) -> None:
        """Let it be."""


class StepCalls:
    """How one run of one task calls its steps.

    Args:
        runner: What serves every task.
        runtime: The task.
        wait: Its place at the watchdog.
    """

    __slots__ = ("calling", "detached", "runner", "runtime", "wait")

    def __init__(self, runner: "StandardTaskRunner", runtime: TaskRuntime, wait: Wait) -> None:
        self.runner = runner
        self.runtime = runtime
        self.wait = wait
        self.detached = False
        self.calling: tuple[str, object] | None = None  # a method and whose it is, while it is called

    @property
    def deadlines(self) -> Deadlines:
        """The task's deadlines as they are now."""
        return self.runtime.task.deadlines or _DEFAULTS

    async def _step(
        self,
        method: str,
        table: StepDispatch[Any],
        seconds: float | Callable[[], float],
        *args: object,
        keep: Callable[[Any], None] | None = None,
        detachable: bool = False,
    ) -> Any:
        """Look a step up, ask it whether its effect is there already, and run it."""
        runner, runtime = self.runner, self.runtime
        self.calling = method, table
        step = table.__call__(runtime)  # its method, as for the factory that it finds
        way = runner.ways.get((type(step), method)) or runner.way_to_call(step, method)
        effect = way.effect
        if effect is not None:
            if ANY_ARMED:
                failpoint(effect, "begin")
            if way.reconciles:
                present, value = await self._reconcile(step, method)
                if present:
                    if runner.recorder is not None and runtime.resumed:
                        runner.recorder.recovered(runtime, effect)
                    if keep is not None:
                        keep(value)
                    self.calling = None
                    return value
            if way.durable and runner.recorder is not None:
                await runner.recorder.intend(runtime, effect)
            if ANY_ARMED:
                failpoint(effect, "intent")
        if way.may_wait:
            seconds, detachable = self._longest_wait(seconds), True
        if way.is_async:
            work = getattr(step, method)(runtime, *args)
            if self.detached:
                self._leave_if_detached(work)
            ended, result = first_turn(work, step, method)
            if not ended:
                result = await self._timed(measured(work, step, method, result), seconds, method, detachable=detachable)
            elif self.detached:
                self._leave_if_detached()
            if keep is not None:
                keep(result)
        else:
            work = call_step(runner.executor, step, method, runtime, *args, keep=keep)
            result = await self._timed(work, seconds, method, detachable=detachable)
        if ANY_ARMED and effect is not None:
            failpoint(effect, "effect")
        self.calling = None
        return result

    def _longest_wait(self, seconds: float | Callable[[], float]) -> Callable[[], float]:
        """The deadline of a step that waits for others, and bounds that itself, by the task's wall budget."""
        return lambda: (seconds() if callable(seconds) else seconds) + self.deadlines.wall

    async def _is_there(self, method: str, table: StepDispatch[Any], keep: Callable[[Any], None] | None = None) -> bool:
        """Ask a step whether its effect is there; one that cannot tell has none that we could find."""
        step = table(self.runtime)
        if not self.runner.way_to_call(step, method).reconciles:
            return False
        present, value = await self._reconcile(step, method)
        if present and keep is not None and value is not None:
            keep(value)
        return present

    async def _reconcile(self, step: object, method: str) -> tuple[bool, Any]:
        for look in range(LOOKS):
            if look:
                await asyncio.sleep(LOOK_PAUSE)
            answer = await self._call(step, "reconcile", RECONCILE, self.runtime)
            value = None
            if isinstance(answer, tuple):
                answer, value = answer
            elif isinstance(answer, Agent):
                answer, value = "present", answer
            if answer == "absent":
                return False, None
            if answer == "present":
                return True, value
        raise Lost(f"cannot tell whether {method} of {self.runtime.task.id!r} has happened already")

    async def pause(self, seconds: float) -> None:
        """Wait for a time; left at once when the run is left."""
        await self._timed(asyncio.sleep(seconds), seconds + SHORT, "pause", detachable=True)

    async def _call(self, target: object, method: str, seconds: float | Callable[[], float], *args: object) -> Any:
        return await self._timed(call_step(self.runner.executor, target, method, *args), seconds, method)

    async def _effect(self, target: object, method: str, seconds: float, *args: object) -> Any:
        """Call a method that touches the outside world and is no step: it is safe to be repeated."""
        effect = EFFECT_OF[method]
        failpoint(effect, "begin")
        if effect in DURABLE and self.runner.recorder is not None:
            await self.runner.recorder.intend(self.runtime, effect)
        failpoint(effect, "intent")
        self.calling = method, target
        result = await self._call(target, method, seconds, *args)
        self.calling = None
        failpoint(effect, "effect")
        return result

    async def _timed(
        self,
        work: "Work",
        seconds: float | Callable[[], float],
        overdue: str | Callable[[float], Exception],
        *,
        detachable: bool = False,
    ) -> Any:
        """Await `work` with a deadline; leave it at once, if it may be left, when the run is detached.

        A deadline that may be extended meanwhile is given as a function. `overdue` is the step's method, or makes the
        error from the seconds, for a wait that outlasts its deadline.
        """
        wait = self.wait
        self._leave_if_detached(work)
        self.runner.watchdog.begin(wait, seconds)
        wait.detachable = detachable
        try:
            result = await work
        except asyncio.CancelledError:
            why = wait.taken_back()
            if why is Interruption.DETACHED:
                raise Detached from None
            if why is Interruption.OVERDUE:
                raise _overdue(overdue, seconds() if callable(seconds) else seconds) from None
            if why is Interruption.HUNG and wait.error is not None:
                raise wait.error from None
            raise
        finally:
            wait.limit = None
            wait.detachable = False
        self._leave_if_detached()
        return result

    def _leave_if_detached(self, work: "Work | None" = None) -> None:
        if self.detached and self.runtime.state.status not in ENDED:
            if work is not None:
                work.close()
            raise Detached


def _overdue(overdue: str | Callable[[float], Exception], seconds: float) -> Exception:
    if not isinstance(overdue, str):
        return overdue(seconds)
    text = f"{overdue} did not end within {seconds:g} s"
    return AgentFailure(text) if overdue in AGENT_STEPS else Internal(text)
