"""Text from agents is data wherever it is shown: no control sequence reaches a terminal, no word of it an instruction.

Whoever prints, journals or passes on an agent's words sends them through here first. The patterns are compiled on first
use: a command that meets no such text starts without them.
"""

import re

# Each alternative excludes its own introducer, so that matching stays linear however often that is repeated.
_ESCAPE_SEQUENCES = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor movements
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\n\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # titles, links, device strings
    r"|\x1b[ -/]*[0-~]"
)
# Control characters besides tab and newline, marks that turn the direction of writing, what is invisible, surrogates.
_CONTROLS = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def plain_text(text: str) -> str:
    """Strip what a terminal would act upon, or hide.

    Args:
        text: Text from an agent, or of its programs.

    Returns:
        The same text without escape sequences and control characters; tabs and newlines are kept.
    """
    return re.sub(_CONTROLS, "", re.sub(_ESCAPE_SEQUENCES, "", text))


def plain_line(text: str, limit: int = 4_000) -> str:
    """Make one line of an agent's text.

    Args:
        text: Text from an agent.
        limit: Longest result, in characters.

    Returns:
        `plain_text` with white space run together; an ellipsis ends what had to be cut.
    """
    line = " ".join(plain_text(text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def fenced(text: str) -> str:
    """Put text between Markdown fences that it cannot close, so that a reader takes it as data.

    Args:
        text: Text from an agent, or of its programs.

    Returns:
        `plain_text` in a fenced block, without a newline at the end.
    """
    body = plain_text(text).rstrip("\n")
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{body}\n{fence}"
