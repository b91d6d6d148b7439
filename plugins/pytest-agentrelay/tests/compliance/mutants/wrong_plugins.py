"""The wrong plugins that authors write first: each is a whole plugin with one step of its own."""

# ruff: noqa: D101  # the compliance class of each says what is wrong with it

import time
from datetime import UTC, datetime

from mergers import InMemory
from pytest_agentrelay.compliance import (
    CompletionCheckerCompliance,
    KickoffCompliance,
    LauncherCompliance,
)
from pytest_agentrelay.fakes import FakeCompletionChecker, FakeKickoff, FakeLauncher, FakeMerger, FakeTeardown
from reference import judges, leak
from teardowns import WithoutRepository

from agentrelay_core.task_runner import TaskCompletionSignal


class WrongArity(FakeLauncher):
    judge = LauncherCompliance

    def launch(self):
        return None


class SyncChecker(FakeCompletionChecker):
    judge = CompletionCheckerCompliance

    def wait_for_completion(self, runtime):
        time.sleep(0.01)
        return TaskCompletionSignal("done")


class BlockingKickoff(FakeKickoff):
    judge = KickoffCompliance

    async def kickoff(self, runtime, agent):
        time.sleep(0.2)  # noqa: ASYNC251  # that is what is wrong with it
        await super().kickoff(runtime, agent)


class LeakingLauncher(FakeLauncher):
    judge = LauncherCompliance

    def launch(self, runtime):
        agent = super().launch(runtime)
        leak()
        return agent


class LyingMerger(FakeMerger):
    judge = InMemory

    def merge_pr(self, runtime, pr_url):
        (runtime.state.signal_dir / ".merged").write_text(f"{datetime.now(UTC).isoformat()}\n")


class OnceOnlyTeardown(FakeTeardown):
    judge = WithoutRepository

    async def teardown(self, runtime):
        await super().teardown(runtime)
        (runtime.state.worktree_path / "lock").touch(exist_ok=False)


for name in [name for name in list(globals()) if name.startswith("Test") or name in ("InMemory", "WithoutRepository")]:
    globals().pop(name)
STEPS = {
    "task_launcher": (WrongArity, LeakingLauncher),
    "task_completion_checker": (SyncChecker,),
    "task_kickoff": (BlockingKickoff,),
    "task_merger": (LyingMerger,),
    "task_teardown": (OnceOnlyTeardown,),
}
for step, classes in STEPS.items():
    globals().update(judges(object, step, *classes))
