"""What can go wrong with a program: it is not there, takes too long, prints too much, or does not go away."""

from collections.abc import Sequence
from pathlib import Path


class ProcessError(Exception):
    """A program could not be run, or not be ended."""


class ProgramNotFoundError(ProcessError):
    """The program is not on PATH, or is no executable file.

    Args:
        program: Name or path of the program.
    """

    def __init__(self, program: str) -> None:
        super().__init__(f"program {program} not found on PATH; install it or correct its name")
        self.program = program


class ProcessTimeoutError(ProcessError):
    """The program did not end in time; it and its process group were killed.

    Args:
        argv: The program and its arguments; the first two are shown.
        seconds: How long it was given.
    """

    def __init__(self, argv: Sequence[str], seconds: float) -> None:
        super().__init__(f"{shown(argv)} did not end within {seconds:g} s and was stopped")
        self.argv = tuple(argv)
        self.seconds = seconds


class OutputLimitError(ProcessError):
    """The program printed more than was allowed; it and its process group were killed.

    Args:
        argv: The program and its arguments; the first two are shown.
        limit: Bytes that were allowed.
    """

    def __init__(self, argv: Sequence[str], limit: int) -> None:
        super().__init__(f"{shown(argv)} printed more than {limit} bytes and was stopped")
        self.argv = tuple(argv)
        self.limit = limit


class SurvivorsError(ProcessError):
    """Processes that could not be ended, not even by KILL.

    Args:
        survivors: Process ids and command lines of what is left.
    """

    def __init__(self, survivors: Sequence[tuple[int, str]]) -> None:
        listed = ", ".join(f"{pid} ({command})" for pid, command in survivors)
        super().__init__(f"processes that could not be ended: {listed}")
        self.survivors = tuple(survivors)


class AlreadyRunningError(ProcessError):
    """Nothing was started, because a program that was started before, under the same record, has not ended.

    Args:
        record: Directory of the record.
    """

    def __init__(self, record: Path) -> None:
        super().__init__(f"nothing was started: an earlier program has not ended; its record is {record}")
        self.record = record


class TableUnreadableError(ProcessError):
    """The process table cannot be read now: nothing is known, least of all that somebody has ended."""


class ExitCodeUnknownError(ProcessError):
    """A process has ended and nobody can tell us how: it was not our child, or somebody else reaped it."""


def shown(argv: Sequence[str]) -> str:
    """The first two words of a command line, for messages; the rest may be long or secret."""
    return "`" + " ".join(argv[:2]) + "`"
