"""The process table: who runs now, since when, in which group, and with which variables.

Linux tells it in ``/proc``; elsewhere `ps` is asked, which costs a process per look.
"""

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import attrs

from agentrelay_core.processes.capture import run_captured
from agentrelay_core.processes.errors import ProcessError, TableUnreadableError

_PROC = Path("/proc")
_HAS_PROC = sys.platform.startswith("linux")
_PS_DEADLINE = 10.0
# Seconds: how long a process is young, how long the variables of those are waited for, and between two looks.
_YOUNG = 1.0
_PATIENCE = 0.25
_MOMENT = 0.001
# lstart is five words: "Mon Jan  5 10:11:12 2026".
_PS_LINE = r"\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s*$"


@attrs.frozen(kw_only=True)
class TableEntry:
    """A process as the table shows it.

    Args:
        pid: Its process id.
        group: Its process group.
        session: Its session; the process group again where the system does not tell.
        start_time: When it started, comparable for equality within one boot.
        ended: Whether it is a zombie: ended, and not yet reaped.
        user: Numeric id of its user.
    """

    pid: int
    group: int
    session: int
    start_time: str
    ended: bool
    user: int


def read_entry(pid: int) -> TableEntry | None:
    """One process of the table.

    Args:
        pid: Its process id.

    Returns:
        Its entry, or `None` when there is no such process.

    Raises:
        TableUnreadableError: The table cannot be read.
    """
    if not _HAS_PROC:
        return next(iter(_entries_of_ps("-p", str(pid))), None)
    try:
        user = os.stat(f"/proc/{pid}").st_uid  # noqa: PTH116  # thousands of calls: no Path objects
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123
            text = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    except OSError as error:
        raise TableUnreadableError(f"/proc/{pid}/stat: {error.strerror}") from error
    # The name, in parentheses, may itself hold spaces and parentheses; what follows its last one is plain.
    fields = text[text.rindex(b")") + 2 :].split()
    return TableEntry(
        pid=pid,
        group=int(fields[2]),
        session=int(fields[3]),
        start_time=fields[19].decode(),
        # A leader whose other threads go on is shown as a zombie too, but has not ended.
        ended=fields[0] in (b"Z", b"X") and int(fields[17]) <= 1,
        user=user,
    )


def read_table() -> Iterator[TableEntry]:
    """All processes that can be seen, in no order.

    Raises:
        TableUnreadableError: The table cannot be read.
    """
    if not _HAS_PROC:
        yield from _entries_of_ps("-A")
        return
    for pid in _proc_pids():
        entry = read_entry(pid)
        if entry is not None:
            yield entry


def cpu_times() -> Iterator[tuple[int, int, float]]:
    """Process group, session and CPU seconds of every process, those of children that it waited for included.

    Raises:
        TableUnreadableError: The table cannot be read.
    """
    if not _HAS_PROC:
        for line in _ps("-A", "-o", "pgid=,time=").splitlines():
            group, _, shown = line.strip().partition(" ")
            yield int(group), int(group), _seconds_of_ps(shown.strip())
        return
    ticks = os.sysconf("SC_CLK_TCK")
    for pid in _proc_pids():
        try:
            with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123  # as above
                text = file.read()
        except OSError:
            continue  # it has ended meanwhile, or hides
        fields = text[text.rindex(b")") + 2 :].split(None, 15)
        yield int(fields[2]), int(fields[3]), sum(map(int, fields[11:15])) / ticks


def read_variable(name: str) -> dict[int, str]:
    """The value that an environment variable had when each process of our user was started.

    Args:
        name: The variable.

    Returns:
        Values by process id, of processes that had it; our own is left out.

    Raises:
        TableUnreadableError: The table cannot be read.
    """
    own, user = os.getpid(), os.geteuid()
    if not _HAS_PROC:
        found = _variable_of_ps(_ps("-A", "-E", "-ww", "-o", "pid=,uid=,command="), name, user)
        found.pop(own, None)
        return found
    wanted = b"\0" + os.fsencode(name) + b"="
    found = {}
    pids, until = _proc_pids(), time.monotonic() + _PATIENCE
    while pids:
        beginning = []
        for pid in pids:
            try:
                if pid == own or os.stat(f"/proc/{pid}").st_uid != user:  # noqa: PTH116  # as above
                    continue
                environment = b"\0" + _variables(pid)
            except OSError:
                continue  # it has ended meanwhile, or hides its variables from us
            begin = environment.find(wanted)
            if begin >= 0:
                found[pid] = os.fsdecode(environment[begin + len(wanted) :].partition(b"\0")[0])
            elif len(environment) == 1 and time.monotonic() < until and _is_young(pid):
                beginning.append(pid)  # a program takes its variables over a moment after it is said to run
        pids = beginning
        if pids:
            time.sleep(_MOMENT)
    return found


def _variables(pid: int) -> bytes:
    """The environment of a process on Linux, each variable with a NUL behind it."""
    with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:  # noqa: PTH123  # as above
        return file.readall()


def _is_young(pid: int) -> bool:
    """Whether a process, and none of the kernel's, was started less than a second ago."""
    try:
        os.readlink(f"/proc/{pid}/exe")  # noqa: PTH115  # as above
        entry = read_entry(pid)
    except (OSError, TableUnreadableError):
        return False
    if entry is None:
        return False
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - int(entry.start_time) / os.sysconf("SC_CLK_TCK")
    return age < _YOUNG


def command_line(pid: int) -> str:
    """The command line of a process, for messages; its number when it cannot be read."""
    try:
        if _HAS_PROC:
            words = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
            text = " ".join(word.decode(errors="replace") for word in words).strip()
        else:
            text = _ps("-p", str(pid), "-o", "command=").strip()
    except (OSError, TableUnreadableError):
        text = ""
    return text[:200] or f"process {pid}"


def _proc_pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir(_PROC) if name.isdecimal()]  # noqa: PTH208  # as above
    except OSError as error:
        raise TableUnreadableError(f"/proc: {error.strerror}") from error


def _ps(*arguments: str) -> str:
    try:
        captured = run_captured(["ps", *arguments], env={**os.environ, "LC_ALL": "C"}, deadline=_PS_DEADLINE)
    except ProcessError as error:
        raise TableUnreadableError(f"ps: {error}") from error
    if captured.returncode != 0 and captured.stderr:  # nobody found is exit 1 as well, without a word
        raise TableUnreadableError(f"ps: {captured.stderr.decode(errors='replace').strip()}")
    return captured.stdout.decode(errors="replace")


def _entries_of_ps(*which: str) -> Iterator[TableEntry]:
    for line in _ps(*which, "-o", "pid=,pgid=,uid=,state=,lstart=").splitlines():
        match = re.match(_PS_LINE, line)
        if match is not None:
            pid, group, user, state, start_time = match.groups()
            yield TableEntry(
                pid=int(pid),
                group=int(group),
                session=int(group),
                start_time=" ".join(start_time.split()),
                ended=state.startswith("Z"),
                user=int(user),
            )


def _seconds_of_ps(shown: str) -> float:
    """Seconds of ``[[days-]hours:]minutes:seconds``."""
    days, _, clock = shown.rpartition("-")
    seconds = 0.0
    for part in clock.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + 86_400 * int(days or 0)


def _variable_of_ps(text: str, name: str, user: int) -> dict[int, str]:
    # The variables follow the command line, all separated by spaces; a value ends where the next name begins.
    wanted = re.compile(rf" {re.escape(name)}=(.*?)(?= [A-Za-z_]\w*=|$)")
    found = {}
    for line in text.splitlines():
        pid, owner, command = (*line.split(None, 2), "", "")[:3]
        match = wanted.search(command)
        if owner == str(user) and match is not None:
            found[int(pid)] = match[1]
    return found
