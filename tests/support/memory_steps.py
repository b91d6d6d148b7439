"""Six small steps whose behaviour a test sets, and a runner made of them."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agentrelay_core import (
    Agent,
    AgentAddress,
    Evidence,
    StandardTaskRunner,
    StepDispatch,
    Task,
    TaskCompletionSignal,
    TaskRuntime,
)

DONE = TaskCompletionSignal(outcome="done", pr_url="https://forge/pr/1")


class Address(AgentAddress):
    """An address that remembers being torn down."""

    def __init__(self, log: list[str]) -> None:
        self._log = log

    @property
    def label(self) -> str:
        return "memory:1"

    def teardown(self, signal_dir: Path | None = None, keep_panes: bool = False) -> None:
        self._log.append("agent stopped")


class MemoryAgent(Agent):
    """An agent that lives in memory."""

    def __init__(self, log: list[str], takes_turns: bool = False) -> None:
        self._log = log
        self._takes_turns = takes_turns
        self._address = Address(log)

    def send_kickoff(self, instructions_path: str) -> None:
        self._log.append("kicked off")

    def send_turn(self, instructions_path: str) -> bool:
        self._log.append("offered a turn")
        return self._takes_turns

    @property
    def address(self) -> AgentAddress:
        return self._address


class Steps:
    """All six steps in one object; behaviour is replaced by keyword.

    Args:
        replaced: For a step's method, what is called in its place with the runtime (and what else the step gets).
    """

    def __init__(self, takes_turns: bool = False, **replaced: Callable[..., Any]) -> None:
        self.log: list[str] = []
        self.takes_turns = takes_turns
        self.replaced = replaced

    async def _do(self, name: str, default: Any, *args: Any) -> Any:
        self.log.append(name)
        if name in self.replaced:
            result = self.replaced[name](*args)
            return await result if asyncio.iscoroutine(result) or asyncio.isfuture(result) else result
        return default

    async def prepare(self, runtime: TaskRuntime) -> None:
        runtime.state.branch_name = f"agentrelay/g/{runtime.task.id}"
        await self._do("prepare", None, runtime)

    async def launch(self, runtime: TaskRuntime) -> Agent:
        return await self._do("launch", MemoryAgent(self.log, self.takes_turns), runtime)

    async def kickoff(self, runtime: TaskRuntime, agent: Agent) -> None:
        await self._do("kickoff", None, runtime, agent)

    async def wait_for_completion(self, runtime: TaskRuntime) -> TaskCompletionSignal:
        return await self._do("wait_for_completion", DONE, runtime)

    async def merge_pr(self, runtime: TaskRuntime, pr_url: str) -> None:
        await self._do("merge_pr", None, runtime, pr_url)

    async def teardown(self, runtime: TaskRuntime) -> None:
        await self._do("teardown", None, runtime)


class MemoryWorkspace:
    """A workspace whose answers a test sets."""

    def __init__(self, log: list[str], url: str | None = "agentrelay+local:g/1", changed: bool = True) -> None:
        self.log = log
        self.url = url
        self.changed = changed

    def publish(self, runtime: TaskRuntime) -> str | None:
        self.log.append("publish")
        return self.url

    def verify(self, runtime: TaskRuntime, pr_url: str | None) -> Evidence:
        self.log.append(f"verify {pr_url}")
        return Evidence(head="h" * 40, base="b" * 40, changed=self.changed)


def make_runner(steps: Any, **more: Any) -> StandardTaskRunner:
    """A runner whose six tables all give the same object, or those named by keyword."""
    names = ("preparer", "launcher", "kickoff", "completion_checker", "merger", "teardown")
    chosen = {name: more.pop(name, steps) for name in names}
    tables = {name: StepDispatch(default=lambda _, step=step: step) for name, step in chosen.items()}
    return StandardTaskRunner(**tables, **more)


def make_runtime(**fields: Any) -> TaskRuntime:
    """A fresh runtime of a small task."""
    return TaskRuntime(Task(**{"id": "a", "description": "do it", **fields}))
