"""The turn after a failed gate, told once for each failure, whenever an orchestrator was killed in between.

Which failure it is follows from the instructions, to which the runner adds every gate's output before it records that
the gate failed.
"""

import hashlib
from pathlib import Path
from typing import Final

from agentrelay_core.runtime import IntegrationError
from agentrelay_core.runtime.agent_files import AgentDirectory
from agentrelay_core.runtime.environment import INSTRUCTIONS
from agentrelay_tmux_claude.claude.memory import Memory, Turn
from agentrelay_tmux_claude.claude.prompts import gate_failed

_HEADING: Final = b"\n## The completion gate failed"
_LONGEST: Final = 16 * 1024 * 1024  # bytes


def gate_turn(signal_dir: Path) -> Turn:
    """The turn that tells of the last gate's failure.

    Args:
        signal_dir: The attempt's directory, its instructions rewritten.
    """
    key = hashlib.sha256(_instructions(signal_dir)).hexdigest()
    return Turn(reason="gate", prompt=gate_failed(str(signal_dir / INSTRUCTIONS)), key=key)


def is_told(memory: Memory, turn: Turn) -> bool:
    """Whether the session was given that very turn already."""
    return any(item.started and item.key == turn.key for item in memory.turns)


def untold_gate(signal_dir: Path, memory: Memory) -> Turn | None:
    """The turn after a gate that failed right before the orchestrator was killed; `None` where there is none.

    Args:
        signal_dir: The attempt's directory.
        memory: What is remembered of the session.
    """
    if _HEADING not in _instructions(signal_dir):
        return None
    turn = gate_turn(signal_dir)
    return None if is_told(memory, turn) else turn


def _instructions(signal_dir: Path) -> bytes:
    try:
        with AgentDirectory(signal_dir) as directory:
            return directory.read(INSTRUCTIONS, _LONGEST) or b""
    except (OSError, IntegrationError):
        return b""  # the agent spoiled them; it is told all the same
