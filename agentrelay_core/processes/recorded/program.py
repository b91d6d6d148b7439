"""A program that outlives us: started, or found again from its record, and then waited for and ended all the same.

Nothing is known from memory: a program that was started a moment ago and one that a dead process started are looked at
in the same way. It has ended when that was written down, or by two facts that do not hang on each other.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from agentrelay_core.processes.command import Command, Marker
from agentrelay_core.processes.ending import end_all, send_signal
from agentrelay_core.processes.errors import AlreadyRunningError, SurvivorsError, TableUnreadableError
from agentrelay_core.processes.exits import process_ended
from agentrelay_core.processes.identity import ProcessIdentity, alive, boot_id, find_marked
from agentrelay_core.processes.recorded.handover import HEARTBEAT_INTERVAL, hand_over
from agentrelay_core.processes.recorded.records import LaunchRecord, latest, lock_state
from agentrelay_core.processes.survey import belonging
from agentrelay_core.processes.table import command_line

DEFAULT_GRACE = 10.0
# Seconds for a runner process to write down an end and to end itself; it takes a millisecond.
_RUNNER_PATIENCE = 5.0
_LOOK_AGAIN = 0.01  # seconds


class RecordedProgram:
    """A program with a record; made by `start`, or by `find` for one that an earlier process of ours started.

    Args:
        record: The record of its launch. It has the name and value of an environment variable that programs of this
            attempt alone were given; by it those are found that left the group and the session, or whose runner process
            was killed.
    """

    def __init__(self, record: LaunchRecord) -> None:
        self.record = record
        self._marker: Marker | None = None
        self._program: ProcessIdentity | None = None
        self._child: int | None = None
        self._ending = asyncio.Lock()

    @classmethod
    def start(
        cls,
        command: Command,
        *,
        attempt: Path,
        marker: Marker,
        heartbeat: float = HEARTBEAT_INTERVAL,
        by: Callable[..., tuple[LaunchRecord, int | None]] = hand_over,
    ) -> "RecordedProgram":
        """Have a program started.

        Args:
            command: The program; the marker must stand in its `env`.
            attempt: Directory of the attempt's record.
            marker: Name and value of the variable by which the program's descendants are found.
            heartbeat: Seconds between heartbeats.
            by: Called as `hand_over` is, which tells of the other errors, has it started by a runner process elsewhere,
                for example in a terminal; gives `None` for a process id where that is no child of ours.

        Raises:
            AlreadyRunningError: A program of this attempt has not ended; nothing was started.
        """
        earlier = latest(attempt)
        if earlier is not None and earlier.exit is None and find_marked(*marker):
            raise AlreadyRunningError(attempt)  # its runner process was killed, so that no lock tells
        record, runner = by(command, attempt=attempt, marker=marker, heartbeat=heartbeat)
        program = cls(record)
        program._child = runner
        return program

    @classmethod
    def in_the_way(cls, attempt: Path) -> "RecordedProgram | None":
        """The program because of which `start` raised `AlreadyRunningError`; `None` when it has ended meanwhile.

        It blocks, 5 s at most, while the other runner process is about to start its program.
        """
        until = time.monotonic() + _RUNNER_PATIENCE
        while (program := cls.find(attempt)) is not None:
            if program.identity is not None or lock_state(attempt) != "held" or time.monotonic() > until:
                break
            time.sleep(_LOOK_AGAIN)
        if program is None or program.record.exit is not None:
            return None
        if program.identity is None and not (program.marker and find_marked(*program.marker)):
            return None  # its runner process ended before it started anything
        return program

    @classmethod
    def find(cls, attempt: Path) -> "RecordedProgram | None":
        """The program that was started last under a record, be it alive or not; `None` when there was none."""
        record = latest(attempt)
        return None if record is None else cls(record)

    @property
    def identity(self) -> ProcessIdentity | None:
        """The program's first process, `None` when it was not started, or that was not written down."""
        if self._program is None:
            self._program = self.record.program
        return self._program

    @property
    def marker(self) -> Marker | None:
        """Name and value of the variable that it was given, `None` before anything was started."""
        if self._marker is None:
            self._marker = self.record.marker
        return self._marker

    async def is_alive(self) -> Literal["alive", "ended", "unknown"]:
        """Whether the program's first process still runs; where nobody wrote down which that is, any of its processes.

        Returns:
            ``ended`` by proof alone: its end was written down, or the machine was started anew since, or both the
            program and its runner process are gone. ``unknown`` while facts contradict each other.
        """
        if self.record.exit is not None:
            return "ended"
        runner, program = self.record.runner, self.identity
        if runner is not None and runner.boot_id != boot_id():
            return "ended"
        try:
            states = {alive(runner)} if runner is not None else set()
            states.add(alive(program) if program is not None else await self._any_marked())
        except TableUnreadableError:
            return "unknown"
        lock = lock_state(self.record.attempt)
        if "alive" in states:
            return "alive"
        # Only the latest launch can hold the lock. A runner process that is gone cannot hold it.
        if "unknown" in states or lock == "unknown" or (lock == "held" and self.record.is_latest):
            return "ended" if self.record.exit is not None else "unknown"
        return "ended"

    async def wait(self) -> int | None:
        """Wait until the program's first process has ended; several may wait, and each may be cancelled.

        Returns:
            Its exit code, or the negative number of the signal that ended it; `None` when nobody can tell, because its
            runner process was killed. Whether it has ended is then for `is_alive` to say.
        """
        if self.record.exit is None:
            for whose in (self.record.runner, self.identity):
                if whose is not None and self.record.exit is None:
                    await process_ended(whose)
        self._reap()
        ended = self.record.exit
        return None if ended is None else ended.code

    async def pids(self) -> list[int]:
        """Process ids of what is left of the program.

        Raises:
            TableUnreadableError: The process table cannot be read.
        """
        return sorted(identity.pid for identity in await belonging(self.identity, self.marker))

    async def stop(self, grace: float = DEFAULT_GRACE) -> None:
        """End what is left of the program, TERM and after `grace` KILL, then its runner process.

        Args:
            grace: Seconds that processes are given to end by themselves.

        Raises:
            SurvivorsError: Something could not be ended.
            TableUnreadableError: The process table cannot be read.
        """
        async with self._ending:
            await end_all(self.identity, self.marker, grace=grace, held=False)
            if not await self._runner_ended():
                # It was just about to start the program, or is stuck. Then there may be a program by now.
                await self._end_runner()
                await end_all(self.identity, self.marker, grace=grace, held=False)
            self._reap()

    def release(self) -> None:
        """Say that nobody comes back to this program: who finds it later ends what is left of it."""
        self.record.release()

    async def _any_marked(self) -> Literal["alive", "ended"]:
        if self.marker is None:  # it is written down before anything is started
            return "ended"
        return "alive" if await asyncio.to_thread(find_marked, *self.marker) else "ended"

    async def _runner_ended(self) -> bool:
        """Give the runner process the time to write down the end; whether it has ended itself."""
        runner = self.record.runner
        if runner is None:
            return self._child is None and lock_state(self.record.attempt) != "held"
        # Stopped by job control it could not notice that there is nothing left to wait for.
        if alive(runner) != "ended":
            send_signal(runner, signal.SIGCONT)
        patience = _RUNNER_PATIENCE if self.identity is not None else 0.0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await process_ended(runner)
        return alive(runner) == "ended"

    async def _end_runner(self) -> None:
        runner = self.record.runner
        if runner is None:
            return
        send_signal(runner, signal.SIGKILL)
        try:
            async with asyncio.timeout(_RUNNER_PATIENCE):
                await process_ended(runner)
        except TimeoutError:
            raise SurvivorsError([(runner.pid, command_line(runner.pid))]) from None

    def _reap(self) -> None:
        """Reap the runner process where it is a child of ours that has ended."""
        if self._child is None:
            return
        try:
            pid, _ = os.waitpid(self._child, os.WNOHANG)
        except ChildProcessError:
            pid = self._child
        if pid:
            self._child = None
