"""The launcher of every pair that has none of its own: the framework says what to start, the environment where."""

import os
from collections.abc import Mapping
from pathlib import Path

import attrs

from agentrelay_core.builtin.required import framework_of, host_of, required_path
from agentrelay_core.hooks import StepContext
from agentrelay_core.runtime import Agent, AgentAddress, TaskRuntime, agent_environment
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


@attrs.frozen
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
        signal_dir = required_path(runtime, "signal_dir")
        framework = framework_of(self.context)
        host = host_of(self.context)
        command = framework.command(self.context)
        environment = completed(agent_environment(runtime), command.env, signal_dir)
        runtime.artifacts.agent_environment = environment

        def keep(address: AgentAddress) -> None:
            runtime.artifacts.agent_address = address  # kept at once: a cancelled launch must still be ended

        address: AgentAddress = await call_step(
            None, host, "start", attrs.evolve(command, env=environment), self.context, keep=keep
        )
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
