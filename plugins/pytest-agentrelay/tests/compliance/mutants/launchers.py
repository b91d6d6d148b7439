"""The launcher of the fakes, and mutants of it that differ by one behaviour each."""

# ruff: noqa: D101  # a mutant's name, and the check that catches it, say how it differs

import asyncio
from pathlib import Path

from pytest_agentrelay.compliance import LauncherCompliance
from pytest_agentrelay.fakes import FakeAgent, FakeLauncher
from reference import block, do_io, judges, leak, leak_descriptor, leak_thread, use_undeclared_program


class Reference(FakeLauncher):
    """Keeps every promise, the stronger ones too."""

    capabilities = ("resumable", "adoptable", "reports_usage")

    def launch(self, runtime):
        agent = super().launch(runtime)
        agent.address.cpu_seconds = lambda: 0.5
        return agent


class WrongArity(FakeLauncher):
    caught_by = "test_signature"

    def launch(self):
        return None


class ReadsAtConstruction(FakeLauncher):
    caught_by = "test_construction_does_no_io"

    def __init__(self):
        super().__init__()
        do_io()


class FailsAtConstruction(FakeLauncher):
    caught_by = "test_construction_does_no_io"

    def __init__(self):
        raise RuntimeError("no configuration")


class Blocks(FakeLauncher):
    caught_by = "test_leaves_the_event_loop_free"

    async def launch(self, runtime):
        block()
        return super().launch(runtime)


class StartsUndeclared(FakeLauncher):
    caught_by = "test_needs_are_declared"

    def launch(self, runtime):
        use_undeclared_program()
        return super().launch(runtime)


class LeaksProcess(FakeLauncher):
    """Its address ends the agent and leaves what the agent started."""

    caught_by = "test_leaves_nothing"

    def launch(self, runtime):
        agent = super().launch(runtime)
        leak()
        return agent


class LeaksDescriptor(FakeLauncher):
    caught_by = "test_leaves_nothing"

    def launch(self, runtime):
        leak_descriptor()
        return super().launch(runtime)


class LeaksThread(FakeLauncher):
    caught_by = "test_leaves_nothing"

    def launch(self, runtime):
        leak_thread()
        return super().launch(runtime)


class LeaksWhenCancelled(FakeLauncher):
    """The agent lives before anybody knows its address."""

    caught_by = "test_cancellation_leaves_nothing"

    async def launch(self, runtime):
        agent = super().launch(runtime)
        await asyncio.sleep(0.1)
        return agent


class WorksAnywhere(FakeLauncher):
    caught_by = "test_refuses_missing_paths"

    def launch(self, runtime):
        state = runtime.state
        return FakeAgent.start(
            self.script,
            task_id=runtime.task.id,
            worktree=state.worktree_path or Path(),
            signal_dir=state.signal_dir or state.worktree_path,
        )


class NamesNoField(FakeLauncher):
    caught_by = "test_refuses_missing_paths"

    def launch(self, runtime):
        if runtime.state.worktree_path is None or runtime.state.signal_dir is None:
            raise ValueError("not prepared")
        return super().launch(runtime)


class ReturnsLabel(FakeLauncher):
    caught_by = "test_returns_a_live_agent"

    def launch(self, runtime):
        if runtime.state.worktree_path is None or runtime.state.signal_dir is None:
            super().launch(runtime)
        return "in_process:1"


class ReturnsTheDead(FakeLauncher):
    caught_by = "test_returns_a_live_agent"

    def launch(self, runtime):
        agent = super().launch(runtime)
        agent.address.agent.stop()
        return agent


class SharesAnAgent(FakeLauncher):
    caught_by = "test_two_tasks_do_not_mix"
    _agent = None

    def launch(self, runtime):
        agent = super().launch(runtime)
        shared = SharesAnAgent._agent
        if shared is not None and shared.alive:
            agent.address.teardown()
            return shared
        SharesAnAgent._agent = agent
        return agent


class LosesTheLog(FakeLauncher):
    caught_by = "test_teardown_saves_the_log"

    def launch(self, runtime):
        agent = super().launch(runtime)
        teardown = agent.address.teardown

        def without_log(signal_dir=None, keep_panes=False):
            teardown()
            (runtime.state.signal_dir / "agent.log").unlink(missing_ok=True)

        agent.address.teardown = without_log
        return agent


class TearsDownOnce(FakeLauncher):
    caught_by = "test_tearing_down_twice_is_safe"

    def launch(self, runtime):
        agent = super().launch(runtime)
        teardown = agent.address.teardown
        told = []

        def once(signal_dir=None, keep_panes=False):
            if told:
                raise ProcessLookupError("no such agent")
            told.append(signal_dir)
            teardown(signal_dir, keep_panes)

        agent.address.teardown = once
        return agent


class GivesNoPlainData(FakeLauncher):
    caught_by = "test_address_is_plain_data"
    capabilities = ("adoptable",)

    def launch(self, runtime):
        agent = super().launch(runtime)
        agent.address.to_json = lambda: {"place": Path("/tmp")}
        return agent


class CannotBeAdopted(FakeLauncher):
    caught_by = "test_address_finds_the_agent_again"
    capabilities = ("adoptable",)

    def launch(self, runtime):
        agent = super().launch(runtime)
        agent.address.to_json = lambda: None
        return agent


class ForgetsItsAgents(FakeLauncher):
    caught_by = "test_reconciles"
    capabilities = ("resumable",)

    def reconcile(self, runtime):
        return "absent"


class ReconcilesWithoutAgent(FakeLauncher):
    caught_by = "test_reconciles"
    capabilities = ("resumable",)

    def reconcile(self, runtime):
        answer = super().reconcile(runtime)
        return answer if answer == "absent" else "present"


class KnowsNoUsage(FakeLauncher):
    caught_by = "test_usage_is_told"
    capabilities = ("reports_usage",)


MUTANTS = [each for each in list(globals().values()) if isinstance(each, type) and hasattr(each, "caught_by")]
COMPLIANCE = LauncherCompliance
globals().update(judges(LauncherCompliance, "task_launcher", Reference, *MUTANTS))
