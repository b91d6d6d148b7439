"""What an agent wants people to know, one concern a line, however much it wrote."""

from pathlib import Path
from typing import Final

from agentrelay_core.runtime.agent_files import AgentDirectory
from agentrelay_core.runtime.untrusted_text import plain_line, plain_text
from agentrelay_core.signals.layout import CONCERNS

LARGEST_LOG: Final = 256 * 1024
MOST_CONCERNS: Final = 1_000


def read_concerns(signal_dir: Path) -> tuple[str, ...]:
    """Read ``concerns.log``.

    Args:
        signal_dir: The attempt's directory.

    Returns:
        One plain line for each concern. Of more than 256 KiB or 1000 concerns the beginning and the end are kept, with
        a line between them that says ``truncated``.

    Raises:
        ProtocolViolation: The file is a link, no regular file, or may not be read.
    """
    try:
        with AgentDirectory(signal_dir) as directory:
            return concerns_in(directory)
    except FileNotFoundError:
        return ()


def concerns_in(directory: AgentDirectory) -> tuple[str, ...]:
    """Read ``concerns.log`` by the directory's handle; see `read_concerns`.

    Args:
        directory: The attempt's directory.
    """
    ends = directory.read_ends(CONCERNS, LARGEST_LOG)
    if ends is None:
        return ()
    head, left_out, tail = ends
    first = _lines(head)
    if not left_out and len(first) <= MOST_CONCERNS:
        return tuple(plain_line(line) for line in first)
    last = _lines(tail) if left_out else first
    kept = MOST_CONCERNS // 2
    lost = f"{left_out} bytes or more" if left_out else f"{len(first) - MOST_CONCERNS + 1} concerns"
    beginning = (plain_line(line) for line in first[:kept])
    end = (plain_line(line) for line in last[1 - kept :])
    return (*beginning, f"(truncated: {lost} left out)", *end)


def _lines(content: bytes) -> list[str]:
    # Stripped as a whole: line by line, a log of a hundred thousand short lines would hold up its reader.
    text = plain_text(content.decode("utf-8-sig", "replace"))
    return [line for line in text.split("\n") if line and not line.isspace()]
