"""The record of a program, as its runner process writes it: read by whoever starts it and by whoever comes later.

    <attempt>/lock              locked by the runner process while it lives
    <attempt>/<n>/agent.json    who the runner process and the program are; the program is null before it was started
    <attempt>/<n>/heartbeat     touched now and then by the runner process
    <attempt>/<n>/exit.json     how the program ended
    <attempt>/<n>/released      nobody will come back to this program: it is being ended

Programs are started again within an attempt, one after the other: <n> counts them from 1.
"""

import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from agentrelay_core.processes.identity import ProcessIdentity

LOCK: Final = "lock"
AGENT: Final = "agent.json"
EXIT: Final = "exit.json"
HEARTBEAT: Final = "heartbeat"
RELEASED: Final = "released"
# What the runner process itself has to complain about, which should be nothing.
RUNNER_LOG: Final = "runner.log"
_LARGEST = 65_536


@attrs.frozen(kw_only=True)
class Exit:
    """How a program ended.

    Args:
        code: Its exit code, or the negative number of the signal that ended it.
        message: Why it could not be started, `None` if it was.
        seconds: How long it ran.
    """

    code: int
    message: str | None
    seconds: float


@attrs.frozen
class LaunchRecord:
    """The record of one launch; each property reads anew.

    Args:
        attempt: The attempt's directory.
        number: Which launch of the attempt, from 1.
    """

    attempt: Path
    number: int

    @property
    def directory(self) -> Path:
        """Where the record is."""
        return self.attempt / str(self.number)

    @property
    def runner(self) -> ProcessIdentity | None:
        """The runner process, `None` before it has the lock."""
        return self._identity("runner")

    @property
    def program(self) -> ProcessIdentity | None:
        """The program's first process, `None` when it was not started, or that was not written down."""
        return self._identity("program")

    @property
    def marker(self) -> tuple[str, str] | None:
        """The variable that the program was given to be found by, `None` before anything was started."""
        marker = _read(self.directory / AGENT).get("marker")
        if isinstance(marker, list) and len(marker) == 2 and all(isinstance(word, str) for word in marker):
            return marker[0], marker[1]
        return None

    @property
    def exit(self) -> Exit | None:
        """How the program ended, `None` when that was not written down."""
        data = _read(self.directory / EXIT)
        code, message, seconds = (data.get(name) for name in ("exit_code", "message", "seconds"))
        if not isinstance(code, int):
            return None
        return Exit(
            code=code,
            message=message if isinstance(message, str) else None,
            seconds=seconds if isinstance(seconds, float) else 0.0,
        )

    @property
    def is_latest(self) -> bool:
        """Whether no program was started later in this attempt."""
        return latest(self.attempt) == self

    @property
    def released(self) -> bool:
        """Whether somebody said that nobody comes back to this program."""
        return (self.directory / RELEASED).exists()

    def release(self) -> None:
        """Say that nobody comes back to this program; to be said before it is ended."""
        with contextlib.suppress(FileNotFoundError):  # no record, so nobody could come back
            (self.directory / RELEASED).touch(mode=0o600)

    def _identity(self, whose: str) -> ProcessIdentity | None:
        data = _read(self.directory / AGENT).get(whose)
        try:
            return ProcessIdentity.from_json(data) if isinstance(data, dict) else None
        except ValueError:
            return None


def launches(attempt: Path) -> list[int]:
    """The numbers of an attempt's launches, rising."""
    try:
        return sorted(int(entry.name) for entry in attempt.iterdir() if entry.name.isdecimal())
    except (FileNotFoundError, NotADirectoryError):
        return []


def latest(attempt: Path) -> LaunchRecord | None:
    """The record of an attempt's last launch, `None` when there was none.

    One that never came as far as to have the lock is the last only if there is no other.
    """
    records = [LaunchRecord(attempt, number) for number in reversed(launches(attempt))]
    return next((record for record in records if (record.directory / AGENT).exists()), next(iter(records), None))


def lock_state(attempt: Path) -> Literal["held", "free", "unknown"]:
    """Whether a runner process holds an attempt's lock."""
    try:
        descriptor = os.open(attempt / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return "free"
    except OSError:
        return "unknown"
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return "held"
    except OSError:
        return "unknown"
    finally:
        os.close(descriptor)
    return "free"


def _read(path: Path) -> dict[str, Any]:
    """A JSON object; empty when there is none that can be read."""
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(_LARGEST))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
