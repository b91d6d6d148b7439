"""Running programs: to their end with what they print, or for long with everything that they start.

Nothing else starts a process. Each gets a session of its own, and what is ended is first made sure to be ours.
"""

from agentrelay_core.processes.capture import Captured, run_captured
from agentrelay_core.processes.errors import (
    OutputLimitError,
    ProcessError,
    ProcessTimeoutError,
    ProgramNotFoundError,
    SurvivorsError,
)
from agentrelay_core.processes.exit_codes import describe_exit, shown_exit_code

__all__ = [
    "Captured",
    "OutputLimitError",
    "ProcessError",
    "ProcessTimeoutError",
    "ProgramNotFoundError",
    "SurvivorsError",
    "describe_exit",
    "run_captured",
    "shown_exit_code",
]
