"""What the checks of a completion checker share: a real agent, its signals, and a wait that always ends."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, ClassVar, Final

import attrs
import pytest

from agentrelay_core.hooks import EnvironmentHost, StepContext
from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.task_runner import TaskCompletionSignal
from pytest_agentrelay.compliance.agents import UnknowingHost
from pytest_agentrelay.compliance.faults import fault, name_of, raised
from pytest_agentrelay.compliance.paths import PathChecks
from pytest_agentrelay.compliance.steps import awaited

URL: Final = "https://example.org/pull/7"
REASON: Final = "the tests do not pass"
STAMP: Final = "2026-01-01T00:00:00+00:00"


class WaitingChecks(PathChecks):
    """How an agent is launched, signals and ends while its end is waited for.

    Attributes:
        watched: How long a checker that should go on waiting is watched, in seconds.
    """

    step: ClassVar[str] = "task_completion_checker"
    method: ClassVar[str] = "wait_for_completion"
    required: ClassVar[tuple[str, ...]] = ("signal_dir",)
    watched: ClassVar[float] = 0.3

    async def start_agent(self, runtime: TaskRuntime) -> None:
        """Launch the agent that is waited for, and put its address on the runtime; do nothing if there is none."""
        try:
            table = self.catalog.table("task_launcher")
            agent = runtime.task.primary_agent
            factory: Any = table.resolve(agent.framework, type(agent.environment))
        except KeyError:
            return
        launcher = attrs.evolve(factory, run=self.make_run())(runtime)
        launched = await awaited(launcher, "launch", runtime)
        runtime.artifacts.agent_address = launched.address

    async def kill_agent(self, runtime: TaskRuntime) -> None:
        """End the agent as if it had crashed, without a word in its signal directory."""
        address = runtime.artifacts.agent_address
        record = self.make_context(runtime).environment
        if address is None or record is None:
            pytest.skip("there is no agent whose end could be noticed; override start_agent and kill_agent")
        await awaited(record.host(runtime.task.primary_agent.environment), "stop", address)

    async def before(self, runtime: TaskRuntime) -> tuple[Any, ...]:
        """Start the agent."""
        await self.start_agent(runtime)
        return ()

    async def perform(self, step: Any, runtime: TaskRuntime, *arguments: Any) -> Any:
        """Wait, while the agent signals that it is done."""
        waiting = asyncio.ensure_future(self.call(step, runtime, *arguments))
        try:
            await asyncio.wait((waiting,), timeout=self.watched / 3)
            self.say(runtime, ".done", f"{STAMP}\n{URL}\n")
            await self._leave(runtime, waiting)
            return await waiting
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    async def after(self, runtime: TaskRuntime, result: Any) -> None:
        """End the agent."""
        address = runtime.artifacts.agent_address
        if address is not None:
            await awaited(address, "teardown", runtime.state.signal_dir)

    def say(self, runtime: TaskRuntime, name: str, content: str | bytes) -> None:
        """Write a signal as an agent does, by rename."""
        assert runtime.state.signal_dir is not None
        part = runtime.state.signal_dir / f"{name}.part"
        part.write_bytes(content if isinstance(content, bytes) else content.encode())
        part.rename(runtime.state.signal_dir / name)

    def _ends(
        self,
        act: Callable[[TaskRuntime], None],
        right: Callable[[TaskCompletionSignal], bool],
        met: str,
        due: str,
    ) -> None:
        async def work() -> None:
            async with self._waiting() as (runtime, step, waiting):
                act(runtime)
                signal = await self._result(runtime, step, waiting)
                if not right(signal):
                    fault(f"{name_of(step, self.method)} met {met} and returned {signal}.", f"return {due}.")

        self.run(work)

    async def _leave(self, runtime: TaskRuntime, waiting: "asyncio.Future[Any]") -> None:
        """Let the agent end once it has signalled, as agents do: a checker may give it time to."""
        await asyncio.wait((waiting,), timeout=self.watched / 2)
        address = runtime.artifacts.agent_address
        record = self.make_context(runtime).environment
        if not waiting.done() and address is not None and record is not None:
            await awaited(record.host(runtime.task.primary_agent.environment), "stop", address)

    async def _result(self, runtime: TaskRuntime, step: Any, waiting: "asyncio.Future[Any]") -> TaskCompletionSignal:
        await self._leave(runtime, waiting)
        await asyncio.wait((waiting,), timeout=self.deadline / 2)
        if not waiting.done():
            fault(
                f"{name_of(step, self.method)} does not return, though a whole signal is there.",
                "look at the signal directory when it changes (agentrelay_core.signals.wait_for_signal), or every 2 s.",
            )
        try:
            signal = waiting.result()
        except Exception as error:
            fault(
                f"{name_of(step, self.method)} {raised(error)} at a good signal.",
                "return a TaskCompletionSignal for every signal that keeps to the file protocol.",
            )
        if not isinstance(signal, TaskCompletionSignal):
            fault(
                f"{name_of(step, self.method)} returned {signal!r}.",
                "return an agentrelay_core.TaskCompletionSignal.",
            )
        return signal

    @contextlib.asynccontextmanager
    async def _waiting(self, name: str = "one", *, blind: UnknowingHost | None = None) -> Any:
        """A launched task whose end is waited for; whatever comes, the agent is ended afterwards."""
        runtime = self.make_runtime(name)
        step = self.step_for(runtime)
        await self.before(runtime)
        if blind is not None:
            step = self.make_step(_blinded(self.make_context(runtime), blind))
        waiting = asyncio.ensure_future(step.wait_for_completion(runtime))
        try:
            yield runtime, step, waiting
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            await self.after(runtime, None)


def _blinded(context: StepContext, blind: UnknowingHost) -> StepContext:
    """The context with a host that knows nothing for a while."""
    record = context.environment
    if record is None:
        return context

    def host(environment: Any) -> EnvironmentHost:
        blind.real = record.host(environment)
        return blind

    return attrs.evolve(context, environment=attrs.evolve(record, host=host))
