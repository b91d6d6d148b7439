"""What the checks of all six steps share: how a step is made and called, and what holds for every one of them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

from agentrelay_core.hooks import StepContext
from agentrelay_core.hooks.tables import StepFactory
from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.task_runner.calls import call_step
from agentrelay_core.task_runner.signature import StepSignatureError, check_step
from pytest_agentrelay.compliance.audit import is_own_python, outside_effects, started_programs
from pytest_agentrelay.compliance.base import Compliance
from pytest_agentrelay.compliance.capabilities import needs_capability
from pytest_agentrelay.compliance.faults import fault, name_of, raised
from pytest_agentrelay.compliance.heartbeat import heartbeat
from pytest_agentrelay.compliance.leftovers import left_since, present

# How long a turn of the loop is before a step is cancelled, in seconds.
TURN = 0.002
# How often a step may hold the event loop before it counts: a machine that is busy holds it once in a while.
TRIES = 3


class StepCompliance(Compliance):
    """Base of the classes for steps.

    Attributes:
        step: The step, for example ``task_launcher``.
        method: Its method.
    """

    step: ClassVar[str]
    method: ClassVar[str]
    tidy: ClassVar[str] = (
        "end in the step what only the step needs: wait for its processes, close what it opened, join its threads."
    )

    def make_step(self, context: StepContext) -> Any:
        """Make the step for a task: by the factory that the plugin's tables give for its key.

        Override it for a step that is made by hand.
        """
        return attrs.evolve(self.factory(context.runtime), run=context.run).make(context)

    def factory(self, runtime: TaskRuntime) -> StepFactory:
        """The entry of the step's table that serves a task."""
        agent = runtime.task.primary_agent
        found = self.catalog.table(self.step).resolve(agent.framework, type(agent.environment))
        assert isinstance(found, StepFactory)
        return found

    async def before(self, runtime: TaskRuntime) -> tuple[Any, ...]:
        """Do what other steps have done before this one; gives the arguments that follow the runtime."""
        return ()

    async def perform(self, step: Any, runtime: TaskRuntime, *arguments: Any) -> Any:
        """Call the step as the runner does, and whatever has to happen meanwhile."""
        return await self.call(step, runtime, *arguments)

    async def after(self, runtime: TaskRuntime, result: Any) -> None:
        """End what the step began."""

    def step_for(self, runtime: TaskRuntime) -> Any:
        """Make the step, or skip the check when it cannot even be called: other checks tell of that."""
        try:
            step = self.make_step(self.make_context(runtime))
        except Exception as error:
            pytest.skip(f"the step cannot be made ({raised(error)}); see test_construction_does_no_io")
        try:
            check_step(step, self.method)
        except StepSignatureError:
            pytest.skip("the step cannot be called; see test_signature")
        return step

    async def call(self, step: Any, runtime: TaskRuntime, *arguments: Any) -> Any:
        """Call the step's method; what it raises is a fault, for in these calls everything is in order."""
        try:
            return await call_step(None, step, self.method, runtime, *arguments, keep=self.keep(runtime))
        except Exception as error:
            fault(
                f"{name_of(step, self.method)} {raised(error)}, though everything that it needs is there.",
                "let it succeed on a task that is prepared as the runner prepares it.",
            )

    def keep(self, runtime: TaskRuntime) -> Callable[[Any], None] | None:
        """What the runner does with a result that comes even though the call was cancelled."""
        return None

    async def performed(self, name: str = "one") -> tuple[TaskRuntime, Any]:
        """Perform the step for a fresh task."""
        runtime = self.make_runtime(name)
        step = self.step_for(runtime)
        arguments = await self.before(runtime)
        return runtime, await self.perform(step, runtime, *arguments)

    def test_signature(self) -> None:
        """The step has its method, it takes what the runner gives, and it is async where the runner awaits it."""
        runtime = self.make_runtime()
        try:
            step = self.make_step(self.make_context(runtime))
        except Exception as error:
            pytest.skip(f"the step cannot be made ({raised(error)}); see test_construction_does_no_io")
        try:
            check_step(step, self.method)
        except StepSignatureError as error:
            fault(f"{error}.", "declare the method exactly so; further parameters must have defaults.")

    def test_construction_does_no_io(self) -> None:
        """Making the step opens no file, starts nothing and connects to nothing: that is the step's own work."""
        runtime = self.make_runtime()
        context = self.make_context(runtime)
        try:
            self.make_step(context)  # the first time may import what it needs
            with outside_effects() as found:
                step = self.make_step(context)
        except Exception as error:
            fault(
                f"the factory of {self.step} {raised(error)}.",
                "let the factory only build the step; what may fail belongs into the step's method.",
            )
        if found:
            effects = ", ".join(str(effect) for effect in found[:5])
            fault(
                f"making {name_of(step)} touches the world: {effects}.",
                f"move that into {self.method}; a factory is called for every task, and by `plugins doctor`.",
            )

    def test_leaves_the_event_loop_free(self) -> None:
        """The step never holds the event loop, which serves all tasks, for more than 50 ms."""
        for attempt in range(TRIES):
            heart, step = self.run(lambda attempt=attempt: self._watched(f"try{attempt}"))  # type: ignore[misc]
            if heart.longest <= self.longest_block:
                return
        where = f" at {heart.where}" if heart.where else ""
        fault(
            f"{name_of(step, self.method)} holds the event loop for {heart.longest * 1000:.0f} ms{where}; "
            f"{self.longest_block * 1000:.0f} ms are allowed.",
            "await what waits (`asyncio.sleep`, `asyncio.create_subprocess_exec`), put what blocks into "
            "`asyncio.to_thread`, or declare the method as plain `def`: then it runs in a thread.",
        )

    async def _watched(self, name: str) -> Any:
        runtime = self.make_runtime(name)
        step = self.step_for(runtime)
        arguments = await self.before(runtime)
        async with heartbeat(self.longest_block) as heart:
            result = await self.perform(step, runtime, *arguments)
        await self.after(runtime, result)
        return heart, step

    def test_leaves_nothing(self) -> None:
        """A step that was done, and whose agent was torn down, leaves no process, descriptor or thread."""
        found, step = self._left_by_a_round()
        if found:
            fault(
                f"{name_of(step, self.method)} was done, what it began was ended, and yet it left {', '.join(found)}.",
                self.tidy,
            )

    def _left_by_a_round(self) -> tuple[list[str], Any]:
        self.run(lambda: self._round("warm", None))  # caches that are filled once are not left behind
        before = present(self.place)
        step = self.run(lambda: self._round("one", None))
        return left_since(before, self.place, self.patience), step

    def test_cancellation_leaves_nothing(self) -> None:
        """A step that is cancelled at any moment leaves no process, descriptor or thread that nobody knows."""
        found, _ = self._left_by_a_round()
        if found:
            pytest.skip("the step leaves something when it is not cancelled; see test_leaves_nothing")
        for turns in (1, 3, 30):
            before = present(self.place)
            step = self.run(lambda turns=turns: self._round(f"after{turns}", turns))  # type: ignore[misc]
            found = left_since(before, self.place, self.patience)
            if found:
                fault(
                    f"{name_of(step, self.method)} was cancelled and left {', '.join(found)}.",
                    "end what was begun in `finally:` (a process: kill it and its group, then wait for it), "
                    "or make it known at once on `runtime.artifacts`, so that teardown ends it.",
                )

    async def _round(self, name: str, turns: int | None) -> Any:
        """Perform the step for a fresh task, cancel it after some turns of the loop, and end what it began."""
        runtime = self.make_runtime(name)
        step = self.step_for(runtime)
        arguments = await self.before(runtime)
        performing = asyncio.ensure_future(self.perform(step, runtime, *arguments))
        for _ in range(turns or 0):
            if performing.done():
                break
            await asyncio.sleep(0 if turns == 1 else TURN)
        if turns is not None:
            performing.cancel()
        result = None
        with suppress(asyncio.CancelledError):
            result = await performing
        await self.after(runtime, result)
        return step

    def test_needs_are_declared(self) -> None:
        """Every program that the step starts is in ``needs`` of its provider, framework or environment."""
        with started_programs() as found:
            self.run(self._once)
        runtime = self.make_runtime("declared")
        declared = {Path(name).name for name in self._declared_needs(runtime)}
        missing = sorted({name for name in found if Path(name).name not in declared and not is_own_python(name)})
        if missing:
            programs = ", ".join(Path(name).name for name in missing)
            fault(
                f"{name_of(self.step_for(runtime), self.method)} starts {programs}, which no `needs` names.",
                f"add it: Provider(…, needs=({Path(missing[0]).name!r},)), or `needs` of the framework or environment "
                "that brings it; `agentrelay plugins doctor` tells users from it what to install.",
            )

    async def _once(self) -> None:
        runtime, result = await self.performed()
        await self.after(runtime, result)

    def _declared_needs(self, runtime: TaskRuntime) -> set[str]:
        context = self.make_context(runtime)
        needs = {"sh"}  # every system has it
        with suppress(KeyError):
            needs |= set(self.factory(runtime).offer.record.needs)
        for record in (context.framework, context.environment):
            needs |= set(record.needs) if record is not None else set()
        for value in _words(self.options):  # programs that the user's own options name
            needs |= set(value.split())
        return {*needs, *(Path(name).name for name in needs)}

    @needs_capability("resumable", "the step has a `reconcile` that finds its effect after a crash")
    def test_reconciles(self) -> None:
        """``reconcile`` says absent before the step was done and present afterwards, to a step made anew."""
        self.run(self._reconciled)

    async def _reconciled(self) -> None:
        runtime = self.make_runtime()
        runtime.resumed = True
        step = self.step_for(runtime)
        if not hasattr(step, "reconcile"):
            fault(
                f"{name_of(step)} declares 'resumable' and has no reconcile.",
                'add `def reconcile(self, runtime) -> Literal["absent", "present", "unknown"]`, or do not declare it.',
            )
        arguments = await self.before(runtime)
        answer = _word(await call_step(None, step, "reconcile", runtime))
        if answer != "absent":
            fault(
                f"{name_of(step, 'reconcile')} says {answer!r} before anything was done.",
                "look for the effect of this very attempt, by the run's, the task's and the attempt's names.",
            )
        result = await self.perform(step, runtime, *arguments)
        later = self.resumed(runtime)
        answer = await call_step(None, self.step_for(later), "reconcile", later)
        try:
            self.judge_present(step, answer)
        finally:
            await self.after(runtime, result)

    def resumed(self, runtime: TaskRuntime) -> TaskRuntime:
        """The task as a later session of the run has it: the state alone is known."""
        later = attrs.evolve(runtime, resumed=True)
        later.artifacts = attrs.evolve(runtime.artifacts, agent_address=None)
        return later

    def judge_present(self, step: Any, answer: Any) -> None:
        """Judge what ``reconcile`` says after the step was done."""
        if _word(answer) != "present":
            fault(
                f"{name_of(step, 'reconcile')} says {answer!r} after {self.method} was done by an earlier session.",
                "find the effect by names that a later process knows as well: keep nothing of it in this object alone.",
            )


def _word(answer: Any) -> Any:
    return answer[0] if isinstance(answer, tuple) and answer else answer


def _words(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [word for each in value.values() for word in _words(each)]
    return [word for each in value for word in _words(each)] if isinstance(value, list | tuple) else []


async def awaited(target: object, method: str, *arguments: Any) -> Any:
    """Call a method of an address or a host, which may be ``def`` or ``async def``, as the runner does."""
    return await call_step(None, target, method, *arguments)
