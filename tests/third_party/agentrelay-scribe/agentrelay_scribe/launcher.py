"""The launcher of scribes in local processes: it tells them who launched them."""

from collections.abc import Awaitable

import attrs

from agentrelay_core import Agent, AgentAddress, StepContext, TaskRuntime, agent_environment


class LaunchedScribe(Agent):
    """A scribe at work."""

    def __init__(self, address: AgentAddress) -> None:
        self._address = address

    @property
    def address(self) -> AgentAddress:
        """Where it lives."""
        return self._address

    def send_kickoff(self, instructions_path: str) -> None:
        """It has its instructions."""


class ScribeLauncher:
    """Starts a scribe by the environment's host."""

    def __init__(self, context: StepContext) -> None:
        self.context = context

    def launch(self, runtime: TaskRuntime) -> Agent | Awaitable[Agent]:
        """Start it, with a variable more."""
        for field in ("worktree_path", "signal_dir"):
            if getattr(runtime.state, field) is None:
                raise ValueError(f"{field} is not set; the task must be prepared first")
        assert self.context.framework is not None
        assert self.context.environment is not None
        command = self.context.framework.cls().command(self.context)
        environment = {**agent_environment(runtime), **command.env, "SCRIBE_LAUNCHER": "agentrelay-scribe"}
        runtime.artifacts.agent_environment = environment
        host = self.context.environment.host(runtime.task.primary_agent.environment)
        address = host.start(attrs.evolve(command, env=environment), self.context)
        assert isinstance(address, AgentAddress)
        runtime.artifacts.agent_address = address
        return LaunchedScribe(address)
