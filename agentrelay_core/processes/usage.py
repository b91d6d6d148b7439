"""How much CPU time a program and all that it started have used.

Who looks at a thousand programs looks at them at one time: one reading of the process table serves all who ask within
a moment.
"""

import threading
import time

from agentrelay_core.processes.errors import TableUnreadableError
from agentrelay_core.processes.identity import ProcessIdentity
from agentrelay_core.processes.table import cpu_times

# Seconds for which a reading serves others too.
MOMENT = 0.25


def cpu_seconds(leader: ProcessIdentity) -> float | None:
    """CPU time of the processes in a program's group or session, with that of their children that were waited for.

    Args:
        leader: The program's first process, which led the group and the session.

    Returns:
        Seconds, in all; they become less when a process ends that nobody waits for. `None` when they cannot be known.
    """
    return _SHARED.latest().get(leader.pid)


class _Shared:
    """The latest reading, for all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made = 0.0
        self._times: dict[int, float] = {}

    def latest(self) -> dict[int, float]:
        """CPU seconds by the number of a group or session."""
        with self._lock:
            now = time.monotonic()
            if now - self._made >= MOMENT:
                self._times = _by_program()
                self._made = now
            return self._times


def _by_program() -> dict[int, float]:
    times: dict[int, float] = {}
    try:
        for group, session, seconds in cpu_times():
            for number in {group, session}:
                times[number] = times.get(number, 0.0) + seconds
    except TableUnreadableError:
        return {}
    return times


_SHARED = _Shared()
