"""Processes that a test left: its children, what was started with its mark, and agents of its tasks.

An agent gets few variables of its parent's, the mark not among them; it is known by the directory that it signals in.
"""

import os
import secrets
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agentrelay_core.processes import ProcessIdentity, alive, find_marked, identify
from agentrelay_core.processes.ending import send_signal
from agentrelay_core.processes.table import command_line, read_table, read_variable
from pytest_agentrelay.leaks.findings import Leak

MARK: Final = "PYTEST_AGENTRELAY_TEST"
SIGNAL_DIR: Final = "AGENTRELAY_SIGNAL_DIR"
# Helpers that Python itself starts on first use and keeps to its end.
_OF_PYTHON: Final = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
_REMEDY: Final = (
    "the test started it, and it still runs. Stop the agent by its address (teardown), or end the program and wait for "
    "it; it is ended now, so that the next test is not disturbed"
)


class Mark:
    """A variable of this process, which its children inherit, from its beginning to `remove`."""

    def __init__(self) -> None:
        self.value = secrets.token_hex(8)
        self._before = os.environ.get(MARK)
        os.environ[MARK] = self.value

    def remove(self) -> None:
        """Let the variable be what it was."""
        if self._before is None:
            os.environ.pop(MARK, None)
        else:
            os.environ[MARK] = self._before


def left(mark: Mark, before: frozenset[ProcessIdentity], directories: tuple[Path, ...]) -> Iterator[Leak]:
    """Processes that are a test's and have not ended.

    Args:
        mark: What its children inherited.
        before: The children that there were before it.
        directories: The directories of the test; an agent that signals in one is the test's.
    """
    found = {*find_marked(MARK, mark.value), *(children() - before), *_agents_in(directories)}
    for identity in sorted(found - before, key=lambda identity: identity.pid):
        command = command_line(identity.pid)
        if alive(identity) != "ended" and not any(helper in command for helper in _OF_PYTHON):
            yield Leak(key=identity, what=f"process {identity.pid} ({command})", remedy=_REMEDY)


def end(leaks: list[Leak]) -> None:
    """End the processes among what was left; each is first made sure to be the one that was found."""
    for leak in leaks:
        if isinstance(leak.key, ProcessIdentity):
            send_signal(leak.key, signal.SIGKILL)


def children() -> frozenset[ProcessIdentity]:
    """The children of this process that have not ended."""
    if not sys.platform.startswith("linux"):
        return frozenset()  # there, what was not started with the mark is not found
    own, found = str(os.getpid()), set()
    for entry in read_table():
        if not entry.ended and _parent(entry.pid) == own and (identity := identify(entry.pid)) is not None:
            found.add(identity)
    return frozenset(found)


def _parent(pid: int) -> str:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return ""  # it has ended meanwhile
    return text[text.rindex(")") + 2 :].split()[1]


def _agents_in(directories: tuple[Path, ...]) -> Iterator[ProcessIdentity]:
    for pid, value in read_variable(SIGNAL_DIR).items():
        if any(Path(value).is_relative_to(directory) for directory in directories):
            identity = identify(pid)
            if identity is not None:
                yield identity
