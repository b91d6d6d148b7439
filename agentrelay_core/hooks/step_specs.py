"""Six of the ten hooks, one for each step of a task's life; see `agentrelay_core.hooks.specs` for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from agentrelay_core.hooks.markers import hookspec

if TYPE_CHECKING:
    from agentrelay_core.hooks.records import Provider
    from agentrelay_core.task_runner import (
        TaskCompletionChecker,
        TaskKickoff,
        TaskLauncher,
        TaskMerger,
        TaskPreparer,
        TaskTeardown,
    )


@hookspec
def agentrelay_task_preparer() -> Iterable[Provider[TaskPreparer]]:
    """Steps that make a task's branch, worktree and protocol files, and set their paths on ``runtime.state``.

    A plugin whose tasks all work in plain directories::

        from agentrelay_core import Provider, hookimpl

        class DirectoryPreparer:
            def __init__(self, root):
                self.root = root

            def prepare(self, runtime):
                state = runtime.state
                state.worktree_path = self.root / runtime.task.id
                state.signal_dir = self.root / f"{runtime.task.id}.signals"
                state.worktree_path.mkdir(parents=True)
                state.signal_dir.mkdir()

        @hookimpl
        def agentrelay_task_preparer():
            yield Provider(factory=lambda context: DirectoryPreparer(context.run.state_dir))
    """
    return ()


@hookspec
def agentrelay_task_launcher() -> Iterable[Provider[TaskLauncher]]:
    """Steps that start a task's agent and return it, idle or already at work.

    A plugin whose agent lives in this process and does its work at kickoff::

        from agentrelay_core import Agent, AgentAddress, Provider, hookimpl

        class Here(AgentAddress):
            label = "here"

            def teardown(self, signal_dir=None, keep_panes=False):
                pass

        class Clerk(Agent):
            address = Here()

            def send_kickoff(self, instructions_path):
                print("reading", instructions_path)

        class ClerkLauncher:
            def launch(self, runtime):
                return Clerk()

        @hookimpl
        def agentrelay_task_launcher():
            yield Provider(framework="clerk", factory=lambda context: ClerkLauncher())
    """
    return ()


@hookspec
def agentrelay_task_kickoff() -> Iterable[Provider[TaskKickoff]]:
    """Steps that give an agent its instructions, and return when it has them.

    A plugin that tells any agent where its instructions are::

        from agentrelay_core import Provider, hookimpl

        class PathKickoff:
            def kickoff(self, runtime, agent):
                agent.send_kickoff(str(runtime.state.signal_dir / "instructions.md"))

        @hookimpl
        def agentrelay_task_kickoff():
            yield Provider(factory=lambda context: PathKickoff())
    """
    return ()


@hookspec
def agentrelay_task_completion_checker() -> Iterable[Provider[TaskCompletionChecker]]:
    """Steps that wait for the end of an agent's work; ``async def``, so that they block no other task.

    A plugin that believes an agent called ``clerk`` to be done at once::

        from agentrelay_core import Provider, TaskCompletionSignal, hookimpl

        class TrustingChecker:
            async def wait_for_completion(self, runtime):
                return TaskCompletionSignal("done")

        @hookimpl
        def agentrelay_task_completion_checker():
            yield Provider(framework="clerk", factory=lambda context: TrustingChecker())
    """
    return ()


@hookspec
def agentrelay_task_merger() -> Iterable[Provider[TaskMerger]]:
    """Steps that bring a task's pull request into its integration branch.

    A plugin that leaves merging to people, who find the list of what to merge in a file::

        from agentrelay_core import Provider, hookimpl

        class ListMerger:
            def __init__(self, path):
                self.path = path

            def merge_pr(self, runtime, pr_url):
                with self.path.open("a") as file:
                    print(runtime.task.id, pr_url, file=file)

        @hookimpl
        def agentrelay_task_merger():
            yield Provider(factory=lambda context: ListMerger(context.run.state_dir / "to-merge.txt"))
    """
    return ()


@hookspec
def agentrelay_task_teardown() -> Iterable[Provider[TaskTeardown]]:
    """Steps that end what is left of a task.

    A plugin that ends the agent through its address and leaves everything else for a look::

        from agentrelay_core import Provider, hookimpl

        class AgentTeardown:
            def teardown(self, runtime):
                address = runtime.artifacts.agent_address
                if address is not None:
                    return address.teardown(runtime.state.signal_dir)

        @hookimpl
        def agentrelay_task_teardown():
            yield Provider(factory=lambda context: AgentTeardown())
    """
    return ()
