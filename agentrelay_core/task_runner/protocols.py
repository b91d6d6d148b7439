"""The six steps of a task's life, and the one method that the orchestrator knows.

Any step method may be ``def`` or ``async def``: a plain one runs in a thread, and whatever it returns is awaited if it
is awaitable. A step may also have ``reconcile(runtime)``, asked before the step itself, which returns ``"absent"``,
``"present"`` or ``"unknown"``; a launcher's returns ``("present", agent)`` for an agent that lives.
"""

from collections.abc import Awaitable
from typing import Protocol, runtime_checkable

from agentrelay_core.runtime import Agent, TaskRuntime
from agentrelay_core.spec import TearDownMode
from agentrelay_core.task_runner.completion import TaskCompletionSignal
from agentrelay_core.task_runner.result import TaskRunResult


@runtime_checkable
class TaskPreparer(Protocol):
    """Makes the task's branch, worktree and protocol files, and sets their paths on ``runtime.state``."""

    def prepare(self, runtime: TaskRuntime) -> None | Awaitable[None]:
        """Prepare the task's place of work."""


@runtime_checkable
class TaskLauncher(Protocol):
    """Starts the task's agent."""

    def launch(self, runtime: TaskRuntime) -> Agent | Awaitable[Agent]:
        """Return a live agent, idle or already at work."""


@runtime_checkable
class TaskKickoff(Protocol):
    """Gives the agent its instructions."""

    def kickoff(self, runtime: TaskRuntime, agent: Agent) -> None | Awaitable[None]:
        """Return when the agent has its instructions."""


@runtime_checkable
class TaskCompletionChecker(Protocol):
    """Waits for the end of the agent's work."""

    async def wait_for_completion(self, runtime: TaskRuntime) -> TaskCompletionSignal:
        """Return at a terminal signal."""


@runtime_checkable
class TaskMerger(Protocol):
    """Merges the task's pull request."""

    def merge_pr(self, runtime: TaskRuntime, pr_url: str) -> None | Awaitable[None]:
        """Return when the task's pull request is in the integration branch."""


@runtime_checkable
class TaskTeardown(Protocol):
    """Ends what is left of the task."""

    def teardown(self, runtime: TaskRuntime) -> None | Awaitable[None]:
        """Return when nothing of the task is left running."""


@runtime_checkable
class TaskRunner(Protocol):
    """Takes one task through its life. Other lifecycles are other classes with this one method."""

    async def run(self, runtime: TaskRuntime, *, teardown_mode: TearDownMode = TearDownMode.ALWAYS) -> TaskRunResult:
        """Run the task to its end."""
