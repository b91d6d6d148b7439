"""The fake agent: what a launcher returns, alive in a thread and waiting to be told what to do."""

from pathlib import Path

from agentrelay_core.runtime import Agent
from pytest_agentrelay.fakes.address import InProcessAddress
from pytest_agentrelay.fakes.script import Script, read_script
from pytest_agentrelay.fakes.thread import ThreadAgent


class FakeAgent(Agent):
    """A live agent.

    Args:
        address: Where it lives.
    """

    def __init__(self, address: InProcessAddress) -> None:
        self._address = address

    @classmethod
    def start(cls, script: Script, *, task_id: str, worktree: Path, signal_dir: Path) -> "FakeAgent":
        """Start an agent that is idle until it is told to begin.

        Args:
            script: What it does in each turn; see the README for the words.
            task_id: Its task.
            worktree: Where it works; exists.
            signal_dir: Where it signals; exists.

        Raises:
            ValueError: The script is none.
            AgentFailure: Its log cannot be written.
        """
        agent = ThreadAgent(read_script(script), task_id=task_id, worktree=worktree, signal_dir=signal_dir, idle=True)
        agent.start()
        return cls(InProcessAddress(agent, signal_dir))

    @property
    def address(self) -> InProcessAddress:
        """Where it lives."""
        return self._address

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._address.agent.alive

    @property
    def received(self) -> tuple[bytes, ...]:
        """The instructions as it read them, turn by turn."""
        return tuple(self._address.agent.received)

    def send_kickoff(self, instructions_path: str) -> None:
        """Tell it to begin, and return when it has read its instructions.

        Raises:
            AgentFailure: It has ended, or does not read them.
        """
        self._address.agent.tell(Path(instructions_path))

    def send_turn(self, instructions_path: str) -> bool:
        """Give it another turn; False when it has ended."""
        if not self.alive:
            return False
        self._address.agent.tell(Path(instructions_path))
        return True
