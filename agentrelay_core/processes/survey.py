"""What belongs to a program: three ties are followed, so that nothing that it started is overlooked.

They are the process group, the session, and a marker in the environment, which those inherit that left both. Reading
the whole process table takes milliseconds, and a thousand programs may be ended at the same time. One reading therefore
serves all who asked before it began.
"""

import asyncio
import os
import threading
import time

import attrs

from agentrelay_core.processes.command import Marker
from agentrelay_core.processes.identity import ProcessIdentity, boot_id, identify
from agentrelay_core.processes.table import read_table, read_variable


async def belonging(leader: ProcessIdentity | None, marker: Marker | None) -> list[ProcessIdentity]:
    """What is left of a program: members of its group and session, and marked processes.

    Args:
        leader: The program's first process, which led the group and the session; it may have ended.
            `None` where only the marker is known.
        marker: Name and value of a variable that only this program was given, or `None`.

    Returns:
        Processes that have not ended, this one never among them.

    Raises:
        TableUnreadableError: The process table cannot be read.
    """
    name, value = marker or (None, "")
    survey = await asyncio.to_thread(_SHARED.made_since, time.monotonic(), name)
    found = {*survey.marked.get(value, ())} if marker else set()
    # If the leader's number is in other hands, its group and its session are long gone.
    if (
        leader is not None
        and leader.boot_id == boot_id()
        and survey.start_times.get(leader.pid, leader.start_time) == leader.start_time
    ):
        found.update(survey.members.get(leader.pid, ()))
    return [identity for identity in found if identity.pid != os.getpid()]


@attrs.frozen(eq=False)
class _Survey:
    """The process table at one time: who has which number, who is in which group or session, and who is marked."""

    began: float
    start_times: dict[int, str]
    members: dict[int, list[ProcessIdentity]]
    marked: dict[str, list[ProcessIdentity]]


def _make(name: str | None) -> _Survey:
    survey = _Survey(time.monotonic(), {}, {}, {})
    boot = boot_id()
    living: dict[int, ProcessIdentity] = {}
    for entry in read_table():
        survey.start_times[entry.pid] = entry.start_time
        if not entry.ended:
            living[entry.pid] = ProcessIdentity(pid=entry.pid, start_time=entry.start_time, boot_id=boot)
            for number in {entry.group, entry.session}:
                survey.members.setdefault(number, []).append(living[entry.pid])
    for pid, value in (read_variable(name) if name is not None else {}).items():
        # Who is not among the living was started since; who has ended has no variables any more.
        identity = living.get(pid) or identify(pid)
        if identity is not None:
            survey.marked.setdefault(value, []).append(identity)
    return survey


class _Shared:
    """The latest survey of each marker's name, for the threads that wait for one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[str | None, _Survey] = {}

    def made_since(self, asked: float, name: str | None) -> _Survey:
        with self._lock:
            latest = self._latest.get(name)
            if latest is None or latest.began < asked:
                latest = self._latest[name] = _make(name)
            return latest


_SHARED = _Shared()
