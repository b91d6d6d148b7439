"""What is written down of an agent's window beside the record of its program, so that whoever comes later finds both.

    <attempt>/<n>/tmux.json     which server and session, and which pane once it is open

It is written before tmux is asked for anything, and again when the pane is there.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Final

import attrs

from agentrelay_core.processes import ProcessError, ProcessIdentity
from agentrelay_core.processes.recorded.records import LaunchRecord
from agentrelay_core.runtime.agent_files import write_atomically
from agentrelay_tmux_claude.tmux.panes import Pane
from agentrelay_tmux_claude.tmux.server import Server

_FILE: Final = "tmux.json"


@attrs.frozen(kw_only=True)
class WindowRecord:
    """Where the window of a program is.

    Args:
        pane: The pane.
        number: Its id when it was opened, for example ``%3``; `None` before that. For people to see alone.
        server: The process of its server; `None` before that.
    """

    pane: Pane
    number: str | None = None
    server: ProcessIdentity | None = None

    def write(self, record: LaunchRecord) -> None:
        """Write it beside the record of a launch.

        Raises:
            ProcessError: That cannot be done.
        """
        pane = self.pane
        data = {
            "socket": str(pane.server.socket),
            "own": pane.server.own,
            "session": pane.session,
            "pane": self.number,
            "server": None if self.server is None else self.server.to_json(),
        }
        try:
            write_atomically(record.directory / _FILE, json.dumps(data).encode(), 0o600)
        except OSError as error:
            raise ProcessError(f"cannot write {record.directory / _FILE}: {error.strerror}") from error

    @classmethod
    def read(cls, record: LaunchRecord) -> "WindowRecord | None":
        """What `write` wrote; `None` where there is nothing."""
        try:
            data: Any = json.loads((record.directory / _FILE).read_bytes())
            server = Server(socket=Path(data["socket"]), own=data["own"])
            pane = Pane(server=server, session=data["session"], mark=mark_of(record))
            identity = None if data["server"] is None else ProcessIdentity.from_json(data["server"])
            return cls(pane=pane, number=data["pane"], server=identity)
        except (OSError, ValueError, KeyError, TypeError):
            return None


def mark_of(record: LaunchRecord) -> str:
    """What the pane of a launch is known by: nobody else's record is in that directory."""
    return hashlib.sha256(os.fsencode(record.directory)).hexdigest()[:16]
