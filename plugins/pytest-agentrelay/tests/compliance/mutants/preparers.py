"""The preparer of the fakes, and mutants of it that differ by one behaviour each."""

# ruff: noqa: D101  # a mutant's name, and the check that catches it, say how it differs

import asyncio

from pytest_agentrelay.compliance import PreparerCompliance
from pytest_agentrelay.fakes import FakePreparer
from reference import block, do_io, judges, leak_descriptor, leak_thread, use_undeclared_program


class WithoutRepository(PreparerCompliance):
    """The fakes work in plain directories."""

    __test__ = False
    repository = None


class Reference(FakePreparer):
    """Keeps every promise, the stronger ones too."""

    capabilities = ("resumable",)


class WrongArity(FakePreparer):
    caught_by = "test_signature"

    def prepare(self, runtime, state):
        super().prepare(runtime)


class ReadsAtConstruction(FakePreparer):
    caught_by = "test_construction_does_no_io"

    def __init__(self, repository):
        super().__init__(repository)
        do_io()


class Blocks(FakePreparer):
    caught_by = "test_leaves_the_event_loop_free"

    async def prepare(self, runtime):
        if runtime.state.integration_branch is not None:
            block()
        super().prepare(runtime)


class StartsUndeclared(FakePreparer):
    caught_by = "test_needs_are_declared"

    def prepare(self, runtime):
        super().prepare(runtime)
        use_undeclared_program()


class Leaks(FakePreparer):
    caught_by = "test_leaves_nothing"

    def prepare(self, runtime):
        super().prepare(runtime)
        leak_descriptor()


class LeaksWhenCancelled(FakePreparer):
    caught_by = "test_cancellation_leaves_nothing"

    async def prepare(self, runtime):
        super().prepare(runtime)
        try:
            await asyncio.sleep(0.03)
        except asyncio.CancelledError:
            leak_thread()
            raise


class NamesNoField(FakePreparer):
    caught_by = "test_refuses_missing_paths"

    def prepare(self, runtime):
        if runtime.state.integration_branch is None:
            raise AttributeError("'NoneType' object has no attribute 'name'")
        super().prepare(runtime)


class NamesNoBranch(FakePreparer):
    caught_by = "test_sets_the_state"

    def prepare(self, runtime):
        super().prepare(runtime)
        runtime.state.branch_name = None


class SetsTexts(FakePreparer):
    caught_by = "test_sets_the_state"

    def prepare(self, runtime):
        super().prepare(runtime)
        runtime.state.worktree_path = PathText(runtime.state.worktree_path)


class PathText(str):
    """A text that knows a little of what a path knows."""

    def is_dir(self):
        return False


class WritesNoContext(FakePreparer):
    caught_by = "test_writes_the_protocol_files"

    def prepare(self, runtime):
        super().prepare(runtime)
        (runtime.state.signal_dir / "context.md").unlink(missing_ok=True)


class TellsNothing(FakePreparer):
    caught_by = "test_instructions_tell_the_task"

    def prepare(self, runtime):
        super().prepare(runtime)
        (runtime.state.signal_dir / "instructions.md").write_text("Do what is to be done.\n")


class SharesADirectory(FakePreparer):
    """All first attempts signal in one directory."""

    caught_by = "test_two_tasks_do_not_mix"

    def prepare(self, runtime):
        super().prepare(runtime)
        shared = runtime.state.signal_dir.parents[1] / f"shared-{runtime.state.attempt_num}"
        if not shared.exists():
            runtime.state.signal_dir.rename(shared)
        runtime.state.signal_dir = shared


class SharesAnAttempt(FakePreparer):
    """All attempts of a task signal in one directory."""

    caught_by = "test_each_attempt_starts_afresh"

    def prepare(self, runtime):
        number, runtime.state.attempt_num = runtime.state.attempt_num, 0
        resumed, runtime.resumed = runtime.resumed, True
        super().prepare(runtime)
        runtime.state.attempt_num, runtime.resumed = number, resumed


class PreparesOnce(FakePreparer):
    caught_by = "test_preparing_again_is_safe"

    def prepare(self, runtime):
        if runtime.resumed:
            raise FileExistsError("there is a worktree already")
        super().prepare(runtime)


class ClearsTheWorktree(FakePreparer):
    caught_by = "test_preparing_again_is_safe"

    def prepare(self, runtime):
        super().prepare(runtime)
        for path in runtime.state.worktree_path.iterdir():
            path.unlink()


class Forgets(FakePreparer):
    caught_by = "test_reconciles"
    capabilities = ("resumable",)

    def prepare(self, runtime):
        FakePreparer(self.repository).prepare(runtime)

    def reconcile(self, runtime):
        return "unknown"


MUTANTS = [each for each in list(globals().values()) if isinstance(each, type) and hasattr(each, "caught_by")]
COMPLIANCE = PreparerCompliance
globals().update(judges(WithoutRepository, "task_preparer", Reference, *MUTANTS))
