"""What every teardown must do: end the task's own agent, as often as it is asked, whatever was or was not begun."""

from pathlib import Path
from typing import Any, ClassVar

import pytest

from agentrelay_core.runtime import TaskRuntime
from pytest_agentrelay.compliance.agents import AwaitedAddress, NotedAddress
from pytest_agentrelay.compliance.faults import fault, name_of, raised
from pytest_agentrelay.compliance.heartbeat import heartbeat
from pytest_agentrelay.compliance.repositories import make_repository, prepared
from pytest_agentrelay.compliance.steps import TRIES, StepCompliance, awaited


class TeardownCompliance(StepCompliance):
    """Checks of a teardown, of tasks whose agents only note what is done to them."""

    step: ClassVar[str] = "task_teardown"
    method: ClassVar[str] = "teardown"

    @property
    def repository(self) -> Path | None:
        """A repository with one commit."""
        return make_repository(self.place / "repository")

    def make_runtime(self, name: str = "one") -> TaskRuntime:
        """A task that is prepared by the preparer of the plugins' tables; without one, its workstream is open."""
        return prepared(self.make_task(name), self.make_run(), self.catalog)

    def make_address(self, runtime: TaskRuntime) -> NotedAddress:
        """The address of the agent that is to be ended."""
        return NotedAddress(f"agent of {runtime.task.id}")

    async def before(self, runtime: TaskRuntime) -> tuple[Any, ...]:
        """Give the task an agent."""
        runtime.artifacts.agent_address = self.make_address(runtime)
        return ()

    def test_ends_the_agent(self) -> None:
        """The agent's address is told to tear down, and where its log belongs."""
        runtime, _ = self.run(self.performed)
        address = runtime.artifacts.agent_address
        assert isinstance(address, NotedAddress)
        if not address.torn_down:
            fault(
                f"{name_of(self.step_for(runtime), 'teardown')} returned, and nobody had told the agent to end.",
                "call `runtime.artifacts.agent_address.teardown(runtime.state.signal_dir, keep_panes)`.",
            )
        if address.torn_down[0] != runtime.state.signal_dir:
            fault(
                f"{name_of(self.step_for(runtime), 'teardown')} tells the agent to save its log in "
                f"{address.torn_down[0]}, not in the attempt's directory.",
                "give `runtime.state.signal_dir` as the first argument.",
            )

    def test_waits_for_an_async_address(self) -> None:
        """An address whose `teardown` is ``async def`` is awaited, so that its agent ends too."""
        self.run(self._awaited)

    async def _awaited(self) -> None:
        runtime = self.make_runtime()
        step = self.step_for(runtime)
        address = runtime.artifacts.agent_address = AwaitedAddress("awaited")
        await self.call(step, runtime)
        if not address.torn_down and await self._tells_agents():
            fault(
                f"{name_of(step, 'teardown')} does not await what `address.teardown` returned, so the agent lives on.",
                "write `ended = address.teardown(…)` and `if inspect.isawaitable(ended): await ended`.",
            )

    def test_a_slow_agent_does_not_hold_the_loop(self) -> None:
        """An address whose plain `teardown` takes its time does not hold the event loop."""

        async def ended(name: str, slow: bool) -> Any:
            runtime = self.make_runtime(name)
            step = self.step_for(runtime)
            runtime.artifacts.agent_address = NotedAddress(name, slow=slow)
            async with heartbeat(self.longest_block) as heart:
                await self.call(step, runtime)
            return heart, step

        for attempt in range(TRIES):
            heart, step = self.run(lambda attempt=attempt: ended(f"slow{attempt}", slow=True))  # type: ignore[misc]
            if heart.longest <= self.longest_block:
                return
        if self.run(lambda: ended("quick", slow=False))[0].longest > self.longest_block:
            pytest.skip("the step holds the loop by itself; see test_leaves_the_event_loop_free")
        fault(
            f"{name_of(step, 'teardown')} waits for a slow agent in the event loop, {heart.longest:.2f} s long.",
            "call it by `await asyncio.to_thread(address.teardown, …)`, or declare teardown as plain `def`.",
        )

    def test_tearing_down_twice_is_safe(self) -> None:
        """Called again for the same task, `teardown` raises nothing."""
        self.run(self._twice)

    async def _twice(self) -> None:
        runtime, _ = await self.performed()
        step = self.step_for(runtime)
        try:
            await awaited(step, "teardown", runtime)
        except Exception as error:
            fault(
                f"{name_of(step, 'teardown')} {raised(error)} when it was called a second time.",
                "treat what is gone already as done (`missing_ok=True`, `if branch exists`): a crash between teardown "
                "and its record makes us call it again.",
            )

    def test_is_safe_when_launch_never_happened(self) -> None:
        """A task that was prepared but has no agent, because launch failed, is torn down without an exception."""
        self.run(self._without_agent)

    async def _without_agent(self) -> None:
        runtime = self.make_runtime()
        step = self.step_for(runtime)
        runtime.artifacts.agent_address = None
        try:
            await awaited(step, "teardown", runtime)
        except Exception as error:
            fault(
                f"{name_of(step, 'teardown')} {raised(error)} for a task whose agent was never launched.",
                "ask `if runtime.artifacts.agent_address is not None` first: teardown runs whatever happened before.",
            )

    def test_is_safe_when_nothing_was_prepared(self) -> None:
        """A task without paths and branch, because prepare failed, is torn down without an exception."""
        self.run(self._unprepared)

    async def _unprepared(self) -> None:
        runtime = self.make_runtime()
        step = self.step_for(runtime)
        runtime.state.worktree_path = runtime.state.branch_name = runtime.state.signal_dir = None
        try:
            await awaited(step, "teardown", runtime)
        except Exception as error:
            fault(
                f"{name_of(step, 'teardown')} {raised(error)} for a task that was never prepared.",
                "pass over what `runtime.state` does not name: teardown runs whatever happened before.",
            )

    def test_two_tasks_do_not_mix(self) -> None:
        """Tearing down one task leaves the agent of another alone."""
        self.run(self._two)

    async def _two(self) -> None:
        first, second = self.make_runtime("one"), self.make_runtime("two")
        steps = [self.step_for(first), self.step_for(second)]
        for runtime in (first, second):
            await self.before(runtime)
        await self.call(steps[0], first)
        address = second.artifacts.agent_address
        assert isinstance(address, NotedAddress)
        early = bool(address.torn_down)
        if early:
            fault(
                f"{name_of(steps[0], 'teardown')} ended {address.label} while it tore down another task.",
                "end what the given runtime names and nothing else; keep nothing between calls.",
            )

    async def _tells_agents(self) -> bool:
        """Whether agents are ended at all; that they are not is for `test_ends_the_agent` to say."""
        runtime = self.make_runtime("told")
        await self.before(runtime)
        await self.call(self.step_for(runtime), runtime)
        address = runtime.artifacts.agent_address
        return isinstance(address, NotedAddress) and bool(address.torn_down)
