"""What a session in a terminal used, from its transcript: no cost stands there, but every turn's tokens do.

Claude Code writes its transcript a little late: a turn's last words may come only after the hook that tells of its end.
"""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.runtime import IntegrationError
from agentrelay_core.runtime.agent_files import AgentDirectory
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_tmux_claude.claude.usage import Usage, usage_from

_LARGEST: Final = 256 * 1024 * 1024  # bytes


@attrs.frozen(kw_only=True)
class Counted:
    """What a transcript tells beyond what is counted already.

    Args:
        usage: What was used.
        ids: Ids of the turns that it counts.
        said: The last words of those turns.
    """

    usage: Usage = Usage()
    ids: tuple[str, ...] = ()
    said: str = ""

    def has_said(self, last: str) -> bool:
        """Whether the last words of a turn are there: of words in several pieces a transcript has each by itself."""
        return not last or (bool(self.said) and last.endswith(self.said))


def used_since(path: str, session: str, counted: Collection[str]) -> Counted:
    """What was used by turns that are not counted yet.

    Args:
        path: The transcript, as a hook told it: any other file than this session's is not read.
        session: The session's id.
        counted: Ids of the turns that are counted.
    """
    file = Path(path)
    if file.name != f"{session}.jsonl" or not file.is_absolute():
        return Counted()
    try:
        with AgentDirectory(file.parent) as directory:
            content = directory.read(file.name, _LARGEST) or b""
    except (OSError, IntegrationError):
        return Counted()
    found: dict[str, Usage] = {}
    said = ""
    for line in content.splitlines():
        if b'"assistant"' not in line:
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        message = entry.get("message") if isinstance(entry, dict) else None
        if not isinstance(message, dict) or not isinstance(message.get("id"), str):
            continue
        if message["id"] not in counted:
            said = _text(message.get("content")) or said
            found[message["id"]] = attrs.evolve(usage_from(message.get("usage")), turns=1)
    return Counted(usage=sum(found.values(), Usage()), ids=tuple(found), said=said)


def _text(content: object) -> str:
    blocks = content if isinstance(content, list) else ()
    return plain_line(" ".join(str(block.get("text", "")) for block in blocks if isinstance(block, dict)))
