"""What every completion checker must do: tell by evidence how the agent's work ended, and hold nobody up meanwhile."""

import asyncio

import pytest

from agentrelay_core.runtime import TaskRuntime
from pytest_agentrelay.compliance.agents import UnknowingHost
from pytest_agentrelay.compliance.capabilities import needs_capability
from pytest_agentrelay.compliance.faults import fault, name_of
from pytest_agentrelay.compliance.signalling import SignallingChecks
from pytest_agentrelay.compliance.steps import awaited
from pytest_agentrelay.compliance.waiting import REASON, STAMP, URL


class CompletionCheckerCompliance(SignallingChecks):
    """Checks of a completion checker.

    A real agent is launched by the launcher that the plugins' tables give, so that there is one to watch; it must stay
    alive until it is ended (``options``, ``stand_ins``). The check itself then writes the agent's signals.
    """

    def test_a_dead_agent_is_noticed(self) -> None:
        """An agent that ends without a signal makes the outcome failed: nobody waits for ever."""
        self.run(self._dead)

    async def _dead(self) -> None:
        async with self._waiting() as (runtime, step, waiting):
            await self.kill_agent(runtime)
            await asyncio.wait((waiting,), timeout=self.deadline / 2)
            if not waiting.done():
                fault(
                    f"{name_of(step, self.method)} goes on waiting for an agent that is dead.",
                    "wait for the agent's end as well (the host's `wait`), look once more for a signal, and return "
                    "TaskCompletionSignal('failed', error=…, ended='died').",
                )
            signal = await self._result(runtime, step, waiting)
            if signal.outcome != "failed":
                fault(
                    f"{name_of(step, self.method)} calls the work of an agent done that died without a word.",
                    "return the outcome 'failed': nothing is done without evidence.",
                )

    def test_unknown_is_not_dead(self) -> None:
        """While the host cannot tell whether the agent lives, the wait goes on; a signal still ends it."""
        self.run(self._unknown)

    async def _unknown(self) -> None:
        blind = UnknowingHost()
        async with self._waiting(blind=blind) as (runtime, step, waiting):
            await asyncio.wait((waiting,), timeout=self.watched)
            if waiting.done():
                fault(
                    f"{name_of(step, self.method)} ended, though its host only said that nothing is known.",
                    "treat `unknown` (and None from `wait`) as: look again later; only `ended` is an end.",
                )
            blind.lost = False
            self.say(runtime, ".done", f"{STAMP}\n{URL}\n")
            await self._result(runtime, step, waiting)

    def test_two_tasks_do_not_mix(self) -> None:
        """The signal of one task ends the wait for that task alone."""
        self.run(self._two)

    async def _two(self) -> None:
        async with self._waiting("one") as (first, step, one), self._waiting("two") as (second, _, other):
            self.say(first, ".failed", f"{STAMP}\n{REASON}\n")
            await self._leave(first, one)
            await asyncio.wait((one,), timeout=self.deadline / 2)
            await asyncio.wait((other,), timeout=self.watched)
            if not one.done() or other.done():
                fault(
                    f"{name_of(step, self.method)}: the signal of one task "
                    f"{'ended the wait for another' if other.done() else 'did not end its wait while another waits'}.",
                    "take signal_dir and address from the runtime of each call; keep nothing between calls.",
                )
            self.say(second, ".done", f"{STAMP}\n{URL}\n")
            await self._result(second, step, other)

    def test_cancelled_wait_leaves_the_agent(self) -> None:
        """A wait that is cancelled does not end the agent: another process may go on with it."""
        self.run(self._left)

    async def _left(self) -> None:
        async with self._waiting() as (runtime, step, waiting):
            address = runtime.artifacts.agent_address
            record = self.make_context(runtime).environment
            if address is None or record is None:
                pytest.skip("there is no agent that a host could tell about")
            await asyncio.wait((waiting,), timeout=self.watched / 3)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            host = record.host(runtime.task.primary_agent.environment)
            if await awaited(host, "is_alive", address) == "ended":
                fault(
                    f"{name_of(step, self.method)} was cancelled, and with it the agent {address.label} ended.",
                    "when cancelled, stop watching and leave the agent alone: ending it is for teardown.",
                )

    @needs_capability("waits_for_approval", "the checker goes on waiting while the agent asks for permission")
    def test_asking_is_no_end(self) -> None:
        """An agent that asks for approval keeps the wait going; `ask_for_approval` makes it ask."""
        self.run(self._asked)

    async def ask_for_approval(self, runtime: TaskRuntime) -> None:
        """Make the agent ask a person; the default writes the file ``waiting_input``."""
        self.say(runtime, "waiting_input", "May I go on?\n")

    async def _asked(self) -> None:
        async with self._waiting() as (runtime, step, waiting):
            await self.ask_for_approval(runtime)
            await asyncio.wait((waiting,), timeout=self.watched)
            if waiting.done():
                fault(
                    f"{name_of(step, self.method)} ended when the agent asked for approval.",
                    "tell of it as an event and go on waiting, or do not declare 'waits_for_approval'.",
                )
            self.say(runtime, ".done", f"{STAMP}\n{URL}\n")
            await self._result(runtime, step, waiting)
