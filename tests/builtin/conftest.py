"""A prepared task of the framework ``command`` in the environment ``process``, and the steps that serve it."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from agentrelay_core.builtin import (
    agentrelay_environments,
    agentrelay_frameworks,
    agentrelay_task_completion_checker,
    agentrelay_task_kickoff,
    agentrelay_task_launcher,
)
from agentrelay_core.builtin.environment import ProcessEnvironment
from agentrelay_core.builtin.options import CommandOptions
from agentrelay_core.hooks import RunInfo, StepContext
from agentrelay_core.processes import find_marked
from agentrelay_core.processes.ending import send_signal
from agentrelay_core.runtime import Agent, TaskRuntime
from agentrelay_core.spec import AgentConfig, Task
from agentrelay_core.task_runner import TaskCompletionSignal


@attrs.frozen
class Prepared:
    """A task with its directories, and its life between launch and the end of the wait."""

    context: StepContext

    @property
    def runtime(self) -> TaskRuntime:
        return self.context.runtime

    @property
    def signal_dir(self) -> Path:
        assert self.runtime.state.signal_dir is not None
        return self.runtime.state.signal_dir

    @property
    def log(self) -> str:
        return (self.signal_dir / "agent.log").read_text()

    @property
    def fifo(self) -> "Fifo":
        return Fifo(self.signal_dir / "fifo")

    def evolve(self, **changes: Any) -> "Prepared":
        return Prepared(attrs.evolve(self.context, **changes))

    def checker(self, **timing: float) -> Any:
        (provider,) = agentrelay_task_completion_checker()
        return attrs.evolve(provider.factory(self.context), **timing)

    async def launch(self) -> Agent:
        (launcher,) = agentrelay_task_launcher()
        (kickoff,) = agentrelay_task_kickoff()
        agent = await launcher.factory(self.context).launch(self.runtime)
        await kickoff.factory(self.context).kickoff(self.runtime, agent)
        return agent

    async def run(self, **timing: float) -> TaskCompletionSignal:
        agent = await self.launch()
        signal = await self.checker(**timing).wait_for_completion(self.runtime)
        await agent.address.teardown(self.signal_dir)
        return signal

    def left(self) -> list[int]:
        return [identity.pid for identity in find_marked("AGENTRELAY_SIGNAL_DIR", str(self.signal_dir))]


@attrs.frozen
class Fifo:
    """By it an agent and a test wait for each other."""

    path: Path

    async def read(self) -> str:
        return (await asyncio.to_thread(self.path.read_text)).strip()

    async def write(self, text: str = "") -> None:
        await asyncio.to_thread(self.path.write_text, text)


@pytest.fixture
def prepared(tmp_path: Path) -> Iterator[Callable[..., Prepared]]:
    """Makes a prepared task from a command and fields of its agent; no process of it may be left afterwards."""

    def prepare(command: str | tuple[str, ...], **agent: Any) -> Prepared:
        config = AgentConfig(**{"environment": ProcessEnvironment(), **agent})
        runtime = TaskRuntime(Task(id="build", primary_agent=config), run_id="run-1", graph_name="graph")
        runtime.state.worktree_path = tmp_path / "tree"
        runtime.state.signal_dir = tmp_path / "signals"
        for directory in (runtime.state.worktree_path, runtime.state.signal_dir):
            directory.mkdir()
        (runtime.state.signal_dir / "instructions.md").write_text("Build it.\n")
        os.mkfifo(runtime.state.signal_dir / "fifo")
        (framework,) = agentrelay_frameworks()
        (environment,) = agentrelay_environments()
        run = RunInfo(run_id="run-1", graph_name="graph", repository=None, state_dir=tmp_path)
        return Prepared(
            StepContext(
                runtime=runtime,
                run=run,
                options=CommandOptions(command=command),
                framework=framework,
                environment=environment,
            )
        )

    yield prepare
    left = find_marked("AGENTRELAY_SIGNAL_DIR", str(tmp_path / "signals"))
    for identity in left:
        send_signal(identity, signal.SIGKILL)
    assert left == []
