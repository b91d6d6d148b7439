"""The host of windows in tmux: a local process like any other, but with a terminal that people can look at."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from agentrelay_core.builtin.host import ProcessHost
from agentrelay_core.hooks import StepContext
from agentrelay_core.processes import RecordedProgram
from agentrelay_core.processes.recorded.records import LaunchRecord
from agentrelay_core.runtime import AgentAddress, IntegrationBoundary, UserError
from agentrelay_tmux_claude.tmux.address import TmuxAddress
from agentrelay_tmux_claude.tmux.environment import TmuxEnvironment, session_name
from agentrelay_tmux_claude.tmux.errors import TmuxError
from agentrelay_tmux_claude.tmux.handover import PaneStarter
from agentrelay_tmux_claude.tmux.places import SESSION, own_server
from agentrelay_tmux_claude.tmux.server import users_server


class TmuxHost(ProcessHost):
    """Runs agents in windows of tmux. It holds nothing: whatever there is to know of an agent is in its record.

    Args:
        environment: Says which session gets the windows, and how much memory an agent's processes.
    """

    def __init__(self, environment: TmuxEnvironment) -> None:
        super().__init__(memory_mib_per_process=environment.memory_mib_per_process)
        self._session = environment.session

    def starter(self, context: StepContext) -> Callable[..., tuple[LaunchRecord, int | None]]:
        """Start programs in a window that is named after the task.

        Args:
            context: The task.

        Raises:
            UserError: The run's ``tmux_session`` is no name of a session.
        """
        run, task = context.run, context.runtime.task
        session = self._session or run.settings.tmux_session
        if session is None:
            return PaneStarter(server=own_server(run.state_dir, context.runtime.run_id), session=SESSION, title=task.id)
        try:
            session_name(session)
        except ValueError as error:
            raise UserError(f"tmux_session: {error}", boundary=IntegrationBoundary.AGENT_LAUNCH) from error
        return PaneStarter(server=users_server(), session=session, title=task.id)

    def address_of(self, program: RecordedProgram, signal_dir: Path) -> TmuxAddress:
        """The address of a program in a window.

        Args:
            program: The program.
            signal_dir: The attempt's directory.
        """
        return TmuxAddress(program, signal_dir)

    async def wait(self, address: AgentAddress) -> int | None:
        """Wait until the program has ended, then end what it left running; see `ProcessHost.wait`."""
        exit_code = await super().wait(address)
        if isinstance(address, TmuxAddress):
            address.say_ended()
        return exit_code

    async def attach_command(self, address: AgentAddress) -> tuple[str, ...] | None:
        """What shows an agent's window in the terminal in which it is typed.

        Args:
            address: The agent's.

        Returns:
            A program and its arguments; `None` when the window is gone.

        Raises:
            UserError: tmux does not tell.
        """
        pane = address.pane if isinstance(address, TmuxAddress) else None
        try:
            there = None if pane is None else await asyncio.to_thread(pane.look)
        except TmuxError as error:
            raise UserError(str(error), boundary=IntegrationBoundary.AGENT_LAUNCH) from error
        if pane is None or there is None:
            return None
        call = ("tmux", "-u", "-S", str(pane.server.socket))
        if os.environ.get("TMUX", "").partition(",")[0] == str(pane.server.socket):
            return (*call, "switch-client", "-t", there.pane)
        return ("env", "-u", "TMUX", *call, "attach-session", "-t", f"={there.session}:{there.window}")
