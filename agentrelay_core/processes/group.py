"""A program that runs for long, and everything that it starts: started, waited for and ended as one.

The first process is not reaped before the group is ended. Until then its number, which is the number of the group and
the session as well, cannot be given to anyone else.
"""

import asyncio
import contextlib
import os
from typing import Literal

from agentrelay_core.processes.command import Command, Marker
from agentrelay_core.processes.ending import end_all
from agentrelay_core.processes.errors import ExitCodeUnknownError, ProcessError
from agentrelay_core.processes.exits import process_ended
from agentrelay_core.processes.hearing import Hearing
from agentrelay_core.processes.identity import ProcessIdentity, alive, identify
from agentrelay_core.processes.recorded.memory import offer_first
from agentrelay_core.processes.spawn import spawn
from agentrelay_core.processes.survey import belonging
from agentrelay_core.processes.usage import cpu_seconds

DEFAULT_GRACE = 10.0


class ProcessGroup:
    """A started program; made by `start`, or by `adopt` for one that an earlier process of ours started.

    Args:
        identity: Its first process.
        marker: Name and value of an environment variable that this program alone was given; by it, descendants are
            found that left the group and the session. `None`: they are not looked for.
    """

    def __init__(self, identity: ProcessIdentity, marker: Marker | None = None) -> None:
        self.identity = identity
        self.marker = marker
        self._exit_code: int | None = None
        self._reaped = True  # nothing for us to reap, unless `start` says so
        self._hearing: Hearing | None = None  # of a program that `start` started
        self._ending = asyncio.Lock()

    @classmethod
    def start(cls, command: Command, *, marker: Marker | None = None) -> "ProcessGroup":
        """Start a program in a session of its own.

        `stop` is due in the end, even when the program ended by itself: it may have left others running.

        Args:
            command: What to start.
            marker: See the class.

        Returns:
            The running group.

        Raises:
            ProgramNotFoundError: There is no such program.
            ProcessError: It could not be started.
        """
        hearing = Hearing(command)
        try:
            try:
                given = os.open(command.stdin or os.devnull, os.O_RDONLY)
            except OSError as error:
                raise ProcessError(f"cannot read the program's input from {command.stdin}: {error.strerror}") from error
            try:
                prints = hearing.prints
                process = spawn(
                    command.argv, cwd=command.cwd, env=command.env, stdin=given, stdout=prints, stderr=prints
                )
            finally:
                os.close(given)
        except BaseException:
            hearing.give_up()
            raise
        hearing.begin()
        offer_first(str(process.pid))
        # We reap it ourselves, late; Popen must neither do so nor complain that nobody did.
        process.returncode = 0
        identity = identify(process.pid)
        if identity is None:
            raise ProcessError(f"process {process.pid} was reaped by somebody else; is SIGCHLD ignored?")
        group = cls(identity, marker)
        group._hearing = hearing
        group._reaped = False
        return group

    @classmethod
    def adopt(cls, identity: ProcessIdentity, marker: Marker | None = None) -> "ProcessGroup":
        """Take charge of a program that an earlier process of ours started; its exit code cannot be known."""
        return cls(identity, marker)

    def is_alive(self) -> Literal["alive", "ended", "unknown"]:
        """Whether the program's first process still runs."""
        return alive(self.identity)

    async def wait(self) -> int:
        """Wait until the program's first process has ended; several may wait, and each may be cancelled.

        Returns:
            Its exit code, or the negative number of the signal that ended it.

        Raises:
            ExitCodeUnknownError: It has ended, and its exit code cannot be known.
        """
        if self._exit_code is None:
            await process_ended(self.identity)
            self._look()
        if self._exit_code is None:
            raise ExitCodeUnknownError(f"process {self.identity.pid} has ended; its exit code cannot be known")
        return self._exit_code

    def cpu_seconds(self) -> float | None:
        """CPU time that the program and all in its group and session used so far; `None` when it cannot be known."""
        return cpu_seconds(self.identity)

    async def pids(self) -> list[int]:
        """Process ids of what is left of the program.

        Raises:
            TableUnreadableError: The process table cannot be read.
        """
        left = await belonging(self.identity, self.marker)
        return sorted(identity.pid for identity in left)

    async def stop(self, grace: float = DEFAULT_GRACE) -> None:
        """End what is left of the program: TERM, after `grace` KILL. Stopping again changes nothing.

        Args:
            grace: Seconds that processes are given to end by themselves.

        Raises:
            SurvivorsError: Something could not be ended.
            TableUnreadableError: The process table cannot be read.
        """
        async with self._ending:
            await end_all(self.identity, self.marker, grace=grace, held=not self._reaped)
            self._reap()
            if self._hearing is not None:
                await asyncio.to_thread(self._hearing.end)

    def _look(self) -> None:
        """Learn the exit code without reaping, where the system can do that."""
        if self._reaped or self._exit_code is not None:
            return
        if not hasattr(os, "waitid"):  # macOS before Python 3.13
            self._reap()
            return
        with contextlib.suppress(ChildProcessError):
            info = os.waitid(os.P_PID, self.identity.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if info is not None:
                self._exit_code = info.si_status if info.si_code == os.CLD_EXITED else -info.si_status

    def _reap(self) -> None:
        if self._reaped:
            return
        with contextlib.suppress(ChildProcessError):
            pid, status = os.waitpid(self.identity.pid, os.WNOHANG)
            if pid == 0:
                return
            self._exit_code = os.waitstatus_to_exitcode(status)
        self._reaped = True
