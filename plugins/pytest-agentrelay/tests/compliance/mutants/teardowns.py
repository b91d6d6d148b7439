"""The teardown of the fakes, and mutants of it that differ by one behaviour each."""

# ruff: noqa: D101  # a mutant's name, and the check that catches it, say how it differs

import asyncio
import inspect

from pytest_agentrelay.compliance import TeardownCompliance
from pytest_agentrelay.fakes import FakeTeardown
from reference import block, do_io, judges, leak_descriptor, leak_thread, use_undeclared_program


class WithoutRepository(TeardownCompliance):
    """The fakes work in plain directories."""

    __test__ = False
    repository = None


class Reference(FakeTeardown):
    """Keeps every promise, the stronger ones too."""

    capabilities = ("resumable",)

    def reconcile(self, runtime):
        return "present" if (runtime.state.signal_dir / "torn_down").exists() else "absent"

    async def teardown(self, runtime):
        await super().teardown(runtime)
        if runtime.state.signal_dir is not None:
            (runtime.state.signal_dir / "torn_down").touch()


class WrongArity(FakeTeardown):
    caught_by = "test_signature"

    async def teardown(self, runtime, mode):
        return None


class ReadsAtConstruction(FakeTeardown):
    caught_by = "test_construction_does_no_io"

    def __init__(self):
        do_io()


class Blocks(FakeTeardown):
    caught_by = "test_leaves_the_event_loop_free"

    async def teardown(self, runtime):
        block()
        await super().teardown(runtime)


class StartsUndeclared(FakeTeardown):
    caught_by = "test_needs_are_declared"

    async def teardown(self, runtime):
        await super().teardown(runtime)
        await asyncio.to_thread(use_undeclared_program)


class Leaks(FakeTeardown):
    caught_by = "test_leaves_nothing"

    async def teardown(self, runtime):
        await super().teardown(runtime)
        leak_descriptor()


class LeaksWhenCancelled(FakeTeardown):
    caught_by = "test_cancellation_leaves_nothing"

    async def teardown(self, runtime):
        try:
            await asyncio.sleep(0.03)
        except asyncio.CancelledError:
            leak_thread()
            raise
        await super().teardown(runtime)


class DoesNothing(FakeTeardown):
    caught_by = "test_ends_the_agent"

    async def teardown(self, runtime):
        return None


class SavesTheLogElsewhere(FakeTeardown):
    caught_by = "test_ends_the_agent"

    async def teardown(self, runtime):
        kept, runtime.state.signal_dir = runtime.state.signal_dir, runtime.state.worktree_path
        await super().teardown(runtime)
        runtime.state.signal_dir = kept


class DoesNotAwait(FakeTeardown):
    caught_by = "test_waits_for_an_async_address"

    def teardown(self, runtime):
        if runtime.artifacts.agent_address is not None:
            ended = runtime.artifacts.agent_address.teardown(runtime.state.signal_dir)
            if inspect.iscoroutine(ended):
                ended.close()


class CallsInTheLoop(FakeTeardown):
    caught_by = "test_a_slow_agent_does_not_hold_the_loop"

    async def teardown(self, runtime):
        if runtime.artifacts.agent_address is not None:
            ended = runtime.artifacts.agent_address.teardown(runtime.state.signal_dir)
            if inspect.isawaitable(ended):
                await ended


class TearsDownOnce(FakeTeardown):
    caught_by = "test_tearing_down_twice_is_safe"

    async def teardown(self, runtime):
        await super().teardown(runtime)
        if runtime.state.signal_dir is not None:
            (runtime.state.signal_dir / "instructions.md").unlink()


class NeedsAnAgent(FakeTeardown):
    caught_by = "test_is_safe_when_launch_never_happened"

    async def teardown(self, runtime):
        if runtime.state.signal_dir is None:
            return
        print(runtime.artifacts.agent_address.label)
        await super().teardown(runtime)


class NeedsAWorktree(FakeTeardown):
    caught_by = "test_is_safe_when_nothing_was_prepared"

    async def teardown(self, runtime):
        print(runtime.state.worktree_path.name)
        await super().teardown(runtime)


class EndsAll(FakeTeardown):
    """Ends every agent that it ever heard of."""

    caught_by = "test_two_tasks_do_not_mix"

    async def teardown(self, runtime):
        await super().teardown(runtime)
        for other in self.judge.known:
            if other is not runtime and other.artifacts.agent_address is not None:
                other.artifacts.agent_address.teardown()


class Knowing(WithoutRepository):
    """Tells the mutant which tasks there are."""

    __test__ = False
    known: list = []  # noqa: RUF012  # shared on purpose

    def make_runtime(self, name="one"):
        runtime = super().make_runtime(name)
        self.known.append(runtime)
        return runtime


EndsAll.judge = Knowing


class Forgets(FakeTeardown):
    caught_by = "test_reconciles"
    capabilities = ("resumable",)

    def reconcile(self, runtime):
        return "absent"


MUTANTS = [each for each in list(globals().values()) if isinstance(each, type) and hasattr(each, "caught_by")]
COMPLIANCE = TeardownCompliance
globals().update(judges(WithoutRepository, "task_teardown", Reference, *MUTANTS))
