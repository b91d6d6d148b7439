"""What every kickoff must do: the agent has its instructions once, whole, and only then does the step return."""

import asyncio
from contextlib import suppress
from typing import Any, ClassVar

import pytest

from agentrelay_core.runtime import Agent, TaskRuntime
from agentrelay_core.task_runner.calls import call_step
from pytest_agentrelay.compliance.agents import AwaitedAgent, NotedAgent
from pytest_agentrelay.compliance.faults import fault, name_of
from pytest_agentrelay.compliance.heartbeat import heartbeat
from pytest_agentrelay.compliance.hostile import hostile_instructions
from pytest_agentrelay.compliance.paths import PathChecks
from pytest_agentrelay.compliance.steps import TRIES


class KickoffCompliance(PathChecks):
    """Checks of a kickoff. The agent is one that only notes what it is told, unless ``make_agent`` gives a real one."""

    step: ClassVar[str] = "task_kickoff"
    method: ClassVar[str] = "kickoff"
    required: ClassVar[tuple[str, ...]] = ("signal_dir",)

    async def make_agent(self, runtime: TaskRuntime) -> Agent:
        """Make the agent that is told; override it together with `delivered` where only a real one will do."""
        return NotedAgent(f"agent of {runtime.task.id}")

    async def delivered(self, runtime: TaskRuntime, agent: Agent) -> list[bytes]:
        """What an agent was given so far, in full, as often as it was given it."""
        assert isinstance(agent, NotedAgent)
        return list(agent.received)

    async def end_agent(self, runtime: TaskRuntime, agent: Agent) -> None:
        """End what `make_agent` made."""
        await call_step(None, agent.address, "teardown", runtime.state.signal_dir)

    async def before(self, runtime: TaskRuntime) -> tuple[Any, ...]:
        """Write instructions that are hard to hand over, and make the agent."""
        assert runtime.state.signal_dir is not None
        (runtime.state.signal_dir / "instructions.md").write_bytes(hostile_instructions())
        agent = await self.make_agent(runtime)
        runtime.artifacts.agent_address = agent.address
        self._made.append((runtime, agent))
        return (agent,)

    async def after(self, runtime: TaskRuntime, result: Any) -> None:
        """End the task's agent."""
        for made in [made for made in self._made if made[0] is runtime]:
            self._made.remove(made)
            await self.end_agent(*made)

    @property
    def _made(self) -> list[tuple[TaskRuntime, Agent]]:
        found: list[tuple[TaskRuntime, Agent]] = self.__dict__.setdefault("_agents", [])
        return found

    def test_delivers_exactly_once(self) -> None:
        """When `kickoff` returns, the agent was given its instructions, and not twice."""
        self.run(self._once_given)

    async def _once_given(self) -> None:
        runtime, agent, step = await self._kicked_off("one")
        given = await self.delivered(runtime, agent)
        await self.after(runtime, None)
        if len(given) != 1:
            fault(
                f"{name_of(step, 'kickoff')} returned, and the agent had its instructions {_times(len(given))}.",
                "call `agent.send_kickoff(str(signal_dir / 'instructions.md'))` once, await it, and return "
                "only when the agent has taken them; never try again without knowing that they did not arrive.",
            )

    def test_delivers_every_byte(self) -> None:
        """64 KiB of instructions with quotes, newlines, semicolons and other scripts arrive byte for byte."""
        self.run(self._bytes)

    async def _bytes(self) -> None:
        runtime, agent, step = await self._kicked_off("one")
        given = await self.delivered(runtime, agent)
        await self.after(runtime, None)
        wanted = hostile_instructions()
        if given and any(each != wanted for each in given):
            wrong = next(each for each in given if each != wanted)
            at = next((n for n, pair in enumerate(zip(wrong, wanted, strict=False)) if pair[0] != pair[1]), len(wrong))
            fault(
                f"{name_of(step, 'kickoff')} changes the instructions: {len(wanted)} bytes were to be given, "
                f"{len(wrong)} arrived, and byte {at} is the first that differs.",
                "hand over the path of instructions.md, or the file's bytes as they are: "
                "do not type, quote, strip or re-encode them.",
            )

    def test_two_agents_do_not_mix(self) -> None:
        """Two agents that are kicked off at once are each told of their own instructions."""
        self.run(self._two)

    async def _two(self) -> None:
        first, second = self.make_runtime("one"), self.make_runtime("two")
        steps = [self.step_for(first), self.step_for(second)]
        agents = [(await self.before(runtime))[0] for runtime in (first, second)]
        for runtime in (first, second):
            assert runtime.state.signal_dir is not None
            (runtime.state.signal_dir / "instructions.md").write_text(f"for {runtime.task.id}\n", encoding="utf-8")
        await asyncio.gather(*map(self.call, steps, (first, second), agents))
        for runtime, agent in zip((first, second), agents, strict=True):
            given = await self.delivered(runtime, agent)
            await self.after(runtime, None)
            if any(f"for {runtime.task.id}\n".encode() != each for each in given):
                fault(
                    f"{name_of(steps[0], 'kickoff')} gave {runtime.task.id!r} the instructions of another task.",
                    "take path and agent from the arguments of each call; keep nothing between calls.",
                )

    def test_waits_for_an_async_agent(self) -> None:
        """An agent whose `send_kickoff` is ``async def`` is awaited, so that it has its instructions too."""
        self.run(self._awaited)

    async def _awaited(self) -> None:
        runtime = self.make_runtime()
        step = self.step_for(runtime)
        agent = await self._variant(runtime, AwaitedAgent("awaited"))
        await self.call(step, runtime, agent)
        if not agent.received and await self._tells_noted_agents():
            fault(
                f"{name_of(step, 'kickoff')} does not await what `send_kickoff` returned, so nothing was sent.",
                "write `sent = agent.send_kickoff(path)` and `if inspect.isawaitable(sent): await sent`.",
            )

    def test_a_slow_agent_does_not_hold_the_loop(self) -> None:
        """An agent whose plain `send_kickoff` takes its time does not hold the event loop."""

        async def told(name: str, slow: bool) -> Any:
            runtime = self.make_runtime(name)
            step = self.step_for(runtime)
            agent = await self._variant(runtime, NotedAgent(name, slow=slow))
            async with heartbeat(self.longest_block) as heart:
                await self.call(step, runtime, agent)
            return heart, step

        for attempt in range(TRIES):
            heart, step = self.run(lambda attempt=attempt: told(f"slow{attempt}", slow=True))  # type: ignore[misc]
            if heart.longest <= self.longest_block:
                return
        if self.run(lambda: told("quick", slow=False))[0].longest > self.longest_block:
            pytest.skip("the step holds the loop by itself; see test_leaves_the_event_loop_free")
        fault(
            f"{name_of(step, 'kickoff')} waits for a slow agent in the event loop, {heart.longest:.2f} s long.",
            "call it by `await asyncio.to_thread(agent.send_kickoff, path)`, or declare kickoff as plain `def`.",
        )

    def test_failure_is_told(self) -> None:
        """When the agent refuses its instructions, `kickoff` raises instead of returning as if all was well."""
        self.run(self._refusing)

    async def _refusing(self) -> None:
        runtime = self.make_runtime()
        step = self.step_for(runtime)
        agent = await self._variant(runtime, NotedAgent("refusing", refuses=True))
        if not await self._tells_noted_agents():
            return
        with suppress(Exception):
            await call_step(None, step, "kickoff", runtime, agent)
            fault(
                f"{name_of(step, 'kickoff')} returned, though `send_kickoff` raised AgentFailure.",
                "let the exception through, or raise an IntegrationError that says why: the task is then tried again.",
            )

    async def _variant(self, runtime: TaskRuntime, agent: NotedAgent) -> NotedAgent:
        if type(self).make_agent is not KickoffCompliance.make_agent:
            pytest.skip("the kickoff knows its own kind of agents alone, which `make_agent` makes")
        assert runtime.state.signal_dir is not None
        (runtime.state.signal_dir / "instructions.md").write_bytes(hostile_instructions())
        runtime.artifacts.agent_address = agent.address
        return agent

    async def _tells_noted_agents(self) -> bool:
        """Whether the kickoff tells an agent at all; that it does not is for `test_delivers_exactly_once` to say."""
        runtime = self.make_runtime("noted")
        agent = await self._variant(runtime, NotedAgent("noted"))
        await call_step(None, self.step_for(runtime), "kickoff", runtime, agent)
        return bool(agent.received)

    async def _kicked_off(self, name: str) -> tuple[TaskRuntime, Agent, Any]:
        runtime = self.make_runtime(name)
        step = self.step_for(runtime)
        (agent,) = await self.before(runtime)
        await self.perform(step, runtime, agent)
        return runtime, agent, step

    def resumed(self, runtime: TaskRuntime) -> TaskRuntime:
        """The agent that was told is known to a later session; the built-in launcher tells of it."""
        later = super().resumed(runtime)
        later.artifacts.agent_address = runtime.artifacts.agent_address
        return later


def _times(count: int) -> str:
    return {0: "not at all", 2: "twice"}.get(count, f"{count} times")
