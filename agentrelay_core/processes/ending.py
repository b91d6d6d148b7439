"""Ending a program together with everything that it started, and nothing else.

A number is never trusted: right before each signal the process must still be the one that was found.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterable

from agentrelay_core.processes.command import Marker
from agentrelay_core.processes.errors import SurvivorsError
from agentrelay_core.processes.exits import process_ended
from agentrelay_core.processes.identity import ProcessIdentity, identify
from agentrelay_core.processes.survey import belonging
from agentrelay_core.processes.table import command_line

_KILL_PATIENCE = 5.0  # seconds that the kernel is given to end what was killed
_LOOK_AGAIN = 0.05  # seconds between looks while what was killed goes away


def send_signal(identity: ProcessIdentity, number: int) -> None:
    """Send a signal to exactly this process; nothing happens if it has ended.

    Args:
        identity: The process.
        number: The signal.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):  # who may not be ended is told as a survivor
        try:
            descriptor = os.pidfd_open(identity.pid)
        except (AttributeError, OSError):
            if identify(identity.pid) == identity:
                os.kill(identity.pid, number)
            return
        try:
            # The descriptor holds on to the process that has the number now; is it still the one that was found?
            if identify(identity.pid) == identity:
                signal.pidfd_send_signal(descriptor, number)
        finally:
            os.close(descriptor)


async def end_all(leader: ProcessIdentity | None, marker: Marker | None, *, grace: float, held: bool) -> None:
    """End what is left of a program: TERM, then KILL.

    Args:
        leader: The program's first process; `None` where only the marker is known.
        marker: See `belonging`.
        grace: Seconds between TERM and KILL.
        held: Whether the leader is a child of ours that is not yet reaped, so that its group's number is safe to use.

    Raises:
        SurvivorsError: Something could not be ended.
        TableUnreadableError: The process table cannot be read.
    """
    left = await belonging(leader, marker)
    warned: set[ProcessIdentity] = set()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(grace):
            while left:
                # CONT, because a stopped process does not get TERM before it goes on. Late arrivals get their own.
                for identity in left:
                    if identity not in warned:
                        send_signal(identity, signal.SIGTERM)
                        send_signal(identity, signal.SIGCONT)
                warned.update(left)
                await _all_ended(left)
                left = await belonging(leader, marker)
            return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_KILL_PATIENCE):
            while left := await belonging(leader, marker):
                # All of the group at once, because what forks while it is looked for is missed; the others one by one,
                # again and again.
                if held and leader is not None:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(leader.pid, signal.SIGKILL)
                for identity in left:
                    send_signal(identity, signal.SIGKILL)
                await asyncio.sleep(_LOOK_AGAIN)
            return
    left = await belonging(leader, marker)
    if left:
        raise SurvivorsError([(identity.pid, command_line(identity.pid)) for identity in left])


async def _all_ended(identities: Iterable[ProcessIdentity]) -> None:
    for identity in identities:
        await process_ended(identity)
