"""A plugin whose six steps do nothing, so that what is left is our own cost."""

import asyncio
from pathlib import Path
from typing import Any

from floor import Shape

from agentrelay_core import (
    Agent,
    AgentAddress,
    Catalog,
    Provider,
    Task,
    TaskCompletionSignal,
    TaskGraph,
    TaskRuntime,
    hookimpl,
)

SIGNAL = TaskCompletionSignal(outcome="done", pr_url="memory://pull/1")


class _Address(AgentAddress):
    label = "memory:1"

    def teardown(self, signal_dir: Path | None = None, keep_panes: bool = False) -> None:
        """There is nothing to end."""


class _Agent(Agent):
    address = _Address()

    def send_kickoff(self, instructions_path: str) -> None:
        """There is nobody to tell."""


AGENT = _Agent()


class AsyncSteps:
    """All six steps as ``async def``."""

    async def prepare(self, runtime: TaskRuntime) -> None: ...

    async def launch(self, runtime: TaskRuntime) -> Agent:
        return AGENT

    async def kickoff(self, runtime: TaskRuntime, agent: Agent) -> None: ...

    async def wait_for_completion(self, runtime: TaskRuntime) -> TaskCompletionSignal:
        return SIGNAL

    async def merge_pr(self, runtime: TaskRuntime, pr_url: str) -> None: ...

    async def teardown(self, runtime: TaskRuntime) -> None: ...


class PlainSteps:
    """The steps as plain ``def``, each of which runs in a thread; waiting must be ``async def``, and is."""

    def prepare(self, runtime: TaskRuntime) -> None: ...

    def launch(self, runtime: TaskRuntime) -> Agent:
        return AGENT

    def kickoff(self, runtime: TaskRuntime, agent: Agent) -> None: ...

    async def wait_for_completion(self, runtime: TaskRuntime) -> TaskCompletionSignal:
        return SIGNAL

    def merge_pr(self, runtime: TaskRuntime, pr_url: str) -> None: ...

    def teardown(self, runtime: TaskRuntime) -> None: ...


class WaitingSteps(AsyncSteps):
    """Tasks whose ids begin with ``wait`` wait until they are released; the others begin when all of those wait.

    Args:
        waiting: Number of tasks that wait.
    """

    def __init__(self, waiting: int) -> None:
        self.missing = waiting
        self.all_wait = asyncio.Event()
        self.release = asyncio.Event()

    async def prepare(self, runtime: TaskRuntime) -> None:
        if not runtime.task.id.startswith("wait"):
            await self.all_wait.wait()

    async def wait_for_completion(self, runtime: TaskRuntime) -> TaskCompletionSignal:
        if runtime.task.id.startswith("wait"):
            self.missing -= 1
            if not self.missing:
                self.all_wait.set()
            # A future of its own for each, as real tasks have.
            await self.release.wait()
        return SIGNAL


class _Plugin:
    def __init__(self, steps: object) -> None:
        self._steps = steps

    def _provide(self) -> list[Provider[Any]]:
        return [Provider(factory=lambda context: self._steps)]

    @hookimpl
    def agentrelay_task_preparer(self) -> list[Provider[Any]]:
        return self._provide()

    @hookimpl
    def agentrelay_task_launcher(self) -> list[Provider[Any]]:
        return self._provide()

    @hookimpl
    def agentrelay_task_kickoff(self) -> list[Provider[Any]]:
        return self._provide()

    @hookimpl
    def agentrelay_task_completion_checker(self) -> list[Provider[Any]]:
        return self._provide()

    @hookimpl
    def agentrelay_task_merger(self) -> list[Provider[Any]]:
        return self._provide()

    @hookimpl
    def agentrelay_task_teardown(self) -> list[Provider[Any]]:
        return self._provide()


def memory_catalog(steps: object) -> Catalog:
    """A catalog whose only plugin provides these steps for every task.

    Args:
        steps: The object that has all six methods.
    """
    catalog = Catalog()
    report = catalog.add(_Plugin(steps))
    if report.status != "active":
        raise RuntimeError(f"the benchmark's plugin is {report.status}: {report.reason}")
    return catalog


def chain_or_wide(count: int, shape: Shape, prefix: str = "t") -> list[Task]:
    """Tasks of which none depends on another, or each on the one before.

    Args:
        count: Number of tasks.
        shape: Which of the two.
        prefix: What ids begin with.
    """
    return [
        Task(
            id=f"{prefix}{number}",
            description="Do it.",
            dependencies=() if shape == "wide" or number == 0 else (f"{prefix}{number - 1}",),
        )
        for number in range(count)
    ]


def graph_of(*tasks: Task) -> TaskGraph:
    """A graph of tasks."""
    return TaskGraph(name="benchmark", tasks=tasks)
