"""Processes that a test left: its children, what was started with its mark, and agents of its tasks.

An agent gets few variables of its parent's, the mark not among them; it is known by the directory that it signals in.
"""

import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agentrelay_core.processes import ProcessIdentity, alive, find_marked, identify
from agentrelay_core.processes.ending import send_signal
from agentrelay_core.processes.table import command_line, read_variable
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
    """The children of this process that have not ended.

    Only Linux tells them; elsewhere, what was started without the mark is not found.
    """
    pids: set[int] = set()
    for listed in Path("/proc/self/task").glob("*/children"):  # quicker than looking at every process for its parent
        try:
            pids.update(map(int, listed.read_text().split()))
        except OSError:
            continue  # the thread has ended meanwhile
    found = (identify(pid) for pid in pids)
    return frozenset(identity for identity in found if identity is not None and alive(identity) != "ended")


def _agents_in(directories: tuple[Path, ...]) -> Iterator[ProcessIdentity]:
    for pid, value in read_variable(SIGNAL_DIR).items() if directories else ():
        if any(Path(value).is_relative_to(directory) for directory in directories):
            identity = identify(pid)
            if identity is not None:
                yield identity
