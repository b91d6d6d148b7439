"""What a step leaves behind: processes, descriptors and threads that were not there before.

Descendants of this process are found by their parents, an agent that left them by the variable that it was given.
"""

import gc
import os
import threading
import time
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.processes.capture import run_captured
from agentrelay_core.processes.table import command_line, read_entry, read_variable

MARKER: Final = "AGENTRELAY_SIGNAL_DIR"
_DESCRIPTORS: Final = next((path for path in (Path("/proc/self/fd"), Path("/dev/fd")) if path.is_dir()), None)
_LOOK: Final = 0.02


@attrs.frozen(kw_only=True)
class Present:
    """What is there at one time.

    Args:
        processes: Process ids.
        descriptors: What each open descriptor stands for.
        threads: Identities of threads.
    """

    processes: frozenset[int]
    descriptors: frozenset[tuple[int, str]]
    threads: frozenset[int]


def present(place: Path) -> Present:
    """Look what is there now.

    Args:
        place: The directory under which the attempts of this test have their directories.
    """
    gc.collect()
    return Present(
        processes=frozenset(processes(place)),
        descriptors=frozenset(_descriptors()),
        threads=frozenset(thread.ident for thread in threading.enumerate() if thread.ident is not None),
    )


def left_since(before: Present, place: Path, patience: float) -> list[str]:
    """What is there now and was not before, in words; what is about to go is given time to.

    Args:
        before: What was there.
        place: The directory under which the attempts of this test have their directories.
        patience: Seconds that it is given.
    """
    until = time.monotonic() + patience
    while (found := _new(before, present(place))) and time.monotonic() < until:
        time.sleep(_LOOK)
    return found


def processes(place: Path) -> set[int]:
    """Processes that this one, or an agent of this test, started and that have not ended."""
    below = str(place)
    marked = {pid for pid, value in read_variable(MARKER).items() if value.startswith(below)}
    return {pid for pid in marked | _descendants() if _runs(pid)}


def _new(before: Present, now: Present) -> list[str]:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return [
        *(f"process {pid} ({command_line(pid)})" for pid in sorted(now.processes - before.processes)),
        *(f"descriptor {number} ({target})" for number, target in sorted(now.descriptors - before.descriptors)),
        *(f"thread {names.get(ident, ident)!r}" for ident in sorted(now.threads - before.threads)),
    ]


def _runs(pid: int) -> bool:
    entry = read_entry(pid)
    return entry is not None and not entry.ended


def _descendants() -> set[int]:
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    due = [os.getpid()]
    while due:
        for child in children.get(due.pop(), ()):
            if child not in found:
                found.add(child)
                due.append(child)
    return found


def _parents() -> list[tuple[int, int]]:
    if not Path("/proc/self/stat").exists():
        text = run_captured(["ps", "-A", "-o", "pid=,ppid="], deadline=10.0).stdout.decode()
        return [(int(pid), int(parent)) for pid, parent in (line.split() for line in text.splitlines())]
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_bytes()
            except OSError:
                continue  # it has ended meanwhile
            found.append((int(entry.name), int(stat[stat.rindex(b")") + 2 :].split()[1])))
    return found


def _descriptors() -> list[tuple[int, str]]:
    if _DESCRIPTORS is None:
        return []
    found = []
    for name in os.listdir(_DESCRIPTORS):  # noqa: PTH208  # Path.iterdir opens the directory no less
        try:
            target = os.readlink(_DESCRIPTORS / name)  # noqa: PTH115  # its text alone is wanted
        except OSError:
            continue  # the one by which the directory was listed
        found.append((int(name), target))
    return found
