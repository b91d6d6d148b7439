"""The hook of Claude Code in a terminal: it writes what happens into files of the attempt, and asks for nothing else.

It is a few words of POSIX shell, as every machine with Claude Code has them. Each event becomes a file of its own, by
rename, so that nobody sees half of one; what a person is asked becomes ``waiting_input``, which the runner knows.
"""

from typing import Any, Final

EVENTS_DIRECTORY: Final = "claude-events"
"""Where the events are, in the attempt's directory."""

REPORTED: Final = (
    "SessionStart",
    "UserPromptSubmit",
    "PostToolUse",
    "PermissionRequest",
    "Notification",
    "Stop",
    "StopFailure",
    "SubagentStart",
    "SubagentStop",
    "SessionEnd",
)
"""The events that are written down."""

# The time is taken first, so that an event is as old as it is; each program that is started here delays its notice.
_WRITE: Final = (
    'n=$(date +%s%N)-$$; d="$AGENTRELAY_SIGNAL_DIR"/' + EVENTS_DIRECTORY + '; { [ -d "$d" ] || mkdir -p "$d"; } && '
    '{read} >"$d/.$$" && mv "$d/.$$" "$d/$n-{event}.json"'
)
# Of these it is enough to know that they were; what a tool gave can be large.
_WITHOUT_CONTENT: Final = frozenset({"PostToolUse"})
# The answer to a question that nobody is to be asked; the agent goes on without what it wanted.
_DENY: Final = (
    '; printf %s \'{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"deny",'
    '"message":"Nobody is there to allow this. Go on without it, or end with agentrelay-task failed REASON."}}}\''
)


# The first and the last status of each start: a session that is resumed may begin with what it had cost before, or not.
_STATUS: Final = (
    'd="$AGENTRELAY_SIGNAL_DIR"/' + EVENTS_DIRECTORY + '; t="$d/.status-$$"; cat >"$t" && '
    '{ ln "$t" "$d/status-{number}-first.json" 2>/dev/null; mv "$t" "$d/status-{number}-last.json"; }'
)


def status_line(number: int) -> dict[str, Any]:
    """The ``statusLine`` of Claude Code's settings: it writes down what the session costs, and shows nothing.

    Args:
        number: Which start of the session this is.
    """
    return {"type": "command", "command": _STATUS.replace("{number}", str(number))}


def hooks(permissions: str) -> dict[str, Any]:
    """The ``hooks`` of Claude Code's settings.

    Args:
        permissions: The option of that name; unless it says ``ask``, no question is left open.
    """
    settings: dict[str, Any] = {}
    for event in REPORTED:
        read = ":" if event in _WITHOUT_CONTENT else "cat"
        command = _WRITE.replace("{event}", event).replace("{read}", read)
        if event == "PermissionRequest" and permissions != "ask":
            command += _DENY
        settings[event] = [{"hooks": [{"type": "command", "command": command, "timeout": 30}]}]
    return settings
