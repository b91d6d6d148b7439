"""Where a run's own tmux server has its socket: in the state directory, or, as such paths must be short, elsewhere."""

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from agentrelay_tmux_claude.tmux.errors import TmuxError
from agentrelay_tmux_claude.tmux.server import Server

SESSION: Final = "agentrelay"
# Bytes: systems take 104 to 108, and tmux adds a name for a lock.
_LONGEST: Final = 90
_SHORT: Final = Path("/tmp")  # below it we make a directory that nobody else can write


def own_server(state_dir: Path, run_id: str) -> Server:
    """The tmux server of a run.

    Args:
        state_dir: The run's state directory.
        run_id: The run.
    """
    path = state_dir.absolute() / f"tmux-{run_id}"
    if len(os.fsencode(path)) > _LONGEST:
        name = hashlib.sha256(os.fsencode(path)).hexdigest()[:20]
        path = _SHORT / f"agentrelay-{os.getuid()}" / name
    return Server(socket=path, own=True)


def make_place(server: Server) -> None:
    """Make the directory of a server's socket, where there is no socket of the user's yet.

    Raises:
        TmuxError: It belongs to somebody else, or others may write there.
    """
    if not server.own and server.socket.exists():
        return  # where that is was the user's choice
    folder = server.socket.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise TmuxError(f"{folder} cannot be made for tmux's socket: {error.strerror}") from error
    check_place(server)


def check_place(server: Server) -> None:
    """See that the directory of a server's socket, where there is one, is safe.

    Raises:
        TmuxError: It belongs to somebody else, or others may write there.
    """
    folder = server.socket.parent
    try:
        there = folder.lstat()
    except FileNotFoundError:
        return  # it is made when it is needed
    except OSError as error:
        raise TmuxError(f"{folder} cannot be looked at: {error.strerror}") from error
    if not stat.S_ISDIR(there.st_mode) or there.st_uid != os.getuid() or there.st_mode & 0o022:
        raise TmuxError(f"{folder} is not a directory of yours alone, so tmux's socket is not safe there; remove it")
