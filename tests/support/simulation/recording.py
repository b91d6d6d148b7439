"""The product's journal with a commit that takes virtual time, so that an abrupt end loses what a real one would."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from agentrelay_core import Event
from agentrelay_core.journal.writer import Durability, Journal

COMMIT = 0.003  # virtual seconds from a barrier to the disk
GATHER = 0.01  # the same for events that nobody waits for


def _at(now: float, event: Event) -> Event:
    """The event, said to have happened at a time of the made-up wall clock; events take theirs from the real one."""
    return Event(
        kind=event.kind,
        task_id=event.task_id,
        workstream_id=event.workstream_id,
        attempt_num=event.attempt_num,
        message=event.message,
        timestamp=now,
        data=event.data,
    )


class SimulatedJournal(Journal):
    """A journal that commits at virtual times, in the loop's own thread; its own thread is left to sleep."""

    on_durable: Callable[[Sequence[Event]], None]

    def __init__(self, path: Path, connection: sqlite3.Connection, durability: Durability) -> None:
        super().__init__(path, connection, durability)
        self._gathered: list[Event] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._lost = False

    def append(self, event: Event) -> None:
        """Gather an event."""
        if not self._lost:
            self._gathered.append(_at(time.time(), event))
            self._plan(GATHER)

    def flush(self) -> asyncio.Future[None]:
        """Give what ends with the virtual commit that covers what was gathered."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._lost:
            future.set_result(None)
        else:
            self._waiting.append(future)
            self._plan(COMMIT)
        return future

    def close(self) -> None:
        """Write what was gathered and close."""
        self._commit_now()
        super().close()

    def lose(self) -> None:
        """End as if the process had been killed: what is not on the disk never will be."""
        self._lost = True
        self._gathered.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._wake_all()

    def _plan(self, pause: float) -> None:
        loop = asyncio.get_running_loop()
        if self._timer is not None and self._timer.when() > loop.time() + pause:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = loop.call_later(pause, self._commit_now)

    def _commit_now(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        events, self._gathered = self._gathered, []
        if events:
            self._events.extend(events)
            with self._writing:
                self._commit_gathered()
            if self._failure is not None:
                raise self._refusal()
            self.on_durable(events)
        self._wake_all()

    def _wake_all(self) -> None:
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
