"""The host of local processes: starts a program as a process group of its own, watches it, and ends it as a whole."""

from typing import Any

from agentrelay_core.builtin.address import AGENT_LOG, MARKER, ProcessAddress
from agentrelay_core.builtin.required import required_path
from agentrelay_core.hooks import AgentCommand, Liveness, StepContext
from agentrelay_core.processes import ExitCodeUnknownError, ProcessError, ProcessGroup
from agentrelay_core.runtime import AgentAddress, AgentFailure


class ProcessHost:
    """Runs agents as local processes. It holds nothing: whatever there is to know of an agent is in its address."""

    def start(self, command: AgentCommand, context: StepContext) -> AgentAddress:
        """Start a program in the task's worktree; what it prints goes to ``agent.log`` from the first byte.

        Args:
            command: The program, with its whole environment.
            context: The task.

        Returns:
            Its address.

        Raises:
            ValueError: ``worktree_path`` or ``signal_dir`` is not set.
            AgentFailure: The program is missing, or could not be started.
        """
        worktree = required_path(context.runtime, "worktree_path")
        signal_dir = required_path(context.runtime, "signal_dir")
        try:
            group = ProcessGroup.start(
                command.argv,
                cwd=worktree,
                env={**command.env, MARKER: str(signal_dir)},
                stdin=command.stdin,
                output=signal_dir / AGENT_LOG,
                marker=(MARKER, str(signal_dir)),
            )
        except ProcessError as error:
            raise AgentFailure(str(error)) from error
        return ProcessAddress(group, signal_dir)

    async def wait(self, address: AgentAddress) -> int | None:
        """Wait until the program has ended, then end what it left running.

        Args:
            address: The agent's.

        Returns:
            The exit code, or the negative number of a signal; `None` when it cannot be known.

        Raises:
            AgentFailure: Something could not be ended.
        """
        own = _own(address)
        try:
            exit_code = await own.group.wait()
        except ExitCodeUnknownError:
            exit_code = None
        await own.stop()
        return exit_code

    async def is_alive(self, address: AgentAddress) -> Liveness:
        """Whether the program's first process still runs."""
        return _own(address).group.is_alive()

    def output(self, address: AgentAddress) -> bytes:
        """What the agent printed so far; of more than 1 MiB the beginning and the end."""
        return _own(address).output()

    async def stop(self, address: AgentAddress) -> None:
        """End the agent and everything that it started: TERM, after 10 s KILL."""
        await _own(address).stop()

    def adopt(self, data: Any) -> AgentAddress | None:
        """Find an agent again that an earlier process of ours started.

        Args:
            data: What its address's ``to_json`` gave.

        Returns:
            Its address; `None` when it has ended.

        Raises:
            ValueError: The data is no address.
        """
        address = ProcessAddress.from_json(data)
        return None if address.group.is_alive() == "ended" else address


def _own(address: AgentAddress) -> ProcessAddress:
    if not isinstance(address, ProcessAddress):
        raise TypeError(f"{address.label} is no address of the environment 'process'")
    return address
