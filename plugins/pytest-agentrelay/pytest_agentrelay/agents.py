"""Fake agents for a test, each in a prepared task of its own, and all ended after it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agentrelay_core import TaskRuntime
from pytest_agentrelay.fakes.agent import FakeAgent
from pytest_agentrelay.fakes.options import DRY_RUN
from pytest_agentrelay.fakes.required import required
from pytest_agentrelay.fakes.script import Act
from pytest_agentrelay.runtimes import make_runtime


class AgentMaker:
    """Starts fake agents.

    Args:
        root: The directory that their tasks' directories are made in.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._agents: list[FakeAgent] = []

    def __call__(self, *script: str | Mapping[str, Any] | Act, runtime: TaskRuntime | None = None) -> FakeAgent:
        """Start an agent, idle until it is kicked off.

        Args:
            script: What it does in each turn, act by act; by default it writes a file and is done.
            runtime: Its task, prepared; by default one of its own. The agent's address is put on it.

        Raises:
            ValueError: The script is none, or a path of the task is not set.
        """
        runtime = runtime or make_runtime(self._root, id=f"task-{len(self._agents) + 1}")
        agent = FakeAgent.start(
            script or DRY_RUN,
            task_id=runtime.task.id,
            worktree=required(runtime, "worktree_path"),
            signal_dir=required(runtime, "signal_dir"),
        )
        self._agents.append(agent)
        runtime.artifacts.agent_address = agent.address
        return agent

    def end(self) -> None:
        """End all of them."""
        for agent in self._agents:
            agent.address.teardown()
