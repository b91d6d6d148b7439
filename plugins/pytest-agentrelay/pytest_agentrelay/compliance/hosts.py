"""Starting programs by a host as the core's launcher does, with an end for whatever was started."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs

from agentrelay_core.builtin.watching import program_ended
from agentrelay_core.hooks import AgentCommand, StepContext
from agentrelay_core.runtime import AgentAddress, TaskRuntime, agent_environment
from agentrelay_core.task_runner.calls import call_step

# Seconds between looks while a host does not know.
LOOK_AGAIN = 0.05


@attrs.define
class Bench:
    """One host, and the agents that were started by it.

    Args:
        host: The host.
    """

    host: Any
    started: list[tuple[AgentAddress, TaskRuntime]] = attrs.field(factory=list)

    async def start(
        self, context: StepContext, *argv: str, env: Mapping[str, str] | None = None, stdin: Path | None = None
    ) -> AgentAddress:
        """Start a program in the task's worktree, with an agent's whole environment."""
        command = AgentCommand(argv=argv, env={**agent_environment(context.runtime), **(env or {})}, stdin=stdin)
        address: AgentAddress = await self.ask("start", command, context)
        self.started.append((address, context.runtime))
        return address

    async def ask(self, method: str, *arguments: Any) -> Any:
        """Call a method of the host, which may be ``def`` or ``async def``."""
        return await call_step(None, self.host, method, *arguments)

    async def ended(self, address: AgentAddress) -> int | None:
        """Wait until an agent has ended; its exit code."""
        return await program_ended(self.host, address, look_again=LOOK_AGAIN)

    async def printed(self, address: AgentAddress, text: bytes, seconds: float) -> bool:
        """Whether an agent prints something within a time."""
        until = asyncio.get_running_loop().time() + seconds
        while text not in await self.ask("output", address):
            if asyncio.get_running_loop().time() > until:
                return False
            await asyncio.sleep(LOOK_AGAIN)
        return True

    async def close(self) -> None:
        """End everything that was started; what goes wrong with that is for other checks to say."""
        for address, runtime in self.started:
            with suppress(Exception):
                await self.ask("stop", address)
            with suppress(Exception):
                await call_step(None, address, "teardown", runtime.state.signal_dir)
