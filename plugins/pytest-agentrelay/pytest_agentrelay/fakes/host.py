"""The host of ``in_process``: fake agents in threads, and any other program as a local process.

So a framework of one's own can be tried in this environment too; what has to be a program is one.
"""

import asyncio
from typing import Any

from agentrelay_core.builtin.host import ProcessHost
from agentrelay_core.builtin.required import required_path
from agentrelay_core.hooks import AgentCommand, Liveness, StepContext
from agentrelay_core.runtime import AgentAddress
from agentrelay_core.task_runner.calls import call_step
from pytest_agentrelay.fakes.address import InProcessAddress, agent_at, find_agent
from pytest_agentrelay.fakes.framework import PROGRAM
from pytest_agentrelay.fakes.script import from_argument
from pytest_agentrelay.fakes.thread import ThreadAgent


class InProcessHost:
    """Runs fake agents in threads of this process. An agent ends with the process that it lives in."""

    def __init__(self) -> None:
        self._programs = ProcessHost()

    def start(self, command: AgentCommand, context: StepContext) -> AgentAddress:
        """Start an agent in the task's worktree; what it prints goes to ``agent.log``.

        Args:
            command: The command of the framework ``fake``, or any program.
            context: The task.

        Raises:
            ValueError: ``worktree_path`` or ``signal_dir`` is not set.
            AgentFailure: It could not be started.
        """
        worktree = required_path(context.runtime, "worktree_path")
        signal_dir = required_path(context.runtime, "signal_dir")
        if command.argv[: len(PROGRAM)] != PROGRAM:
            return self._programs.start(command, context)
        script = from_argument(command.argv[len(PROGRAM)])
        agent = ThreadAgent(script, task_id=context.runtime.task.id, worktree=worktree, signal_dir=signal_dir)
        agent.start()
        return InProcessAddress(agent, signal_dir)

    async def find(self, context: StepContext) -> AgentAddress | None:
        """The agent that was started last in this very attempt, be it alive or not; `None` if there is none."""
        address = agent_at(required_path(context.runtime, "signal_dir"))
        return await self._programs.find(context) if address is None else address

    async def wait(self, address: AgentAddress) -> int | None:
        """Wait for an agent's end; its exit code, or the negative number of a signal."""
        if isinstance(address, InProcessAddress):
            return await asyncio.wrap_future(address.agent.ended)
        return await self._programs.wait(address)

    async def is_alive(self, address: AgentAddress) -> Liveness:
        """Whether an agent is alive; ``ended`` by proof alone."""
        if isinstance(address, InProcessAddress):
            return "alive" if address.agent.alive else "ended"
        return await self._programs.is_alive(address)

    def output(self, address: AgentAddress) -> bytes:
        """What an agent printed so far; of more than 1 MiB the beginning and the end."""
        return address.output() if isinstance(address, InProcessAddress) else self._programs.output(address)

    async def stop(self, address: AgentAddress) -> None:
        """End an agent, and all that it started."""
        if isinstance(address, InProcessAddress):
            await call_step(None, address.agent, "stop")
        else:
            await self._programs.stop(address)

    def adopt(self, data: Any) -> AgentAddress | None:
        """Find an agent again from what its address's ``to_json`` gave.

        Returns:
            Its address; `None` when it has ended with the process that it lived in, or was torn down.

        Raises:
            ValueError: The data is no address.
        """
        if isinstance(data, dict) and "in_process" in data:
            return find_agent(data)
        return self._programs.adopt(data)
