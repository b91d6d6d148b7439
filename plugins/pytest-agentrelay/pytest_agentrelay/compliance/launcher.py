"""What every launcher must do: start the task's own agent, make it known, and leave nothing when it is torn down."""

import inspect
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

import pytest

from agentrelay_core.runtime import Agent, AgentAddress, TaskRuntime
from pytest_agentrelay.compliance.capabilities import needs_capability
from pytest_agentrelay.compliance.faults import fault, name_of, raised
from pytest_agentrelay.compliance.paths import PathChecks
from pytest_agentrelay.compliance.steps import awaited


class LauncherCompliance(PathChecks):
    """Checks of a launcher, or of a framework and an environment that the core's own launcher composes.

    The agent that is launched must stay alive until it is ended; say so in ``options`` or by ``stand_ins``.
    """

    step: ClassVar[str] = "task_launcher"
    method: ClassVar[str] = "launch"
    tidy: ClassVar[str] = (
        "end the agent's whole process group, wait for its end, and close the descriptors and threads opened for it "
        "in `AgentAddress.teardown`."
    )
    required: ClassVar[tuple[str, ...]] = ("worktree_path", "signal_dir")

    async def after(self, runtime: TaskRuntime, result: Any) -> None:
        """End the agent, by what the launcher returned or made known."""
        address = result.address if isinstance(result, Agent) else runtime.artifacts.agent_address
        with suppress(Exception):  # what teardown raises is for test_teardown_saves_the_log to say
            await awaited(address, "teardown", runtime.state.signal_dir)

    def keep(self, runtime: TaskRuntime) -> Callable[[Any], None] | None:
        """An agent that comes too late is made known all the same, so that teardown ends it."""

        def note(agent: Any) -> None:
            if isinstance(agent, Agent):
                runtime.artifacts.agent_address = agent.address

        return note

    async def is_alive(self, runtime: TaskRuntime, address: AgentAddress) -> str:
        """Whether an agent lives, ``alive``, ``ended`` or ``unknown``; the default asks the environment's host."""
        record = self.make_context(runtime).environment
        if record is None:
            pytest.skip("nobody knows whether the agent lives: no plugin declares the environment; override is_alive")
        host = record.host(runtime.task.primary_agent.environment)
        return str(await awaited(host, "is_alive", address))

    async def launched(self, name: str = "one") -> tuple[TaskRuntime, Agent]:
        """Launch an agent for a fresh task, or skip the check where none comes of it."""
        runtime, agent = await self.performed(name)
        if not isinstance(agent, Agent) or not isinstance(agent.address, AgentAddress):
            pytest.skip("launch returns no agent; see test_returns_a_live_agent")
        if self._can_be_asked(runtime) and await self.is_alive(runtime, agent.address) == "ended":
            pytest.skip("the agent has ended already; see test_returns_a_live_agent")
        runtime.artifacts.agent_address = agent.address
        return runtime, agent

    def test_returns_a_live_agent(self) -> None:
        """`launch` returns an Agent whose address has a label for people, and which is alive."""
        self.run(self._returned)

    async def _returned(self) -> None:
        runtime, agent = await self.performed()
        try:
            step = self.step_for(runtime)
            address = getattr(agent, "address", None)
            if not isinstance(agent, Agent) or not isinstance(address, AgentAddress):
                fault(
                    f"{name_of(step, 'launch')} returned {agent!r}, which is no Agent with an AgentAddress.",
                    "return a subclass of agentrelay_core.Agent whose `address` is an agentrelay_core.AgentAddress.",
                )
            if not isinstance(address.label, str) or not address.label.isprintable() or not address.label:
                fault(
                    f"the label of {name_of(address)} is {address.label!r}.",
                    "let `label` be a short printable text that tells people where the agent is, as 'process:4711'.",
                )
            if self._can_be_asked(runtime) and await self.is_alive(runtime, address) == "ended":
                fault(
                    f"{name_of(step, 'launch')} returned, and its agent ({address.label}) had ended already.",
                    "return only once the agent is there, and give the check one that stays: "
                    "see `options` and `stand_ins`.",
                )
        finally:
            await self.after(runtime, agent)

    def _can_be_asked(self, runtime: TaskRuntime) -> bool:
        overridden = type(self).is_alive is not LauncherCompliance.is_alive
        return overridden or self.make_context(runtime).environment is not None

    def test_two_tasks_do_not_mix(self) -> None:
        """Two tasks that are launched at once have two agents; ending the one leaves the other alive."""
        self.run(self._two)

    async def _two(self) -> None:
        first, one = await self.launched("one")
        second, other = await self.launched("two")
        step = self.step_for(first)
        try:
            if one.address is other.address or one.address.label == other.address.label:
                fault(
                    f"{name_of(step, 'launch')} gave two tasks one agent ({one.address.label}).",
                    "keep nothing of a task outside of its runtime: no class attributes, module globals or caches.",
                )
            if not self._can_be_asked(second):
                return
            await self.after(first, one)
            if await self.is_alive(second, other.address) == "ended":
                fault(
                    f"tearing down {one.address.label} ended {other.address.label}, the agent of another task.",
                    "end only what this address stands for: its own process group, its own window.",
                )
        finally:
            await self.after(first, one)
            await self.after(second, other)

    async def _torn_down(self, address: AgentAddress, runtime: TaskRuntime) -> None:
        try:
            await awaited(address, "teardown", runtime.state.signal_dir)
        except Exception as error:
            fault(
                f"{name_of(address, 'teardown')} {raised(error)} for an agent that was alive.",
                "let it end the agent; an agent that has ended meanwhile is no error.",
            )

    def test_teardown_saves_the_log(self) -> None:
        """`address.teardown(signal_dir)` leaves what the agent printed as ``agent.log`` in that directory."""
        self.run(self._logged)

    async def _logged(self) -> None:
        runtime, agent = await self.launched()
        await self._torn_down(agent.address, runtime)
        signal_dir = runtime.state.signal_dir
        assert signal_dir is not None
        if not (signal_dir / "agent.log").is_file():
            fault(
                f"{name_of(agent.address, 'teardown')} left no agent.log in {signal_dir}.",
                "write what the agent printed to signal_dir / 'agent.log', even if it is empty: "
                "`agentrelay logs` shows it.",
            )

    def test_tearing_down_twice_is_safe(self) -> None:
        """`address.teardown` of an agent that was torn down already does nothing and raises nothing."""
        self.run(self._twice)

    async def _twice(self) -> None:
        runtime, agent = await self.launched()
        await self._torn_down(agent.address, runtime)
        try:
            await awaited(agent.address, "teardown", runtime.state.signal_dir)
        except Exception as error:
            fault(
                f"{name_of(agent.address, 'teardown')} {raised(error)} when it was called a second time.",
                "treat what is gone already as done: a crash between teardown and its record makes us call it again.",
            )

    def test_address_is_plain_data(self) -> None:
        """`address.to_json()` is `None`, or data that JSON gives back unchanged: the journal keeps it."""
        self.run(self._plain)

    async def _plain(self) -> None:
        runtime, agent = await self.launched()
        try:
            data = agent.address.to_json()
            if not _is_plain(data):
                fault(
                    f"{name_of(agent.address, 'to_json')} gives {data!r}, which does not survive JSON.",
                    "return dicts, lists, texts and numbers alone (str(path), no tuples), or None if it cannot be "
                    "adopted.",
                )
        finally:
            await self.after(runtime, agent)

    @needs_capability("adoptable", "an agent is found again from its address's `to_json` by a new process")
    def test_address_finds_the_agent_again(self) -> None:
        """From `to_json`, by way of JSON, a host that is made anew finds the very agent, alive."""
        self.run(self._adopted)

    async def _adopted(self) -> None:
        runtime, agent = await self.launched()
        record = self.make_context(runtime).environment
        if record is None:
            pytest.skip("no plugin declares the environment, so that there is no host that could adopt")
        try:
            if not _is_plain(agent.address.to_json()):
                pytest.skip("the address is no plain data; see test_address_is_plain_data")
            data = json.loads(json.dumps(agent.address.to_json()))
            host = record.host(runtime.task.primary_agent.environment)
            found = None if data is None else await awaited(host, "adopt", data)
            if not isinstance(found, AgentAddress):
                fault(
                    f"{name_of(host, 'adopt')} does not find {agent.address.label} again from {data!r}.",
                    "put into `to_json` all that a new process needs to find the agent, and look it up in `adopt`; "
                    "or do not declare 'adoptable'.",
                )
            if found.label != agent.address.label or await awaited(host, "is_alive", found) != "alive":
                fault(
                    f"{name_of(host, 'adopt')} made {found.label} of {agent.address.label}, or says that it has ended.",
                    "identify an agent by what is never used again: boot, process id and start time, not a name alone.",
                )
        finally:
            await self.after(runtime, agent)

    @needs_capability("reports_usage", "`address.cpu_seconds` tells how much the agent has used")
    def test_usage_is_told(self) -> None:
        """`address.cpu_seconds()` of a live agent is a number of seconds."""
        self.run(self._usage)

    async def _usage(self) -> None:
        runtime, agent = await self.launched()
        try:
            used = await awaited(agent.address, "cpu_seconds")
            if not isinstance(used, int | float) or isinstance(used, bool) or used < 0:
                fault(
                    f"{name_of(agent.address, 'cpu_seconds')} says {used!r} of a live agent.",
                    "return the CPU seconds of the agent and all that it started, or do not declare 'reports_usage'.",
                )
        finally:
            await self.after(runtime, agent)

    def judge_present(self, step: Any, answer: Any) -> None:
        """A launcher's answer brings the live agent along."""
        if not (isinstance(answer, tuple) and len(answer) == 2 and answer[0] == "present"):
            super().judge_present(step, answer if answer != "present" else "present, without the agent")
        elif not isinstance(answer[1], Agent) or inspect.isawaitable(answer[1]):
            fault(
                f"{name_of(step, 'reconcile')} says present and gives {answer[1]!r} instead of the live agent.",
                'return ("present", agent).',
            )


def _is_plain(data: Any) -> bool:
    """Whether JSON gives data back unchanged."""
    with suppress(TypeError, ValueError):
        return bool(json.loads(json.dumps(data)) == data)
    return False
