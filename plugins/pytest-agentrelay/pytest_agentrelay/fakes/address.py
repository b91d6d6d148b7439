"""Where an agent in a thread lives: a name that is good within this process alone, and says so to any other."""

import itertools
import os
from pathlib import Path
from typing import Any

from agentrelay_core.builtin.address import printed_in
from agentrelay_core.processes import identify
from agentrelay_core.runtime import AgentAddress
from agentrelay_core.runtime.agent_files import write_atomically
from pytest_agentrelay.fakes.thread import AGENT_LOG, ThreadAgent

# The agents of this process by number, as the operating system has a table of processes: an address is looked up here.
_AGENTS: dict[int, "InProcessAddress"] = {}
_NUMBERS = itertools.count(1)


class InProcessAddress(AgentAddress):
    """The address of an agent in a thread.

    Args:
        agent: The agent, started.
        signal_dir: The attempt's directory, where ``agent.log`` is.
    """

    def __init__(self, agent: ThreadAgent, signal_dir: Path) -> None:
        self.agent = agent
        self.signal_dir = signal_dir
        self.number = next(_NUMBERS)
        _AGENTS[self.number] = self

    @property
    def label(self) -> str:
        """For example ``in_process:3``."""
        return f"in_process:{self.number}"

    def teardown(self, signal_dir: Path | None = None, keep_panes: bool = False) -> None:
        """Stop the agent for good; its log is in its own directory, and copied if another is asked for.

        Args:
            signal_dir: Where ``agent.log`` is wanted.
            keep_panes: Without meaning here.

        Raises:
            AgentFailure: It does not end.
        """
        try:
            self.agent.stop()
        finally:
            if signal_dir is not None and signal_dir != self.signal_dir:
                write_atomically(signal_dir / AGENT_LOG, self.output())
        _AGENTS.pop(self.number, None)

    def output(self) -> bytes:
        """What the agent printed so far; see `printed_in`."""
        return printed_in(self.signal_dir)

    def to_json(self) -> dict[str, Any]:
        """The agent's number, and the process that it lives in."""
        return {"in_process": self.number, "process": _this_process()}


def find_agent(data: Any) -> InProcessAddress | None:
    """The address that `InProcessAddress.to_json` wrote.

    Args:
        data: What it gave.

    Returns:
        The address; `None` when its agent was torn down, or lived in another process and ended with that.

    Raises:
        ValueError: The data is no address.
    """
    if not isinstance(data, dict) or not isinstance(data.get("in_process"), int):
        raise ValueError(f"not the address of an agent in this process: {data!r}")
    return _AGENTS.get(data["in_process"]) if data.get("process") == _this_process() else None


def agent_at(signal_dir: Path) -> InProcessAddress | None:
    """The agent that was started last in an attempt's directory and is not torn down, be it alive or not."""
    found = [address for address in _AGENTS.values() if address.signal_dir == signal_dir]
    return found[-1] if found else None


def _this_process() -> dict[str, Any]:
    identity = identify(os.getpid())
    return {} if identity is None else identity.to_json()
