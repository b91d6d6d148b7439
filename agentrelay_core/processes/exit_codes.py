"""Exit codes as people know them: a signal's number is 128 and more, as every shell says it."""

import signal


def shown_exit_code(code: int) -> int:
    """The exit code that a shell would show.

    Args:
        code: Exit code, or the negative number of a signal.

    Returns:
        The code itself, or 128 plus the signal's number.
    """
    return 128 - code if code < 0 else code


def describe_exit(code: int | None) -> str:
    """How a program ended, for a sentence that begins with its name.

    Args:
        code: Exit code, the negative number of a signal, or `None` when it cannot be known.

    Returns:
        For example ``exited 3`` or ``was ended by SIGKILL (exit 137)``.
    """
    if code is None:
        return "ended, its exit code is not known"
    if code >= 0:
        return f"exited {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was ended by {name} (exit {shown_exit_code(code)})"
