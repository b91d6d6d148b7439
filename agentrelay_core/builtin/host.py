"""The host of local processes: a runner process starts each program, and whoever comes later finds it again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from agentrelay_core.builtin.address import AGENT_LOG, MARKER, ProcessAddress
from agentrelay_core.builtin.required import required_path
from agentrelay_core.hooks import AgentCommand, Liveness, StepContext
from agentrelay_core.processes import AlreadyRunningError, Command, ProcessError, RecordedProgram
from agentrelay_core.processes.recorded.handover import hand_over
from agentrelay_core.processes.recorded.records import LaunchRecord
from agentrelay_core.runtime import AgentAddress, AgentFailure, Lost
from agentrelay_core.runtime.agent_records import agent_record
from agentrelay_core.runtime.secrets import secrets_among


class ProcessHost:
    """Runs agents as local processes. Whatever there is to know of an agent is in its record, and nothing here.

    Args:
        memory_mib_per_process: See `ProcessEnvironment`.
    """

    def __init__(self, *, memory_mib_per_process: int | None = None) -> None:
        self._memory = memory_mib_per_process and memory_mib_per_process * 1024 * 1024

    def start(self, command: AgentCommand, context: StepContext) -> AgentAddress:
        """Start a program in the task's worktree; what it prints goes to ``agent.log`` from the first byte.

        Args:
            command: The program, with its whole environment.
            context: The task.

        Returns:
            Its address; that of the agent which runs in this attempt already, if there is one.

        Raises:
            ValueError: ``worktree_path`` or ``signal_dir`` is not set.
            AgentFailure: The program is missing, could not be started, or an earlier one is still being stopped.
        """
        worktree = required_path(context.runtime, "worktree_path")
        signal_dir = required_path(context.runtime, "signal_dir")
        attempt = agent_record(*_attempt_key(context))
        program: RecordedProgram | None
        try:
            program = RecordedProgram.start(
                Command(
                    argv=command.argv,
                    cwd=worktree,
                    env={**command.env, MARKER: str(signal_dir)},
                    stdin=command.stdin,
                    output=signal_dir / AGENT_LOG,
                    secrets=secrets_among(command.env.items()),
                    memory=self._memory,
                ),
                attempt=attempt,
                marker=(MARKER, str(signal_dir)),
                by=self.starter(context),
            )
        except AlreadyRunningError as error:
            # Somebody was killed in the middle of this very call, and his runner process came first.
            program = RecordedProgram.in_the_way(attempt)
            if program is None or program.record.released:
                raise AgentFailure(str(error)) from error
        except ProcessError as error:
            raise AgentFailure(str(error)) from error
        return self.address_of(program, signal_dir)

    def starter(self, context: StepContext) -> Callable[..., tuple[LaunchRecord, int | None]]:
        """How programs are started; for hosts that do it elsewhere on this machine. See `RecordedProgram.start`.

        Args:
            context: The task.
        """
        return hand_over

    def address_of(self, program: RecordedProgram, signal_dir: Path) -> ProcessAddress:
        """The address of a program; for hosts whose addresses know more.

        Args:
            program: The program.
            signal_dir: The attempt's directory.
        """
        return ProcessAddress(program, signal_dir)

    async def find(self, context: StepContext) -> AgentAddress | None:
        """The agent that was started last in this very attempt, be it alive or not.

        Args:
            context: The task, with the run's and the attempt's number.

        Returns:
            Its address; `None` when none was started, or when it was being stopped for good: then that is finished.

        Raises:
            ValueError: ``signal_dir`` is not set.
            AgentFailure: What was being stopped could not be ended.
            Lost: It is not known now whether there is one.
        """
        signal_dir = required_path(context.runtime, "signal_dir")
        program = RecordedProgram.find(agent_record(*_attempt_key(context)))
        if program is None:
            return None
        address = self.address_of(program, signal_dir)
        if program.record.released:
            await address.stop()
            return None
        liveness = await program.is_alive()
        if liveness == "unknown" or (liveness == "alive" and program.identity is None and not await program.pids()):
            raise Lost(f"it is not known whether an agent was started; its record is {program.record.directory}")
        if liveness == "ended" and program.identity is None and program.record.exit is None:
            return None  # its runner process ended before it started anything
        return address

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
        exit_code = await own.program.wait()
        if exit_code is not None or await own.program.is_alive() == "ended":
            await own.stop()
        return exit_code

    async def is_alive(self, address: AgentAddress) -> Liveness:
        """Whether the program's first process still runs; ``ended`` by proof alone."""
        return await _own(address).program.is_alive()

    def output(self, address: AgentAddress) -> bytes:
        """What the agent printed so far; of more than 1 MiB the beginning and the end."""
        return _own(address).output()

    async def stop(self, address: AgentAddress) -> None:
        """End the agent and everything that it started: TERM, after 10 s KILL."""
        await _own(address).stop()

    def adopt(self, data: Any) -> AgentAddress | None:
        """Find an agent again that an earlier process of ours started, be it alive or not.

        Args:
            data: What its address's ``to_json`` gave.

        Returns:
            Its address; `None` when it has no record any more.

        Raises:
            ValueError: The data is no address.
        """
        stored = ProcessAddress.from_json(data)
        if not stored.program.record.directory.is_dir():
            return None
        return self.address_of(stored.program, stored.signal_dir)


def _attempt_key(context: StepContext) -> tuple[Path, str, str, int]:
    runtime = context.runtime
    return context.run.state_dir, runtime.task.id, runtime.run_id, runtime.state.attempt_num


def _own(address: AgentAddress) -> ProcessAddress:
    if not isinstance(address, ProcessAddress):
        raise TypeError(f"{address.label} is no address of the environment 'process'")
    return address
