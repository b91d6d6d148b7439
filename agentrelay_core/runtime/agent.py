"""The live agent of a task, and the address by which it can be reached and ended."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any


class AgentAddress(ABC):
    """Where an agent lives: enough to show it, to save its log and to end it."""

    @property
    @abstractmethod
    def label(self) -> str:
        """What people are shown, for example ``agentrelay:%3``."""

    @abstractmethod
    def teardown(self, signal_dir: Path | None = None, keep_panes: bool = False) -> Any:
        """Save the agent's log as ``agent.log`` and release whatever holds the agent.

        May be ``async def``, as any step may.

        Args:
            signal_dir: The attempt's directory, where ``agent.log`` goes.
            keep_panes: Leave what shows the agent for a look.
        """

    def cpu_seconds(self) -> float | None:
        """CPU time, in seconds, that the agent and all that it started have used so far.

        It is asked in a thread, from time to time, to tell an agent that works in silence from one that hangs.

        Returns:
            The time; `None`, the default, when it cannot be known.
        """
        return None

    def to_json(self) -> Any:
        """Plain data from which the environment's host can adopt the agent again.

        Returns:
            Data for ``EnvironmentHost.adopt``, or `None`: this agent cannot be adopted.
        """
        return None


class Agent(ABC):
    """A live agent, idle or already at work."""

    @abstractmethod
    def send_kickoff(self, instructions_path: str) -> Any:
        """Tell the agent to read its instructions. May be ``async def``.

        Args:
            instructions_path: Path of ``instructions.md``.
        """

    @property
    @abstractmethod
    def address(self) -> AgentAddress:
        """Where the agent lives."""

    def send_turn(self, instructions_path: str) -> Any:
        """Offer the agent another turn, for example after a failed gate. May be ``async def``.

        Args:
            instructions_path: Path of ``instructions.md``, rewritten for this turn.

        Returns:
            True when the agent took it; False (the default) when it must be started again.
        """
        return False
