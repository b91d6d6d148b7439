"""What the hooks wrote: the events of Claude Code in a terminal, and where its session stands after them.

They lie where the agent can write, so they are hints: they say when to look, and what to tell people.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import attrs

from agentrelay_core.runtime import IntegrationError
from agentrelay_core.runtime.agent_files import AgentDirectory
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_tmux_claude.claude.hook_program import EVENTS_DIRECTORY, REPORTED

_NAME: Final = re.compile(r"(?P<time>\d{10,20})-\d+-(?P<kind>[A-Za-z]+)\.json")
_LARGEST: Final = 1024 * 1024  # bytes of one event
_MOST: Final = 100_000  # events that are looked at


@attrs.frozen(kw_only=True)
class HookEvent:
    """One event.

    Args:
        kind: Its name.
        at: When it was written, in seconds since the epoch.
        data: What Claude Code said of it; empty where that could not be read.
    """

    kind: str
    at: float
    data: dict[str, Any] = attrs.field(factory=dict)

    def text(self, name: str) -> str:
        """One of its texts, as a plain line."""
        value = self.data.get(name)
        return plain_line(value) if isinstance(value, str) else ""


@attrs.frozen(kw_only=True)
class Standing:
    """Where a session stands.

    Args:
        started: Whether it takes input.
        prompts: How many prompts arrived.
        ended: The event that ended the last turn; `None` while it goes on.
        question: The event by which a person is asked; `None` when nobody is.
        worked: How many uses of tools succeeded since the last prompt.
        refused: What was refused since then.
    """

    started: bool = False
    prompts: int = 0
    ended: HookEvent | None = None
    question: HookEvent | None = None
    worked: int = 0
    refused: tuple[str, ...] = ()


class EventReader:
    """Reads an attempt's events, each once.

    Args:
        signal_dir: The attempt's directory.
    """

    def __init__(self, signal_dir: Path) -> None:
        self.directory = signal_dir / EVENTS_DIRECTORY
        self._read: dict[str, HookEvent] = {}

    def standing(self, *, asks: bool) -> Standing:
        """Where the session stands now.

        Args:
            asks: Whether questions are left open for a person; otherwise the hook refused them.
        """
        self._look()
        return standing_after([self._read[name] for name in sorted(self._read)], asks=asks)

    def _look(self) -> None:
        try:
            with AgentDirectory(self.directory) as directory:
                for name in sorted(path.name for path in self.directory.iterdir())[:_MOST]:
                    found = _NAME.fullmatch(name)
                    if found is not None and name not in self._read and found["kind"] in REPORTED:
                        event = HookEvent(kind=found["kind"], at=int(found["time"]) / 1e9)
                        self._read[name] = attrs.evolve(event, data=_data(directory, name))
        except (OSError, IntegrationError):
            return  # it is not there yet, or no directory of ours any more: other evidence counts


def _data(directory: AgentDirectory, name: str) -> dict[str, Any]:
    try:
        found = json.loads(directory.read(name, _LARGEST) or b"null")
    except (IntegrationError, OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def standing_after(events: Iterable[HookEvent], *, asks: bool) -> Standing:
    """Where a session stands after its events.

    Args:
        events: In order.
        asks: Whether questions are left open for a person.
    """
    now = Standing()
    subagents: set[str] = set()
    for event in events:
        match event.kind:
            case "SessionStart":
                now = attrs.evolve(now, started=True)
            case "UserPromptSubmit":
                now = attrs.evolve(
                    now, started=True, prompts=now.prompts + 1, ended=None, question=None, worked=0, refused=()
                )
            case "PostToolUse":
                now = attrs.evolve(now, worked=now.worked + 1, question=None, ended=None)
            case "PermissionRequest" if asks:
                now = attrs.evolve(now, question=event)
            case "PermissionRequest":
                now = attrs.evolve(now, refused=(*now.refused, asked_for(event)))
            case "SubagentStart":
                subagents.add(event.text("agent_id"))
            case "SubagentStop":
                subagents.discard(event.text("agent_id"))
            case "Stop" if not subagents and not event.data.get("background_tasks"):
                now = attrs.evolve(now, ended=event, question=None)
            case "StopFailure":
                now = attrs.evolve(now, ended=event, question=None)
            case "Notification" if event.data.get("notification_type") == "idle_prompt" and now.ended is None:
                now = attrs.evolve(now, ended=event)
    return now


def asked_for(event: HookEvent) -> str:
    """What a permission is asked for, for people: ``Bash(make)``."""
    given = event.data.get("tool_input")
    shown = (given.get("command") or given.get("file_path") or "") if isinstance(given, dict) else ""
    return plain_line(f"{event.text('tool_name')}({shown})" if shown else event.text("tool_name"), 120)
