"""What a step leaves behind: processes, descriptors and threads that were not there before.

Descendants of this process are found by their parents, an agent that left them by the variable that it was given.
"""

import contextlib
import gc
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.processes.capture import run_captured
from agentrelay_core.processes.table import command_line, read_entry, read_variable
from pytest_agentrelay.leaks.descriptors import Descriptor, descriptors
from pytest_agentrelay.leaks.processes import SIGNAL_DIR

_TELLS_CHILDREN: Final = Path("/proc/self/task").is_dir() and any(Path("/proc/self/task").glob("*/children"))
_LOOK: Final = 0.02


@attrs.frozen(kw_only=True)
class Present:
    """What is there at one time.

    Args:
        processes: Process ids.
        descriptors: Open descriptors.
        threads: Identities of threads.
    """

    processes: frozenset[int]
    descriptors: frozenset[Descriptor]
    threads: frozenset[int]


def present(place: Path) -> Present:
    """Look what is there now.

    Args:
        place: The directory under which the attempts of this test have their directories.
    """
    return Present(
        processes=frozenset(processes(place)),
        descriptors=descriptors(),
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
    if _new(before, present(place)):
        gc.collect()  # only now, for it takes longer than the look: what nobody holds any more is closed
    while (found := _new(before, present(place))) and time.monotonic() < until:
        time.sleep(_LOOK)
    return found


def processes(place: Path) -> set[int]:
    """Processes that this one, or an agent of this test, started and that have not ended."""
    below = str(place)
    marked = {pid for pid, value in read_variable(SIGNAL_DIR).items() if value.startswith(below)}
    return {pid for pid in marked | descendants() if _runs(pid)}


def descendants() -> set[int]:
    """Process ids of all that this process started, directly or not."""
    found: set[int] = set()
    due = [os.getpid()]
    children = _children_of_linux if _TELLS_CHILDREN else _children_of_ps()
    while due:
        for child in children(due.pop()):
            if child not in found:
                found.add(child)
                due.append(child)
    return found


def _new(before: Present, now: Present) -> list[str]:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return [
        *(f"process {pid} ({command_line(pid)})" for pid in sorted(now.processes - before.processes)),
        *(
            f"descriptor {each.number} ({each.target})"
            for each in sorted(now.descriptors - before.descriptors, key=_number)
        ),
        *(f"thread {names.get(ident, ident)!r}" for ident in sorted(now.threads - before.threads)),
    ]


def _runs(pid: int) -> bool:
    entry = read_entry(pid)
    return entry is not None and not entry.ended


def _children_of_linux(pid: int) -> list[int]:
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            found += [int(child) for child in path.read_text().split()]
    return found


def _children_of_ps() -> Callable[[int], list[int]]:
    children: dict[int, list[int]] = {}
    for line in run_captured(["ps", "-A", "-o", "pid=,ppid="], deadline=10.0).stdout.decode().splitlines():
        pid, parent = line.split()
        children.setdefault(int(parent), []).append(int(pid))
    return lambda pid: children.get(pid, [])


def _number(descriptor: Descriptor) -> int:
    return descriptor.number
