"""The launcher of every pair that has none of its own: the framework says what to start, the environment where."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import attrs

from agentrelay_core.builtin.required import framework_of, host_of, required_path
from agentrelay_core.hooks import AgentCommand, EnvironmentHost, StepContext
from agentrelay_core.runtime import Agent, AgentAddress, Lost, TaskRuntime, agent_environment
from agentrelay_core.runtime.environment import HELPER_DIRECTORY
from agentrelay_core.task_runner.calls import call_step

OURS = "AGENTRELAY_"


class ComposedAgent(Agent):
    """An agent whose command carries its instructions: it is at work as soon as it is started.

    Args:
        address: Where its host says that it lives.
    """

    def __init__(self, address: AgentAddress) -> None:
        self._address = address

    @property
    def address(self) -> AgentAddress:
        """Where the agent lives."""
        return self._address

    def send_kickoff(self, instructions_path: str) -> None:
        """Nothing is left to be told."""


@attrs.frozen(eq=False)
class ComposedLauncher:
    """Starts the framework's command in the environment's host.

    Args:
        context: The task, with the records of its framework and environment.
    """

    context: StepContext

    async def launch(self, runtime: TaskRuntime) -> Agent:
        """Start the task's agent.

        Args:
            runtime: The task, prepared.

        Returns:
            The agent, at work. The variables that it got are kept as ``artifacts.agent_environment``.

        Raises:
            ValueError: ``worktree_path`` or ``signal_dir`` is not set.
            UserError: No installed plugin declares the framework or the environment.
        """
        required_path(runtime, "worktree_path")
        required_path(runtime, "signal_dir")  # before the framework, most of which make a path of it
        command = self._command(runtime)

        def keep(address: AgentAddress) -> None:
            runtime.artifacts.agent_address = address  # kept at once: a cancelled launch must still be ended

        address: AgentAddress = await call_step(None, host_of(self.context), "start", command, self.context, keep=keep)
        return _at_work(runtime, address)

    async def reconcile(self, runtime: TaskRuntime) -> Literal["absent", "unknown"] | tuple[Literal["present"], Agent]:
        """Look for the agent that an earlier session of the run started in this attempt.

        Args:
            runtime: The task, prepared.

        Returns:
            ``present`` and the agent, be it alive or not: its end, too, is read as if we had watched it. ``absent``
            when none was started; at once when no earlier session can have. ``unknown`` when the host cannot tell now.

        Raises:
            ValueError: ``signal_dir`` is not set.
            UserError: No installed plugin declares the framework or the environment.
        """
        if not runtime.resumed:
            return "absent"
        try:
            address = await self._earlier(host_of(self.context), runtime)
        except Lost:
            return "unknown"
        if address is None:
            return "absent"
        runtime.artifacts.agent_address = address
        self._command(runtime)
        return "present", _at_work(runtime, address)

    async def _earlier(self, host: EnvironmentHost, runtime: TaskRuntime) -> AgentAddress | None:
        if hasattr(host, "find"):
            found: AgentAddress | None = await call_step(None, host, "find", self.context)
            return found
        if runtime.artifacts.agent_data is None:
            return None
        data, runtime.artifacts.agent_data = runtime.artifacts.agent_data, None  # a second launch is not that agent's
        adopted: AgentAddress | None = await call_step(None, host, "adopt", data)
        return adopted

    def _command(self, runtime: TaskRuntime) -> AgentCommand:
        """The framework's command with its whole environment, which is kept for the completion gate."""
        command = framework_of(self.context).command(self.context)
        signal_dir = required_path(runtime, "signal_dir")
        environment = completed(agent_environment(runtime), command.env, signal_dir)
        runtime.artifacts.agent_environment = environment
        return attrs.evolve(command, env=environment)


def _at_work(runtime: TaskRuntime, address: AgentAddress) -> ComposedAgent:
    runtime.artifacts.agent_at_work = True
    return ComposedAgent(address)


def completed(base: Mapping[str, str], added: Mapping[str, str], signal_dir: Path) -> dict[str, str]:
    """The whole environment of an agent.

    Args:
        base: What `agent_environment` gives.
        added: What the framework adds; it wins, but for the ``AGENTRELAY_*`` variables.
        signal_dir: The attempt's directory; its ``agentrelay-task`` stays first on ``PATH``.

    Returns:
        Both, as a new dictionary.
    """
    environment = {**base, **{name: value for name, value in added.items() if not name.startswith(OURS)}}
    if "PATH" in added:
        environment["PATH"] = f"{signal_dir / HELPER_DIRECTORY}{os.pathsep}{added['PATH']}"
    return environment
