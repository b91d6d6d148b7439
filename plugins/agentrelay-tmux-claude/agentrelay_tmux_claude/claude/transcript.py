"""What a session used, from what Claude Code keeps of it: its transcript, and one for each of its sub-agents.

Every answer of the model stands there with its tokens, also those of a turn that was cut off. No cost stands there.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from agentrelay_core.runtime import IntegrationError
from agentrelay_core.runtime.agent_files import AgentDirectory
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_tmux_claude.claude.usage import Usage, message_usage

_LARGEST: Final = 256 * 1024 * 1024  # bytes


@attrs.frozen(kw_only=True)
class Told:
    """What the transcripts of a session tell.

    Args:
        usage: What was used.
        said: The last words of the main agent.
    """

    usage: Usage = Usage()
    said: str = ""


def transcripts_of(session: str, environment: Mapping[str, str]) -> Told:
    """Read a session's transcripts.

    Args:
        session: The session's id.
        environment: The agent's variables, by which the place of its transcripts is found.

    Returns:
        What they tell; nothing where there are none, as for an agent that lives elsewhere.
    """
    home = Path(environment.get("CLAUDE_CONFIG_DIR") or Path(environment.get("HOME", "/")) / ".claude")
    used: dict[str, Usage] = {}
    said = ""
    for main in home.glob(f"projects/*/{session}.jsonl"):
        for message in _answers(main):
            said = _text(message.get("content")) or said
            used[message["id"]] = message_usage(message.get("usage"))
        for file in (main.parent / session / "subagents").rglob("*.jsonl"):
            used.update((message["id"], message_usage(message.get("usage"))) for message in _answers(file))
    return Told(usage=sum(used.values(), Usage()), said=said)


def _answers(file: Path) -> Iterator[dict[str, Any]]:
    """The answers of the model in a transcript; one in several parts comes several times, with the same id."""
    try:
        with AgentDirectory(file.parent) as directory:
            content = directory.read(file.name, _LARGEST) or b""
    except (OSError, IntegrationError):
        return
    for line in content.splitlines():
        if b'"assistant"' not in line:
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        message = entry.get("message") if isinstance(entry, dict) else None
        if isinstance(message, dict) and isinstance(message.get("id"), str) and message.get("role") == "assistant":
            yield message


def _text(content: object) -> str:
    blocks = content if isinstance(content, list) else ()
    return plain_line(" ".join(str(block.get("text", "")) for block in blocks if isinstance(block, dict)))
