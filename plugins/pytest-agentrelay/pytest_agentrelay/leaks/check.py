"""The leak check of one test: it begins before the test's fixtures, and looks when they are gone."""

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pytest_agentrelay.leaks import descriptors, processes, repositories
from pytest_agentrelay.leaks.findings import Leak

# Seconds within which what is about to end, or to be closed in another thread, may do so.
GRACE: Final = 2.0
_PAUSE: Final = 0.02


class LeakCheck:
    """Knows what was there before a test."""

    def __init__(self) -> None:
        self._mark = processes.Mark()
        self._children = processes.children()
        self._descriptors = descriptors.descriptors()
        self._repositories: dict[Path, repositories.State] = {}
        self._directories: list[Path] = []

    def watch(self, repository: Path) -> None:
        """Look for worktrees and temporary refs in another repository too; what it has now is no leak.

        Args:
            repository: Its directory.
        """
        self._repositories[repository] = repositories.state_of(repository)

    def watch_new(self, repository: Path) -> None:
        """Look at a repository that the test's fixture made: all but its own worktree is the test's.

        Args:
            repository: Its directory.
        """
        found = repositories.State(repository, frozenset({str(repository.resolve())}), frozenset())
        self._repositories.setdefault(repository, found)

    def own(self, directory: Path) -> None:
        """Take agents that signal below a directory for the test's.

        Args:
            directory: The test's directory.
        """
        self._directories.append(directory)

    @contextmanager
    def outliving(self) -> Iterator[None]:
        """Let what is begun meanwhile be no leak: a fixture that serves other tests as well."""
        children, opened = processes.children(), descriptors.descriptors()
        try:
            yield
        finally:
            self._children |= processes.children() - children
            self._descriptors |= descriptors.descriptors() - opened

    def end(self) -> list[Leak]:
        """End the check, and the processes that it finds.

        Returns:
            What was left, after what was about to go had its time.
        """
        self._mark.remove()
        deadline = time.monotonic() + GRACE
        found = list(self._look())
        if found:
            gc.collect()  # what nobody can reach any more closes its descriptors, and is no leak of the test's
        while found and time.monotonic() < deadline:
            time.sleep(_PAUSE)
            found = list(self._look())
        processes.end(found)
        return found

    def _look(self) -> Iterator[Leak]:
        yield from processes.left(self._mark, self._children, tuple(self._directories))
        yield from descriptors.left(self._descriptors)
        for state in self._repositories.values():
            yield from repositories.left(state)


def described(test: str, leaks: list[Leak]) -> str:
    """What is said of a test that left something.

    Args:
        test: Its id.
        leaks: What it left.
    """
    lines = "\n".join(f"  - {leak}" for leak in leaks)
    return f"{test} left behind, when its fixtures were gone:\n{lines}"
