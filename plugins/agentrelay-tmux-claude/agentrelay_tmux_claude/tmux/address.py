"""Where an agent in tmux lives: its program, by the same record as any local process has, and its window."""

import asyncio
import signal
from pathlib import Path

from agentrelay_core.builtin.address import ProcessAddress
from agentrelay_core.processes import ProcessError, RecordedProgram
from agentrelay_core.processes.ending import send_signal
from agentrelay_core.processes.recorded.records import LaunchRecord, launches
from agentrelay_core.runtime import AgentFailure
from agentrelay_tmux_claude.tmux.panes import Pane, close_all
from agentrelay_tmux_claude.tmux.records import WindowRecord


class TmuxAddress(ProcessAddress):
    """The address of an agent in a window of tmux.

    Whether it lives, and how it ended, is read from its program's record; tmux is never asked for that.

    Args:
        program: The program and its record.
        signal_dir: The attempt's directory, where ``agent.log`` is.
    """

    def __init__(self, program: RecordedProgram, signal_dir: Path) -> None:
        super().__init__(program, signal_dir)
        self._window = WindowRecord.read(program.record)

    @property
    def pane(self) -> Pane | None:
        """Its pane, there or not; `None` where no record of one was made."""
        return None if self._window is None else self._window.pane

    @property
    def label(self) -> str:
        """For example ``agentrelay:%3``, a session and the number of a pane in it."""
        if self._window is None:
            return super().label
        number = self._window.number
        return self._window.pane.session if number is None else f"{self._window.pane.session}:{number}"

    async def teardown(self, signal_dir: Path | None = None, keep_panes: bool = False) -> None:
        """Stop the agent for good and close its window, and those of earlier launches of its attempt.

        Args:
            signal_dir: Where ``agent.log`` is wanted.
            keep_panes: Leave the window, with the agent's last words, for a look.

        Raises:
            AgentFailure: Something could not be ended, or the window could not be closed.
        """
        try:
            await super().teardown(signal_dir, keep_panes)
        finally:
            self.say_ended()
            if not keep_panes:
                try:
                    await asyncio.to_thread(self._close)
                except ProcessError as error:
                    raise AgentFailure(str(error)) from error

    def _close(self) -> None:
        attempt = self.program.record.attempt
        windows = (WindowRecord.read(LaunchRecord(attempt, number)) for number in launches(attempt))
        close_all([window.pane for window in windows if window is not None])

    def say_ended(self) -> None:
        """Make tmux look at its children: 3.3a loses the end of some, and shows their windows as if they lived."""
        if self._window is not None and self._window.server is not None:
            send_signal(self._window.server, signal.SIGCHLD)
