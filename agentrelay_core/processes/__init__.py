"""Running programs: to their end with what they print, or for long with everything that they start.

Nothing else starts a process. Each gets a session of its own, and what is ended is first made sure to be ours.
What needs asyncio is loaded on first use (PEP 562): who only runs short programs does not pay for it.
"""

from typing import TYPE_CHECKING, Any

from agentrelay_core.processes.capture import Captured, run_captured
from agentrelay_core.processes.command import Command, Marker
from agentrelay_core.processes.errors import (
    AlreadyRunningError,
    ExitCodeUnknownError,
    OutputLimitError,
    ProcessError,
    ProcessTimeoutError,
    ProgramNotFoundError,
    SurvivorsError,
    TableUnreadableError,
)
from agentrelay_core.processes.exit_codes import describe_exit, shown_exit_code
from agentrelay_core.processes.identity import ProcessIdentity, alive, boot_id, find_marked, identify

if TYPE_CHECKING:
    from agentrelay_core.processes.exits import process_ended
    from agentrelay_core.processes.group import ProcessGroup
    from agentrelay_core.processes.recorded.program import RecordedProgram

__all__ = [
    "AlreadyRunningError",
    "Captured",
    "Command",
    "ExitCodeUnknownError",
    "Marker",
    "OutputLimitError",
    "ProcessError",
    "ProcessGroup",
    "ProcessIdentity",
    "ProcessTimeoutError",
    "ProgramNotFoundError",
    "RecordedProgram",
    "SurvivorsError",
    "TableUnreadableError",
    "alive",
    "boot_id",
    "describe_exit",
    "find_marked",
    "identify",
    "process_ended",
    "run_captured",
    "shown_exit_code",
]


def __getattr__(name: str) -> Any:
    if name == "ProcessGroup":
        from agentrelay_core.processes.group import ProcessGroup

        return ProcessGroup
    if name == "RecordedProgram":
        from agentrelay_core.processes.recorded.program import RecordedProgram

        return RecordedProgram
    if name == "process_ended":
        from agentrelay_core.processes.exits import process_ended

        return process_ended
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
