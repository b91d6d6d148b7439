"""What runs left of tmux servers of their own: sockets of servers that are gone, and servers in which nothing lives.

A server goes on as long as it has a window, and ``keep_panes`` leaves windows. A server of the user's is never ours.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from agentrelay_core.hooks import RunInfo
from agentrelay_core.processes import alive, identify
from agentrelay_core.runtime import IntegrationBoundary, UserError
from agentrelay_core.runtime.agent_records import AGENTS
from agentrelay_core.task_runner.repairs import Leftover
from agentrelay_tmux_claude.tmux.errors import TmuxError
from agentrelay_tmux_claude.tmux.places import own_server
from agentrelay_tmux_claude.tmux.server import Server, is_absent


class TmuxRepairs:
    """The servers that the runs of a graph had for themselves.

    Args:
        run: The graph's latest run.
    """

    def __init__(self, run: RunInfo) -> None:
        self._state_dir = run.state_dir
        self._latest = run.run_id

    def leftovers(self) -> list[Leftover]:
        """A server, or its socket, for each run that left one."""
        return [_leftover(server, run_id) for run_id, server in self._servers() if _is_ours(server.socket)]

    def let_go(self, leftover: Leftover) -> None:
        """Remove a socket, after its server if that is there.

        Args:
            leftover: One of `leftovers`.

        Raises:
            UserError: Something lives in it by now, or it cannot be removed.
        """
        server = own_server(self._state_dir, leftover.run_id)
        found = _leftover(server, leftover.run_id)
        if found.stays:
            raise UserError(f"{found.name} stays: {found.stays}", boundary=IntegrationBoundary.AGENT_LAUNCH)
        try:
            server.run(("kill-server",))
        except TmuxError as error:
            if not is_absent(error):
                raise UserError(str(error), boundary=IntegrationBoundary.AGENT_LAUNCH) from error
        if _is_ours(server.socket):
            server.socket.unlink(missing_ok=True)

    def _servers(self) -> Iterator[tuple[str, Server]]:
        records = (self._state_dir / AGENTS).glob("*/*")
        runs = {path.name.rpartition("-")[0] for path in records} | {self._latest}
        yield from ((run_id, own_server(self._state_dir, run_id)) for run_id in sorted(runs - {""}))


def _leftover(server: Server, run_id: str) -> Leftover:
    """What is found of a server, and why it stays if it does."""
    name = f"tmux server at {server.socket}"
    stays = note = ""
    try:
        listed = server.run(("list-panes", "-a", "-F", "#{pane_pid}"), ("list-clients", "-F", "looked at"))
    except TmuxError as error:
        if is_absent(error):
            name = f"tmux socket {server.socket}"
        else:
            stays = str(error)
    else:
        lines = listed.splitlines()
        pids = [int(line) for line in lines if line.isdecimal()]
        living = sum(_lives(pid) for pid in pids)
        if living:
            stays = f"{living} of its {len(pids)} windows have a program that lives"
        elif len(lines) > len(pids):
            stays = "somebody looks at it"
        else:
            note = (
                f"it shows the last words of {len(pids)} agents" if len(pids) != 1 else "it shows an agent's last words"
            )
    return Leftover(kind="environment", name=name, run_id=run_id, stays=stays, note=note)


def _lives(pid: int) -> bool:
    """Whether a process lives; tmux itself does not always know (see `tmux.doctor`)."""
    identity = identify(pid)
    return identity is not None and alive(identity) != "ended"


def _is_ours(socket: Path) -> bool:
    try:
        there = socket.lstat()
    except OSError:
        return False
    return stat.S_ISSOCK(there.st_mode) and there.st_uid == os.getuid()
