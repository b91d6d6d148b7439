"""Which process it was: a process id alone is used again, with the boot and the start time it is not."""

import functools
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import attrs

from agentrelay_core.processes.capture import run_captured
from agentrelay_core.processes.errors import ProcessError, TableUnreadableError
from agentrelay_core.processes.table import read_entry, read_variable

_LINUX_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_DEADLINE = 10.0


@attrs.frozen(kw_only=True)
class ProcessIdentity:
    """One process, told apart from every other that has or will have its number.

    Args:
        pid: Its process id.
        start_time: When it started, as the system counts it.
        boot_id: The boot of the machine that it belongs to.
    """

    pid: int
    start_time: str
    boot_id: str

    def to_json(self) -> dict[str, Any]:
        """Plain data, from which `from_json` makes the identity again."""
        return attrs.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ProcessIdentity":
        """The identity that `to_json` wrote.

        Raises:
            ValueError: The data is none.
        """
        pid, start_time, boot_id = (data.get(name) for name in ("pid", "start_time", "boot_id"))
        if not (isinstance(pid, int) and pid > 0 and isinstance(start_time, str) and isinstance(boot_id, str)):
            raise ValueError(f"not the identity of a process: {dict(data)!r}")
        return cls(pid=pid, start_time=start_time, boot_id=boot_id)


@functools.cache  # it cannot change while we live
def boot_id() -> str:
    """The id of this boot of the machine; empty where the system has none."""
    if sys.platform.startswith("linux"):
        try:
            return _LINUX_BOOT_ID.read_text().strip()
        except OSError:
            return ""
    try:
        return run_captured(["sysctl", "-n", "kern.bootsessionuuid"], deadline=_DEADLINE).stdout.decode().strip()
    except ProcessError:
        return ""


def identify(pid: int) -> ProcessIdentity | None:
    """The identity of the process that has a number now.

    Args:
        pid: Its process id.

    Returns:
        The identity, of a zombie as well; `None` when there is no such process.

    Raises:
        TableUnreadableError: The process table cannot be read.
    """
    entry = read_entry(pid)
    return None if entry is None else ProcessIdentity(pid=pid, start_time=entry.start_time, boot_id=boot_id())


def alive(identity: ProcessIdentity) -> Literal["alive", "ended", "unknown"]:
    """Whether a process still runs.

    Args:
        identity: The process.

    Returns:
        ``ended`` by proof alone: another boot, nobody or somebody else at its number, a zombie.
    """
    if identity.boot_id != boot_id():
        return "ended"
    try:
        entry = read_entry(identity.pid)
    except TableUnreadableError:
        return "unknown"
    if entry is None or entry.ended or entry.start_time != identity.start_time:
        return "ended"
    return "alive"


def find_marked(name: str, value: str) -> list[ProcessIdentity]:
    """Processes of our user, other than this one, that were started with a certain environment variable.

    Children inherit it, so it finds those that left the group and the session of the program that was given it.

    Args:
        name: The variable.
        value: Its value.

    Returns:
        Their identities, by process id.

    Raises:
        TableUnreadableError: The process table cannot be read.
    """
    found = (identify(pid) for pid, its in sorted(read_variable(name).items()) if its == value)
    return [identity for identity in found if identity is not None]
