"""Agents and addresses that only note what is done to them, for the steps that come after the launcher."""

import time
from pathlib import Path
from typing import Any, Final

from agentrelay_core.hooks import Liveness
from agentrelay_core.runtime import Agent, AgentAddress, AgentFailure
from agentrelay_core.task_runner.calls import call_step

# How long a slow agent takes to take its instructions, or to be torn down, in seconds: longer than a loop may be held.
SLOW: Final = 0.2


class NotedAddress(AgentAddress):
    """An address whose agent is nobody.

    Args:
        label: What people are shown.
        slow: Whether tearing it down blocks for a while, as ending a real process does.
    """

    def __init__(self, label: str, *, slow: bool = False) -> None:
        self._label = label
        self._slow = slow
        self.torn_down: list[Path | None] = []
        """The directory that each teardown was told to save the log in."""

    @property
    def label(self) -> str:
        """What people are shown."""
        return self._label

    def teardown(self, signal_dir: Path | None = None, keep_panes: bool = False) -> None:
        """Note it."""
        if self._slow:
            time.sleep(SLOW)
        self.torn_down.append(signal_dir)


class AwaitedAddress(NotedAddress):
    """An address whose teardown is ``async def``."""

    async def teardown(  # type: ignore[override]  # the contract allows both
        self, signal_dir: Path | None = None, keep_panes: bool = False
    ) -> None:
        """Note it once it is awaited."""
        self.torn_down.append(signal_dir)


class NotedAgent(Agent):
    """An agent that reads its instructions and does nothing.

    Args:
        label: What its address shows.
        slow: Whether it blocks for a while, as typing into a terminal does.
        refuses: Whether it takes no instructions.
    """

    def __init__(self, label: str, *, slow: bool = False, refuses: bool = False) -> None:
        self._address = NotedAddress(label)
        self._slow = slow
        self._refuses = refuses
        self.received: list[bytes] = []
        """The instructions, as often as it was told to read them."""

    @property
    def address(self) -> NotedAddress:
        """Where it lives."""
        return self._address

    def send_kickoff(self, instructions_path: str) -> Any:
        """Read the instructions."""
        if self._slow:
            time.sleep(SLOW)
        self._take(instructions_path)

    def _take(self, instructions_path: str) -> None:
        if self._refuses:
            raise AgentFailure("the agent takes no instructions")
        self.received.append(Path(instructions_path).read_bytes())


class AwaitedAgent(NotedAgent):
    """An agent whose ``send_kickoff`` is ``async def``."""

    async def send_kickoff(self, instructions_path: str) -> None:
        """Read the instructions once it is awaited."""
        self._take(instructions_path)


class UnknowingHost:
    """A host that lost sight of its agents for a while: it can neither wait for them nor tell whether they live."""

    def __init__(self) -> None:
        self.lost = True
        """Whether nothing is known."""
        self.real: Any = None
        """The host that knows."""

    async def wait(self, address: AgentAddress) -> int | None:
        """Nothing is known, at once."""
        if self.lost:
            return None
        code: int | None = await call_step(None, self.real, "wait", address)
        return code

    async def is_alive(self, address: AgentAddress) -> Liveness:
        """Nothing is known."""
        if self.lost:
            return "unknown"
        answer: Liveness = await call_step(None, self.real, "is_alive", address)
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)
