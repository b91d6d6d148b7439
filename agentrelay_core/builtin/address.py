"""Where an agent in a local process lives: its program, and the directory that has its log."""

from pathlib import Path
from typing import Any, Final

from agentrelay_core.processes import ProcessError, RecordedProgram
from agentrelay_core.processes.recorded.records import LaunchRecord
from agentrelay_core.processes.usage import cpu_seconds
from agentrelay_core.runtime import AgentAddress, AgentFailure
from agentrelay_core.runtime.agent_files import AgentDirectory, write_atomically

AGENT_LOG: Final = "agent.log"
# By this variable descendants are found that left the agent's process group; each attempt has its own directory.
MARKER: Final = "AGENTRELAY_SIGNAL_DIR"
# How much of a log is read, its beginning and its end, in bytes.
LARGEST_OUTPUT: Final = 1024 * 1024


class ProcessAddress(AgentAddress):
    """The address of an agent in a local process.

    Args:
        program: The program and its record.
        signal_dir: The attempt's directory, where ``agent.log`` is.
    """

    def __init__(self, program: RecordedProgram, signal_dir: Path) -> None:
        self.program = program
        self.signal_dir = signal_dir

    @property
    def label(self) -> str:
        """For example ``process:4711``; without a number where none was written down."""
        identity = self.program.identity
        return "process" if identity is None else f"process:{identity.pid}"

    async def stop(self) -> None:
        """End the agent and everything that it started: TERM, after 10 s KILL.

        Raises:
            AgentFailure: Something could not be ended.
        """
        try:
            await self.program.stop()
        except ProcessError as error:
            raise AgentFailure(str(error)) from error

    async def teardown(self, signal_dir: Path | None = None, keep_panes: bool = False) -> None:
        """Stop the agent for good: it is not adopted any more, even if we are killed before it has ended.

        Its log is in its own directory from the first byte, and copied if another is asked for.

        Args:
            signal_dir: Where ``agent.log`` is wanted.
            keep_panes: Without meaning here.

        Raises:
            AgentFailure: Something could not be ended.
        """
        try:
            self.program.release()
            await self.stop()
        finally:
            if signal_dir is not None and signal_dir != self.signal_dir:
                write_atomically(signal_dir / AGENT_LOG, self.output())

    def output(self) -> bytes:
        """What the agent printed so far; see `printed_in`."""
        return printed_in(self.signal_dir)

    def cpu_seconds(self) -> float | None:
        """CPU time of the program's process group and session, in seconds; `None` when it is not known."""
        program = self.program.identity
        return None if program is None else cpu_seconds(program)

    def to_json(self) -> dict[str, Any]:
        """What `ProcessHost.adopt` needs; the same from whoever has the address."""
        record = self.program.record
        return {"record": str(record.attempt), "launch": record.number, "signal_dir": str(self.signal_dir)}

    @classmethod
    def from_json(cls, data: Any) -> "ProcessAddress":
        """The address that `to_json` wrote, of a program that an earlier process of ours started.

        Raises:
            ValueError: The data is none.
        """
        if isinstance(data, dict):
            record, number, signal_dir = (data.get(name) for name in ("record", "launch", "signal_dir"))
            if isinstance(record, str) and isinstance(number, int) and isinstance(signal_dir, str) and signal_dir:
                return cls(RecordedProgram(LaunchRecord(Path(record), number)), Path(signal_dir))
        raise ValueError(f"not the address of a process: {data!r}")


def printed_in(signal_dir: Path) -> bytes:
    """What the agent of an attempt printed so far; of more than 1 MiB the beginning and the end.

    Args:
        signal_dir: The attempt's directory.

    Raises:
        ProtocolViolation: The log is a link, or no regular file.
    """
    try:
        with AgentDirectory(signal_dir) as directory:
            ends = directory.read_ends(AGENT_LOG, LARGEST_OUTPUT)
    except FileNotFoundError:
        return b""
    if ends is None:
        return b""
    head, left_out, tail = ends
    return head + f"\n[{left_out} bytes left out]\n".encode() + tail if left_out else head
