"""What a session in a terminal costs, from what its status line was given: the only place where Claude Code tells it.

The files lie where the agent can write, so they are a hint, as all that it says of itself.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from agentrelay_core.runtime import IntegrationError
from agentrelay_core.runtime.agent_files import AgentDirectory
from agentrelay_tmux_claude.claude.hook_program import EVENTS_DIRECTORY
from agentrelay_tmux_claude.claude.usage import dollars

_NAME: Final = re.compile(r"status-(\d{1,9})-(first|last)\.json")
_LARGEST: Final = 64 * 1024  # bytes


def cost_of(signal_dir: Path) -> float:
    """What all starts of a session have cost, in US dollars.

    Each adds what it has told beyond the start before, or beyond its own beginning where it began anew.

    Args:
        signal_dir: The attempt's directory.
    """
    total = before = 0.0
    try:
        with AgentDirectory(signal_dir / EVENTS_DIRECTORY) as directory:
            for name in sorted(_names(signal_dir), key=_order):
                cost = _cost(directory, name)
                total += max(0.0, cost - before)
                before = cost
    except (OSError, IntegrationError):
        return total  # there is none yet, or it is no directory of ours any more
    return round(total, 6)


def told_since(signal_dir: Path, when: float) -> bool:
    """Whether the latest start has told its cost since a moment; also where none ever told it.

    Args:
        signal_dir: The attempt's directory.
        when: The moment, in seconds since the epoch.
    """
    try:
        latest = max(_names(signal_dir), key=_order, default=None)
        return latest is None or (signal_dir / EVENTS_DIRECTORY / latest).lstat().st_mtime >= when
    except OSError:
        return True


def _names(signal_dir: Path) -> list[str]:
    return [path.name for path in (signal_dir / EVENTS_DIRECTORY).iterdir() if _NAME.fullmatch(path.name)]


def _order(name: str) -> tuple[int, str]:
    found = _NAME.fullmatch(name)
    assert found is not None
    return int(found[1]), found[2]


def _cost(directory: AgentDirectory, name: str) -> float:
    try:
        told: Any = json.loads(directory.read(name, _LARGEST) or b"null")
        return dollars(told["cost"]["total_cost_usd"])
    except (IntegrationError, OSError, ValueError, RecursionError, TypeError, KeyError):
        return 0.0
