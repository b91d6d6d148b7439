"""A tmux server, told what to do: always by its socket's path, never in the terminal or with the secrets of its caller.

Whoever starts a server gives it his environment, and each of its windows inherits that. Ours is started with the few
variables that a terminal needs.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.processes import ProcessError, ProgramNotFoundError, run_captured
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_tmux_claude.tmux.errors import TmuxError

DEADLINE: Final = 20.0  # seconds; a command takes some 5 ms
_PASSED: Final = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME",
)  # fmt: skip
_CONFIGURATION: Final = Path(__file__).absolute().with_name("server.conf")
# How tmux says that there is no such server, session or pane.
_ABSENT: Final = (
    "no server running",
    "error connecting",
    "can't find",
    "server exited",
    "lost server",
    "no current target",
    "no sessions",
)


@attrs.frozen(kw_only=True)
class Server:
    """A tmux server, be it running or not.

    Args:
        socket: Path of its socket.
        own: Whether it is ours alone: then it has our configuration, and none of the user's.
    """

    socket: Path
    own: bool

    def run(self, *commands: Sequence[str], stdin: bytes | None = None) -> str:
        """Have commands done, one after the other, with nothing in between.

        Args:
            commands: Each with its arguments.
            stdin: What ``load-buffer -`` reads.

        Returns:
            What they printed.

        Raises:
            TmuxError: tmux refused, or is not there; `is_absent` tells whether what was named does not exist.
        """
        words: list[str] = []
        for command in commands:
            words += [";"] if words else []
            words += map(_argument, command)
        try:
            done = run_captured(
                [*self.argv, *words], cwd="/", env=terminal_environment(os.environ), stdin=stdin, deadline=DEADLINE
            )
        except ProgramNotFoundError as error:
            raise TmuxError("tmux is not on PATH; install it, or choose another environment") from error
        except ProcessError as error:
            raise TmuxError(f"tmux does not answer at {self.socket}: {error}") from error
        if done.returncode != 0:
            said = plain_line(done.stderr.decode(errors="replace").strip()) or f"exit {done.returncode}"
            raise TmuxError(f"tmux at {self.socket}: {said}")
        return done.stdout.decode(errors="replace")

    def version(self) -> tuple[int, int] | None:
        """Which tmux this is, for example ``(3, 3)``; `None` where it does not say."""
        try:
            said = run_captured(["tmux", "-V"], env=terminal_environment(os.environ), deadline=DEADLINE).stdout
        except ProcessError:
            return None
        found = re.search(rb"(\d+)\.(\d+)", said)
        return None if found is None else (int(found[1]), int(found[2]))

    @property
    def argv(self) -> tuple[str, ...]:
        """How tmux is called for this server."""
        return ("tmux", "-u", "-S", str(self.socket), *(("-f", str(_CONFIGURATION)) if self.own else ()))


def is_absent(error: TmuxError) -> bool:
    """Whether tmux said that there is no such server, session, window or pane."""
    return any(words in str(error) for words in _ABSENT)


def users_server() -> Server:
    """The tmux server that the user gets who types ``tmux``, here and now."""
    inside = os.environ.get("TMUX", "").partition(",")[0]
    if inside:
        return Server(socket=Path(inside), own=False)
    folder = Path(os.environ.get("TMUX_TMPDIR") or "/tmp") / f"tmux-{os.getuid()}"  # as tmux does
    return Server(socket=folder / "default", own=False)


def terminal_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What of an environment a terminal needs."""
    return {name: value for name, value in environment.items() if name in _PASSED or name.startswith("LC_")}


def _argument(word: str) -> str:
    """A word that tmux takes as it is: a semicolon at its end would begin the next command."""
    return f"{word[:-1]}\\;" if word.endswith(";") else word
