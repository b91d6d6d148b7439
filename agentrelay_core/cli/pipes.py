"""Writing to a reader that may have gone away, as ``agentrelay … | head`` does, or to a terminal that was closed."""

import errno
import os
import sys

from agentrelay_core.cli.exit_codes import BROKEN_PIPE, OK


def is_gone(error: OSError) -> bool:
    """Whether an error says that nobody reads any more: a closed pipe, or a terminal that was hung up."""
    return error.errno in (errno.EPIPE, errno.EIO)


def write_whole(text: str) -> int:
    """Write a text to stdout, all of it at once.

    Args:
        text: What to write.

    Returns:
        The exit code: 0, or 141 when nobody reads.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        return abandon_stdout()
    return OK


def abandon_stdout() -> int:
    """Let what is left for stdout go nowhere, so that the interpreter's own flush at the end does not complain.

    Returns:
        The exit code.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return BROKEN_PIPE
