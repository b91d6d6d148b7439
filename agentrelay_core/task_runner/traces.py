"""What an agent leaves behind while it works: output, files, commits, CPU time.

A look costs a few system calls and is made in a thread. Everything that is looked at can be written by the agent, so
that nothing is followed, waited for or read without a limit.
"""

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final

from agentrelay_core.runtime import IntegrationError, TaskRuntime
from agentrelay_core.runtime.agent_files import AgentDirectory
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_core.task_runner.redraws import Screen

AGENT_LOG: Final = "agent.log"
# Written by an agent, or by a hook of its framework, while it waits for a person; its first line is what it asks.
WAITING_INPUT: Final = "waiting_input"
# The share of one CPU from which on an agent that says nothing is taken to be at work; a spinner takes less.
BUSY: Final = 0.1

_MOST_OUTPUT: Final = 65_536  # bytes of a log that one look reads
_MOST_FILES: Final = 200
_LARGEST_QUESTION: Final = 4_096  # bytes
_LARGEST_POINTER: Final = 4_096  # bytes
_OF_GIT: Final = ("index", "HEAD", "logs/HEAD")


class Traces:
    """The traces of one attempt's agent.

    Args:
        runtime: The task, its agent at work.
        clock: Gives seconds that no change of the wall clock touches.
    """

    __slots__ = ("_clock", "_cpu", "_cpu_at", "_facts", "_git", "_log", "_offset", "_runtime", "_screen", "question")

    def __init__(self, runtime: TaskRuntime, clock: Callable[[], float] = monotonic) -> None:
        self._runtime = runtime
        self._clock = clock
        self._screen = Screen()
        self._offset = 0
        self._log: tuple[int, int] | None = None
        self._facts = 0
        self._git: str | None = None
        self._cpu: float | None = None
        self._cpu_at = 0.0
        self.question: str | None = None
        """What the agent waits for a person to answer, `None` when it does not."""

    def look(self) -> bool:
        """Look for traces that are new.

        Returns:
            Whether there are any; those that are found at the first look are.
        """
        found = (self._new_files(), self._new_output(), self._new_work())
        return any(found)

    def _new_files(self) -> bool:
        # The hash alone is kept: thousands of agents may wait.
        facts = hash((*self._of_signals(), *map(_fact, self._paths())))
        changed = facts != self._facts
        self._facts = facts
        return changed

    def _of_signals(self) -> list[tuple[str, int, int]]:
        directory = self._runtime.state.signal_dir
        question, facts = None, []
        try:
            if directory is not None:
                with os.scandir(directory) as entries:
                    for entry in itertools.islice(entries, _MOST_FILES):
                        if entry.name == WAITING_INPUT:
                            question = _question(directory)
                        if entry.name != AGENT_LOG:
                            status = entry.stat(follow_symlinks=False)
                            facts.append((entry.name, status.st_mtime_ns, status.st_size))
        except OSError:
            pass  # it is gone, or changes while we look: the next look sees more
        self.question = question
        return sorted(facts)

    def _paths(self) -> tuple[str, ...]:
        """What git changes in the worktree when something is staged, committed or checked out, and its top."""
        worktree = self._runtime.state.worktree_path
        if worktree is None:
            return ()
        if self._git is None:
            self._git = _git_directory(worktree)
        return (str(worktree), *(f"{self._git}/{name}" for name in _OF_GIT if self._git))

    def _new_output(self) -> bool:
        directory = self._runtime.state.signal_dir
        fact = None if directory is None else _fact(f"{directory}/{AGENT_LOG}")
        if directory is None or fact is None or fact[1:] == self._log:
            return False
        self._log = fact[1:]
        try:
            with AgentDirectory(directory) as opened:
                read = opened.read_from(AGENT_LOG, self._offset, _MOST_OUTPUT)
        except (IntegrationError, OSError):
            return False  # no log that we read
        if read is None:
            return False
        begin, output = read
        more, taken = self._screen.shows_more(output)
        self._offset = begin + (len(output) if len(output) == _MOST_OUTPUT else taken)
        return more

    def _new_work(self) -> bool:
        address = self._runtime.artifacts.agent_address
        try:
            used = None if address is None else address.cpu_seconds()
        except Exception:  # a plugin's; what it cannot tell is no trace
            used = None
        now = self._clock()
        before, since = self._cpu, now - self._cpu_at
        self._cpu, self._cpu_at = used, now
        return used is not None and before is not None and used > before and used - before >= BUSY * since


def _fact(path: str) -> tuple[str, int, int] | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return path, status.st_mtime_ns, status.st_size


def _git_directory(worktree: Path) -> str:
    """The git directory of a worktree; empty where it has none."""
    dot_git = worktree / ".git"
    if dot_git.is_dir():
        return str(dot_git)
    try:
        with AgentDirectory(worktree) as directory:
            pointer = directory.read(".git", _LARGEST_POINTER) or b""
    except (IntegrationError, OSError):
        return ""
    where = os.fsdecode(pointer.partition(b"\n")[0]).removeprefix("gitdir:").strip()
    return str(worktree / where) if where else ""


def _question(directory: Path) -> str:
    try:
        with AgentDirectory(directory) as opened:
            ends = opened.read_ends(WAITING_INPUT, _LARGEST_QUESTION)
    except (IntegrationError, OSError):
        return ""
    return "" if ends is None else plain_line(ends[0].decode(errors="replace").partition("\n")[0], 200)
