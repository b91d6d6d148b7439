"""What the checks of a host share: it is made as the plugin says, and what is started by it is ended."""

import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pytest

from agentrelay_core.hooks import EnvironmentType, StepContext
from agentrelay_core.runtime import AgentAddress
from pytest_agentrelay.compliance.audit import is_own_python, outside_effects, started_programs
from pytest_agentrelay.compliance.base import Compliance
from pytest_agentrelay.compliance.faults import fault, name_of, raised
from pytest_agentrelay.compliance.heartbeat import heartbeat
from pytest_agentrelay.compliance.hosts import Bench
from pytest_agentrelay.compliance.steps import TRIES

METHODS: Final = {
    "start": "start(self, command, context) -> AgentAddress",
    "wait": "wait(self, address) -> int | None",
    "is_alive": 'is_alive(self, address) -> Literal["alive", "ended", "unknown"]',
    "output": "output(self, address) -> bytes",
    "stop": "stop(self, address) -> None",
    "adopt": "adopt(self, data) -> AgentAddress | None",
}
IDLE: Final = ("sh", "-c", "echo ready; sleep 600")


class HostChecks(Compliance):
    """What holds for a host as a whole."""

    @cached_property
    def record(self) -> EnvironmentType:
        """The environment as the plugin declares it."""
        runtime = self.make_runtime("declared")
        record = self.make_context(runtime).environment
        if record is None:
            fault(
                f"no plugin declares {type(self.agent_environment).__name__}.",
                "yield an EnvironmentType from agentrelay_environments, and name it in `environment`.",
            )
        return record

    def make_host(self) -> Any:
        """Make the host, as the plugin's record says."""
        return self.record.host(self.agent_environment)

    def cut_off(self, address: AgentAddress) -> None:
        """Make the place where an agent lives unreachable; for the capability ``remote``."""
        fault(
            f"{type(self).__name__} declares 'remote' and does not say how the connection is lost.",
            "override cut_off(self, address), for example by naming a port on which nobody listens.",
        )

    @asynccontextmanager
    async def _bench(self) -> AsyncIterator[Bench]:
        host = self.make_host()
        missing = [name for name in METHODS if not _callable(host, name)]
        if missing:
            pytest.skip(f"the host cannot be called ({', '.join(missing)}); see test_has_every_method")
        bench = Bench(host)
        try:
            yield bench
        finally:
            await bench.close()

    def _context(self, name: str = "one") -> StepContext:
        return self.make_context(self.make_runtime(name))

    async def _start(self, bench: Bench, context: StepContext, *argv: str, **more: Any) -> AgentAddress:
        try:
            address = await bench.start(context, *argv, **more)
        except Exception as error:
            fault(
                f"{name_of(bench.host, 'start')} {raised(error)} for the program {argv[0]}, which is there.",
                "start command.argv as it is, in runtime.state.worktree_path.",
            )
        if not isinstance(address, AgentAddress):
            fault(
                f"{name_of(bench.host, 'start')} returned {address!r}.",
                "return a subclass of agentrelay_core.AgentAddress.",
            )
        return address

    async def _idle(self, bench: Bench, name: str = "one", *argv: str) -> AgentAddress:
        """Start an agent that stays, or skip the check where it is said to have ended at once."""
        address = await self._start(bench, self._context(name), *(argv or IDLE))
        if await bench.ask("is_alive", address) == "ended":
            pytest.skip("the agent is said to have ended at once; see test_alive_while_it_runs")
        return address

    def test_has_every_method(self) -> None:
        """The host has start, wait, is_alive, output, stop and adopt, with the arguments that they are called with."""
        host = self.make_host()
        for name, due in METHODS.items():
            if not _callable(host, name):
                fault(
                    f"{name_of(host)} cannot be called as {name}.", f"give it `def {due}`, or the same as `async def`."
                )

    def test_construction_does_no_io(self) -> None:
        """Making the host opens no file, starts nothing and connects to nothing."""
        self.make_host()  # the first time may import what it needs
        with outside_effects() as found:
            host = self.make_host()
        if found:
            fault(
                f"making {name_of(host)} touches the world: {', '.join(map(str, found[:5]))}.",
                "move that into `start`: hosts are made for every call, also by `agentrelay plugins doctor`.",
            )

    def test_leaves_the_event_loop_free(self) -> None:
        """Nothing that the host does holds the event loop for more than 50 ms."""

        async def work(name: str) -> Any:
            async with self._bench() as bench:
                context = self._context(name)
                async with heartbeat(self.longest_block) as heart:
                    address = await self._start(bench, context, "sh", "-c", "echo said")
                    await bench.ended(address)
                    for method in ("is_alive", "output", "stop"):
                        await bench.ask(method, address)
                return heart, bench.host

        for attempt in range(TRIES):
            heart, host = self.run(lambda attempt=attempt: work(f"try{attempt}"))  # type: ignore[misc]
            if heart.longest <= self.longest_block:
                return
        where = f" at {heart.where}" if heart.where else ""
        fault(
            f"{name_of(host)} holds the event loop for {heart.longest * 1000:.0f} ms{where}.",
            "await what waits, put what blocks into `asyncio.to_thread`, or declare the method as plain `def`.",
        )

    def test_needs_are_declared(self) -> None:
        """Every program that the host starts, but for the agent's own, is in ``needs`` of the environment."""

        async def work() -> None:
            async with self._bench() as bench:
                address = await self._start(bench, self._context(), "cat")
                await bench.ended(address)
                await bench.ask("stop", address)

        self.make_host()
        with started_programs() as found:
            self.run(work)
        declared = {"sh", "cat", *(Path(name).name for name in self.record.needs)}
        missing = sorted({Path(name).name for name in found if not is_own_python(name)} - declared)
        if missing:
            fault(
                f"{name_of(self.make_host())} starts {', '.join(missing)}, which `needs` does not name.",
                f"declare EnvironmentType(…, needs=({missing[0]!r},)): `agentrelay plugins doctor` tells users from it "
                "what to install.",
            )


def _callable(host: Any, name: str) -> bool:
    method = getattr(host, name, None)
    if not callable(method):
        return False
    try:
        inspect.signature(method).bind(*(None for _ in range(2 if name == "start" else 1)))
    except TypeError:
        return False
    except ValueError:
        return True  # a compiled method has no signature to look at
    return True
