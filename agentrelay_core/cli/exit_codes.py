"""What the command's exit codes mean, and which error ends with which; nowhere else is there a number."""

from collections.abc import Mapping
from typing import Final

OK: Final = 0
TASK_FAILED: Final = 1
WRONG_USAGE: Final = 2
INVALID: Final = 3
WAITS_FOR_PERSON: Final = 4
NOT_READY: Final = 5
NOTHING_SELECTED: Final = 6
INTERNAL: Final = 70
TEMPORARY: Final = 75
HUNG_UP: Final = 129
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
TERMINATED: Final = 143

# Looked up by the name of the class, most derived first: to import the rooms that raise these only in order to
# recognise what was not raised would cost every command their start.
_BY_NAME: Final[Mapping[str, int]] = {
    "GraphError": INVALID,
    "InvalidGraph": INVALID,
    "GraphChanged": INVALID,
    "ConfigurationError": INVALID,
    "EnvironmentNotReady": NOT_READY,
    "JournalRefused": INVALID,
    "JournalFull": WAITS_FOR_PERSON,
    "JournalError": NOT_READY,
    "NothingSelected": NOTHING_SELECTED,
    "RunIsOwned": TEMPORARY,
    "Fenced": TEMPORARY,
    "Throttled": TEMPORARY,
    "Parked": WAITS_FOR_PERSON,
    "UserError": WRONG_USAGE,
}


def exit_code_of(error: BaseException) -> int | None:
    """The exit code of an error that people can do something about.

    Args:
        error: What was raised.

    Returns:
        The code; `None` for an error that nobody foresaw.
    """
    for kind in type(error).__mro__:
        if kind.__name__ in _BY_NAME and kind.__module__.startswith("agentrelay_core."):
            return _BY_NAME[kind.__name__]
    return None
