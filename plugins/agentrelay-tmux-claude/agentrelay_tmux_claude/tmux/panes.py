"""One pane of ours among all that a tmux server has: known by a mark that it was given when it was made.

Numbers of panes are used again after a restart of the server, and names match by prefix, so neither says which pane
is ours. Titles and directories are formats to tmux, in which ``#(…)`` is run: none is ever handed to it.
"""

import contextlib
import re
from collections.abc import Sequence
from typing import Final

import attrs

from agentrelay_tmux_claude.tmux.errors import TmuxError
from agentrelay_tmux_claude.tmux.places import make_place
from agentrelay_tmux_claude.tmux.server import Server, is_absent

_MARK: Final = "@agentrelay"
_FIELDS: Final = ("pid", "pane_id", "window_id", "pane_pid", "session_name")
_FORMAT: Final = " ".join(f"#{{{field}}}" for field in _FIELDS)
# Each try fails only because somebody else made or ended the session at that very moment.
_TRIES: Final = 20
OLDEST: Final = (3, 1)  # the first with options of a pane that all of ours are


@attrs.frozen(kw_only=True)
class Opened:
    """A pane that is there.

    Args:
        server_pid: Process id of its server.
        pane: Its id, for example ``%3``.
        window: The id of its window, for example ``@3``.
        pid: Process id of what was started in it.
        session: The name of its session.
    """

    server_pid: int
    pane: str
    window: str
    pid: int
    session: str


@attrs.frozen(kw_only=True)
class Pane:
    """A pane of ours, there or not.

    Args:
        server: The server that has it.
        session: The session that it is opened in.
        mark: What it is known by, hexadecimal digits.
    """

    server: Server
    session: str
    mark: str

    def open(self, title: str, argv: Sequence[str]) -> Opened:
        """Open a window and start a program in it, without a shell; the window stays when the program has ended.

        Args:
            title: The window's name; what tmux might give a meaning to becomes ``_``.
            argv: The program, by its whole path, and its arguments.

        Raises:
            TmuxError: tmux could not do it.
        """
        make_place(self.server)
        name = f"agentrelay-{self.mark}"  # no other window has it, until this one gets its own
        target = f"={self.session}:={name}"
        then = (
            ("set-option", "-p", "-t", target, "remain-on-exit", "on"),
            ("set-option", "-p", "-t", target, "allow-rename", "off"),
            ("set-option", "-p", "-t", target, _MARK, self.mark),
            ("rename-window", "-t", target, safe_title(title)),
        )
        more = ("-n", name, "-c", "/", "-P", "-F", _FORMAT, *argv)
        window = ("new-window", "-d", "-t", f"={self.session}:", *more)
        session = ("new-session", "-d", "-s", self.session, *more)
        for number in range(_TRIES):
            try:
                return _opened(self.server.run(window if number % 2 == 0 else session, *then))
            except TmuxError as error:
                if not (is_absent(error) or "duplicate session" in str(error)):
                    raise _explained(error, self.server) from error
                last = error
        raise last

    def look(self) -> Opened | None:
        """Look for the pane; `None` where it is gone.

        Raises:
            TmuxError: tmux does not tell.
        """
        return _all_marked(self.server).get(self.mark)

    def close(self) -> None:
        """Close the pane, and so its window where nobody split it; nothing happens where it is gone.

        Raises:
            TmuxError: tmux does not answer.
        """
        close_all([self])

    def screen(self) -> str:
        """What is on the screen; empty where the pane is gone.

        Raises:
            TmuxError: tmux does not answer.
        """
        there = self.look()
        return "" if there is None else self.server.run(("capture-pane", "-p", "-J", "-t", there.pane))


def close_all(panes: Sequence[Pane]) -> None:
    """Close panes, whether they are there or not.

    Raises:
        TmuxError: tmux does not answer, or does not do it.
    """
    for server in {pane.server for pane in panes}:
        ours = {pane.mark for pane in panes if pane.server == server}
        there = [opened.pane for mark, opened in _all_marked(server).items() if mark in ours]
        for number in there:
            with contextlib.suppress(TmuxError):  # it was closed meanwhile, which the next look tells
                server.run(("kill-pane", "-t", number))
        if there and (left := ours & _all_marked(server).keys()):
            raise TmuxError(f"{len(left)} panes of tmux at {server.socket} cannot be closed")


def safe_title(text: str) -> str:
    """A name for a window in which tmux sees no format, and no key."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", text) or "_"


def too_old(server: Server) -> str | None:
    """What is needed where tmux is too old; `None` where it is not, or does not say its version."""
    version = server.version()
    if version is None or version >= OLDEST:
        return None
    have, due = (".".join(map(str, numbers)) for numbers in (version, OLDEST))
    return f"tmux {have} is too old; install {due} or newer, or choose another environment"


def _explained(error: TmuxError, server: Server) -> TmuxError:
    """Say what is needed where tmux is too old for what it was asked."""
    old = too_old(server)
    return error if old is None else TmuxError(f"{old} ({error})")


def _all_marked(server: Server) -> dict[str, Opened]:
    """All panes of a server that somebody marked, by their marks."""
    try:
        listed = server.run(("list-panes", "-a", "-F", f"#{{{_MARK}}} {_FORMAT}"))
    except TmuxError as error:
        if is_absent(error):
            return {}
        raise
    lines = (line.partition(" ") for line in listed.splitlines())
    return {mark: _opened(rest) for mark, _, rest in lines if mark}


def _opened(line: str) -> Opened:
    words = line.split()
    if len(words) != len(_FIELDS):
        raise TmuxError(f"tmux told of no window, but said {line.strip()!r}")
    return Opened(server_pid=int(words[0]), pane=words[1], window=words[2], pid=int(words[3]), session=words[4])
