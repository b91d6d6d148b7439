"""The completion checker of the fakes, and mutants of it that differ by one behaviour each."""

# ruff: noqa: D101  # a mutant's name, and the check that catches it, say how it differs

import asyncio
from concurrent.futures import Future

import attrs
from pytest_agentrelay.compliance import CompletionCheckerCompliance
from pytest_agentrelay.fakes import FakeCompletionChecker
from reference import block, do_io, judges, leak_descriptor, leak_thread, use_undeclared_program

from agentrelay_core.runtime import ProtocolViolation
from agentrelay_core.task_runner import TaskCompletionSignal


class Reference(FakeCompletionChecker):
    """Keeps every promise, the stronger ones too."""

    capabilities = ("resumable", "waits_for_approval")

    def reconcile(self, runtime):
        done = runtime.state.signal_dir / ".done"
        return "present" if done.exists() else "absent"


class WrongArity(FakeCompletionChecker):
    caught_by = "test_signature"

    async def wait_for_completion(self):
        return TaskCompletionSignal("done")


class Sync(FakeCompletionChecker):
    caught_by = "test_signature"

    def wait_for_completion(self, runtime):
        return asyncio.run(super().wait_for_completion(runtime))


class ReadsAtConstruction(FakeCompletionChecker):
    caught_by = "test_construction_does_no_io"

    def __init__(self):
        super().__init__()
        do_io()


class Blocks(FakeCompletionChecker):
    caught_by = "test_leaves_the_event_loop_free"

    async def wait_for_completion(self, runtime):
        if runtime.state.signal_dir is not None:
            block()
        return await super().wait_for_completion(runtime)


class StartsUndeclared(FakeCompletionChecker):
    caught_by = "test_needs_are_declared"

    async def wait_for_completion(self, runtime):
        if runtime.state.signal_dir is not None:
            await asyncio.to_thread(use_undeclared_program)
        return await super().wait_for_completion(runtime)


class Leaks(FakeCompletionChecker):
    caught_by = "test_leaves_nothing"

    async def wait_for_completion(self, runtime):
        signal = await super().wait_for_completion(runtime)
        leak_descriptor()
        return signal


class LeaksWhenCancelled(FakeCompletionChecker):
    caught_by = "test_cancellation_leaves_nothing"

    async def wait_for_completion(self, runtime):
        try:
            return await super().wait_for_completion(runtime)
        except asyncio.CancelledError:
            leak_thread()
            raise


class WaitsAnywhere(FakeCompletionChecker):
    caught_by = "test_refuses_missing_paths"

    async def wait_for_completion(self, runtime):
        if runtime.state.signal_dir is None:
            return TaskCompletionSignal("failed", error="nothing to wait for")
        return await super().wait_for_completion(runtime)


class DropsTheUrl(FakeCompletionChecker):
    caught_by = "test_done_is_told"

    async def wait_for_completion(self, runtime):
        return attrs.evolve(await super().wait_for_completion(runtime), pr_url=None)


class CallsFailedDone(FakeCompletionChecker):
    caught_by = "test_failed_is_told"

    async def wait_for_completion(self, runtime):
        signal = await super().wait_for_completion(runtime)
        told = signal.outcome == "failed" and signal.ended == "failed"
        return TaskCompletionSignal("done") if told else signal


class DropsTheReason(FakeCompletionChecker):
    caught_by = "test_failed_is_told"

    async def wait_for_completion(self, runtime):
        return attrs.evolve(await super().wait_for_completion(runtime), error=None)


class DropsConcerns(FakeCompletionChecker):
    caught_by = "test_concerns_are_told"

    async def wait_for_completion(self, runtime):
        return attrs.evolve(await super().wait_for_completion(runtime), concerns=())


class TakesHalf(FakeCompletionChecker):
    """Takes a signal as soon as its first line is there."""

    caught_by = "test_half_written_is_not_taken"

    async def wait_for_completion(self, runtime):
        waiting = asyncio.ensure_future(super().wait_for_completion(runtime))
        try:
            while not waiting.done():
                await asyncio.wait((waiting,), timeout=0.01)
                done = runtime.state.signal_dir and runtime.state.signal_dir / ".done"
                failed = runtime.state.signal_dir and runtime.state.signal_dir / ".failed"
                if done and done.is_file() and not done.is_symlink() and done.stat().st_size and not failed.exists():
                    lines = done.read_text().splitlines()
                    if len(lines) == 1:
                        return TaskCompletionSignal("done")
            return waiting.result()
        finally:
            waiting.cancel()


class Guesses(FakeCompletionChecker):
    """Makes an outcome of what breaks the protocol."""

    caught_by = "test_malformed_is_a_violation"

    async def wait_for_completion(self, runtime):
        try:
            return await super().wait_for_completion(runtime)
        except ProtocolViolation as error:
            return TaskCompletionSignal("failed", error=str(error))


class TakesTheStale(FakeCompletionChecker):
    caught_by = "test_stale_is_not_taken"

    async def wait_for_completion(self, runtime):
        runtime.artifacts.signal_nonce = None
        return await super().wait_for_completion(runtime)


class WaitsForTheDead(FakeCompletionChecker):
    caught_by = "test_a_dead_agent_is_noticed"

    async def wait_for_completion(self, runtime):
        if runtime.state.signal_dir is None:
            return await super().wait_for_completion(runtime)
        alone = attrs.evolve(runtime, artifacts=attrs.evolve(runtime.artifacts, agent_address=None))
        return await super().wait_for_completion(alone)


class CallsTheDeadDone(FakeCompletionChecker):
    caught_by = "test_a_dead_agent_is_noticed"

    async def wait_for_completion(self, runtime):
        signal = await super().wait_for_completion(runtime)
        return TaskCompletionSignal("done") if signal.ended == "died" else signal


class TakesUnknownForDead(FakeCompletionChecker):
    """Believes a host that says None, without asking whether the agent has ended."""

    caught_by = "test_unknown_is_not_dead"
    host = None

    async def wait_for_completion(self, runtime):
        if self.host is not None and await self.host.is_alive(runtime.artifacts.agent_address) != "alive":
            return TaskCompletionSignal("failed", error="gone")
        return await super().wait_for_completion(runtime)


class Mixes(FakeCompletionChecker):
    """Ends every wait with the first signal that anybody gets."""

    caught_by = "test_two_tasks_do_not_mix"
    _first = None

    async def wait_for_completion(self, runtime):
        if Mixes._first is None or Mixes._first.done():
            Mixes._first = Future()
        first = Mixes._first
        waiting = asyncio.ensure_future(super().wait_for_completion(runtime))
        other = asyncio.wrap_future(first)
        try:
            await asyncio.wait((waiting, other), return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                return other.result()
            signal = waiting.result()
            if not first.done():
                first.set_result(signal)
            return signal
        finally:
            waiting.cancel()
            if not first.done():
                first.cancel()


class EndsTheAgent(FakeCompletionChecker):
    """Takes the agent along when it is cancelled."""

    caught_by = "test_cancelled_wait_leaves_the_agent"

    async def wait_for_completion(self, runtime):
        try:
            return await super().wait_for_completion(runtime)
        except asyncio.CancelledError:
            runtime.artifacts.agent_address.agent.stop()
            raise


class EndsWhenAsked(FakeCompletionChecker):
    caught_by = "test_asking_is_no_end"
    capabilities = ("waits_for_approval",)

    async def wait_for_completion(self, runtime):
        waiting = asyncio.ensure_future(super().wait_for_completion(runtime))
        try:
            while not waiting.done():
                await asyncio.wait((waiting,), timeout=0.01)
                if runtime.state.signal_dir and (runtime.state.signal_dir / "waiting_input").exists():
                    return TaskCompletionSignal("failed", error="asks")
            return waiting.result()
        finally:
            waiting.cancel()


class Forgets(FakeCompletionChecker):
    caught_by = "test_reconciles"
    capabilities = ("resumable",)

    def reconcile(self, runtime):
        return "absent"


class BlindedJudge(CompletionCheckerCompliance):
    """Gives the host of the task's environment to a checker that asks one."""

    __test__ = False

    def make_step(self, context):
        step = super().make_step(context)
        if isinstance(step, TakesUnknownForDead) and context.environment is not None:
            host = context.environment.host(context.runtime.task.primary_agent.environment)
            object.__setattr__(step, "host", host)
        return step


TakesUnknownForDead.judge = BlindedJudge

MUTANTS = [each for each in list(globals().values()) if isinstance(each, type) and hasattr(each, "caught_by")]
COMPLIANCE = CompletionCheckerCompliance
globals().update(
    judges(CompletionCheckerCompliance, "task_completion_checker", Reference, *MUTANTS, deadline=6.0, watched=0.12)
)
