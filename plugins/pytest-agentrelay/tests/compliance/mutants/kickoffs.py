"""The kickoff of the fakes, and mutants of it that differ by one behaviour each."""

# ruff: noqa: D101  # a mutant's name, and the check that catches it, say how it differs

import asyncio
import inspect
from contextlib import suppress

from pytest_agentrelay.compliance import KickoffCompliance
from pytest_agentrelay.fakes import FakeAgent, FakeKickoff
from reference import block, do_io, judges, leak_descriptor, leak_thread, use_undeclared_program

from agentrelay_core.task_runner.calls import call_step


class KickoffOfFakeAgents(KickoffCompliance):
    """Real agents of the fakes are told, so that it can be found again what they were told."""

    __test__ = False

    async def make_agent(self, runtime):
        return FakeAgent.start(
            ["hang"],
            task_id=runtime.task.id,
            worktree=runtime.state.worktree_path,
            signal_dir=runtime.state.signal_dir,
        )

    async def delivered(self, runtime, agent):
        return list(agent.received)


class Reference(FakeKickoff):
    """Keeps every promise."""


class ResumableReference(FakeKickoff):
    """Finds again which agents were told."""

    judge = KickoffOfFakeAgents
    capabilities = ("resumable",)


class WrongArity(FakeKickoff):
    caught_by = "test_signature"

    async def kickoff(self, runtime):
        return None


class ReadsAtConstruction(FakeKickoff):
    caught_by = "test_construction_does_no_io"

    def __init__(self):
        do_io()


class Blocks(FakeKickoff):
    caught_by = "test_leaves_the_event_loop_free"

    async def kickoff(self, runtime, agent):
        block()
        await super().kickoff(runtime, agent)


class StartsUndeclared(FakeKickoff):
    caught_by = "test_needs_are_declared"

    async def kickoff(self, runtime, agent):
        await asyncio.to_thread(use_undeclared_program)
        await super().kickoff(runtime, agent)


class Leaks(FakeKickoff):
    caught_by = "test_leaves_nothing"

    async def kickoff(self, runtime, agent):
        await super().kickoff(runtime, agent)
        leak_descriptor()


class LeaksWhenCancelled(FakeKickoff):
    caught_by = "test_cancellation_leaves_nothing"

    async def kickoff(self, runtime, agent):
        try:
            await asyncio.sleep(0.03)
        except asyncio.CancelledError:
            leak_thread()
            raise
        await super().kickoff(runtime, agent)


class NamesNoField(FakeKickoff):
    caught_by = "test_refuses_missing_paths"

    async def kickoff(self, runtime, agent):
        if runtime.state.signal_dir is None:
            raise TypeError("unsupported operand")
        await super().kickoff(runtime, agent)


class Never(FakeKickoff):
    caught_by = "test_delivers_exactly_once"

    async def kickoff(self, runtime, agent):
        if runtime.state.signal_dir is None:
            await super().kickoff(runtime, agent)


class Twice(FakeKickoff):
    caught_by = "test_delivers_exactly_once"

    async def kickoff(self, runtime, agent):
        await super().kickoff(runtime, agent)
        await super().kickoff(runtime, agent)


class TranslatesNewlines(FakeKickoff):
    caught_by = "test_delivers_every_byte"

    async def kickoff(self, runtime, agent):
        if runtime.state.signal_dir is not None:
            path = runtime.state.signal_dir / "instructions.md"
            path.write_text(path.read_text())
        await super().kickoff(runtime, agent)


class CutsOff(FakeKickoff):
    caught_by = "test_delivers_every_byte"

    async def kickoff(self, runtime, agent):
        if runtime.state.signal_dir is not None:
            path = runtime.state.signal_dir / "instructions.md"
            path.write_bytes(path.read_bytes()[:4096])
        await super().kickoff(runtime, agent)


class Mixes(FakeKickoff):
    """Uses the path of whoever came last."""

    caught_by = "test_two_agents_do_not_mix"
    _runtime = None

    async def kickoff(self, runtime, agent):
        Mixes._runtime = runtime
        await asyncio.sleep(0.01)
        await super().kickoff(Mixes._runtime, agent)


class DoesNotAwait(FakeKickoff):
    caught_by = "test_waits_for_an_async_agent"

    def kickoff(self, runtime, agent):
        if runtime.state.signal_dir is None:
            return super().kickoff(runtime, agent)
        sent = agent.send_kickoff(str(runtime.state.signal_dir / "instructions.md"))
        if inspect.iscoroutine(sent):
            sent.close()
        return None


class CallsInTheLoop(FakeKickoff):
    caught_by = "test_a_slow_agent_does_not_hold_the_loop"

    async def kickoff(self, runtime, agent):
        if runtime.state.signal_dir is None:
            return await super().kickoff(runtime, agent)
        sent = agent.send_kickoff(str(runtime.state.signal_dir / "instructions.md"))
        return await sent if inspect.isawaitable(sent) else None


class Swallows(FakeKickoff):
    caught_by = "test_failure_is_told"

    async def kickoff(self, runtime, agent):
        if runtime.state.signal_dir is None:
            await super().kickoff(runtime, agent)
        with suppress(Exception):
            await call_step(None, agent, "send_kickoff", str(runtime.state.signal_dir / "instructions.md"))


class ForgetsWhomItTold(FakeKickoff):
    caught_by = "test_reconciles"
    judge = KickoffOfFakeAgents
    capabilities = ("resumable",)

    def reconcile(self, runtime):
        return "absent"


class BelievesThatItTold(FakeKickoff):
    caught_by = "test_reconciles"
    judge = KickoffOfFakeAgents
    capabilities = ("resumable",)

    def reconcile(self, runtime):
        return "present"


MUTANTS = [each for each in list(globals().values()) if isinstance(each, type) and hasattr(each, "caught_by")]
COMPLIANCE = KickoffCompliance
globals().update(judges(KickoffCompliance, "task_kickoff", Reference, ResumableReference, *MUTANTS))
