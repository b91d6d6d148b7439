"""The one writer: events are queued on the event loop and made durable by a thread, many at a time.

A commit that survives a power cut costs a wait for the disk (1 to 3 ms). So no event waits for its own:
`Journal.append` only queues, one thread commits all that has gathered, and whoever must not go on before the record is
safe awaits `Journal.flush`. A commit that need not survive a power cut waits for no disk, and costs less than to hand
it to a thread and back: small ones are made where they are asked for.
"""

import os
import sqlite3
import threading
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from agentrelay_core.journal import storage
from agentrelay_core.journal.bell import Bell
from agentrelay_core.journal.errors import JournalError, translate
from agentrelay_core.journal.filesystem import MountTable, private_directory, refuse_network_disk, system_mounts
from agentrelay_core.journal.writing import commit, prepare
from agentrelay_core.runtime import Event, IntegrationError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable

T = TypeVar("T")
Durability = Literal["power_loss", "process_death"]

# Commits of more rows than this, which would hold up the event loop, are left to the thread.
MOST_ROWS_ON_THE_LOOP = 128
# How long events without a barrier may gather: few wake-ups of the thread, yet `status` is never far behind.
GATHER_SECONDS = 0.01
# Looking at the size of the write-ahead log after every commit would halve the rate of small ones.
STATEMENTS_BETWEEN_LOOKS = 256
# The log is folded into the file when it has grown by this much and nobody waits, or by the larger anyway.
CHECKPOINT_BYTES = 4 << 20
CHECKPOINT_BYTES_BUSY = 64 << 20


class Journal:
    """An append-only record of events in a SQLite file. Made by `Journal.open`.

    `append` may be called from any thread; `flush` and `aclose` belong on an event loop. An error of the writer
    (disk full, disk gone) is kept: every later call raises it as a `JournalError`, and nothing more is written. So is
    the end of its epoch, which another opening to write brings; that is raised as `Fenced`.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, durability: Durability = "power_loss") -> None:
        self._path = path
        self._connection = connection
        self._waits_for_disk = durability == "power_loss"
        self._writing = threading.Lock()
        self._wal = Path(f"{path}-wal")
        self._statements = 0
        self._checkpointed_at = 0
        self._events: deque[Event] = deque()
        self._barriers: deque[asyncio.Future[None]] = deque()
        self._bell = Bell()
        self._asleep = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self._reminded = False
        self._shared_turn = False
        self._closing = False
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._work, name=f"journal {path}", daemon=True)
        self._thread.start()

    @classmethod
    def open(
        cls, path: Path, *, durability: Durability = "power_loss", mounts: MountTable = system_mounts
    ) -> "Journal":
        """Open a journal to write, and make it if it is not there. Reads the whole file to look for damage.

        Args:
            path: The file; made with mode 0600, its directory with 0700.
            durability: What a flushed event survives; ``process_death`` spares the wait for the disk.
            mounts: Gives the system's mount table.

        Raises:
            JournalError: The file is damaged, of a newer version or not ours, or its place is unfit.
        """
        refuse_network_disk(path, mounts)
        try:
            private_directory(path.parent)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
            connection = storage.connect(path, write=True)
        except (OSError, sqlite3.Error) as error:
            raise translate(path, error) from error
        try:
            prepare(connection, path, waits_for_disk=durability == "power_loss")
            storage.begin_epoch(connection, f"process {os.getpid()}", time.time())
        except sqlite3.Error as error:
            connection.close()
            raise translate(path, error) from error
        except JournalError:
            connection.close()
            raise
        return cls(path, connection, durability)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def append(self, event: Event) -> None:
        """Queue an event; it is durable after the next `flush`. Never waits.

        Args:
            event: What happened; its data must not be changed afterwards.

        Raises:
            JournalError: The writer failed earlier, or the journal is closed.
        """
        if self._failure is not None or self._closing:
            raise self._refusal()
        self._events.append(event)
        if not self._reminded:  # else it is written when the loop comes to look, whoever appended it
            self._see_to_writing()

    def flush(self) -> "Awaitable[None]":
        """Give what ends when everything appended so far is durable; called in an event loop.

        Raises:
            JournalError: It cannot be made durable; the text says why and what to do.
        """
        if self._failure is not None or self._closing:
            raise self._refusal()
        loop = self._loop
        if loop is None or threading.get_ident() != self._loop_thread or not loop.is_running():
            loop = self._enter_loop()
        barrier: asyncio.Future[None] = loop.create_future()
        self._barriers.append(barrier)
        if self._waits_for_disk:
            self._bell.ring()
        elif not self._shared_turn:
            # The first in this turn of the loop goes at once; those that follow share a commit at the turn's end.
            self._shared_turn = True
            loop.call_soon(self._end_turn)
            self._commit_here()
        return barrier

    def close(self) -> None:
        """Write what is queued and close the file; closing twice is closing once. Blocks for the disk.

        Raises:
            JournalError: The writer failed, so events may be missing from the record; raised by the first call only.
        """
        first = not self._closing
        self._closing = True
        self._bell.ring()
        self._thread.join()
        if first and self._failure is not None:
            raise self._refusal()

    async def aclose(self) -> None:
        """Do as `close` does, off the event loop.

        Raises:
            JournalError: As `close` does.
        """
        import asyncio

        await asyncio.to_thread(self.close)

    def _enter_loop(self) -> "asyncio.AbstractEventLoop":
        """Serve the loop that runs in this thread from now on."""
        import asyncio  # by now the caller has it; importing the journal should not

        self._loop, self._loop_thread, self._reminded = asyncio.get_running_loop(), threading.get_ident(), False
        return self._loop

    def _see_to_writing(self) -> None:
        """Have the thread write what no flush may follow, soon."""
        if self._loop is not None and threading.get_ident() == self._loop_thread:
            # Waking the thread while this one goes on costs both; most events are soon followed by a flush.
            self._reminded = True
            self._loop.call_later(GATHER_SECONDS, self._remind)
        elif self._asleep:
            self._bell.ring()

    def _remind(self) -> None:
        """Wake the thread for events that no flush followed."""
        self._reminded = False
        if self._events:
            self._bell.ring()

    def _end_turn(self) -> None:
        self._shared_turn = False
        if self._barriers:
            self._commit_here()

    def _commit_here(self) -> None:
        """Commit what has gathered, unless that is much or the thread is at it."""
        if len(self._events) > MOST_ROWS_ON_THE_LOOP or not self._writing.acquire(blocking=False):
            self._bell.ring()
            return
        try:
            barriers = self._commit_gathered()
        finally:
            self._writing.release()
        here = [barrier for barrier in barriers if barrier.get_loop() is self._loop]
        self._settle(here)
        if len(here) < len(barriers):
            self._release([barrier for barrier in barriers if barrier.get_loop() is not self._loop])

    def _refusal(self) -> IntegrationError:
        if self._failure is None:
            return JournalError(f"the journal {self._path} is closed; nothing more can be recorded")
        error = translate(self._path, self._failure)
        error.__cause__ = self._failure
        return error

    def _work(self) -> None:
        """The thread: gather, commit, tell those who wait; until closed."""
        closing = False
        while not closing:
            self._gather()
            closing = self._closing
            with self._writing:
                barriers = self._commit_gathered()
            self._release(barriers)
            if self._statements >= STATEMENTS_BETWEEN_LOOKS:
                self._statements = 0
                with self._writing:
                    self._checkpoint()
        # Those who came while the last events were written.
        self._release(_taken(self._barriers))
        self._connection.close()

    def _commit_gathered(self) -> "list[asyncio.Future[None]]":
        """Commit all that is queued; the barriers that stood for it. Called by whoever is writing."""
        # Barriers before events: all that a barrier stands for was queued before it.
        barriers = _taken(self._barriers)
        events = _taken(self._events)
        if events and self._failure is None:
            try:
                self._commit(events)
            except Exception as error:  # kept, and raised to everyone who appends or flushes from now on
                self._failure = error
        return barriers

    def _gather(self) -> None:
        """Sleep until there is an event, then a little longer for more; a barrier, or the close, ends both."""
        # Set before looking, so that whoever appends after the look sees it and wakes the thread.
        self._asleep = True
        if not (self._events or self._barriers or self._closing):
            self._bell.wait()
        self._asleep = False
        if not (self._barriers or self._closing):
            self._bell.wait(GATHER_SECONDS)
        self._bell.answer()

    def _commit(self, events: list[Event]) -> None:
        self._statements += commit(self._connection, events)

    def _release(self, barriers: "list[asyncio.Future[None]]") -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
        for barrier in barriers:
            by_loop.setdefault(barrier.get_loop(), []).append(barrier)
        for loop, waiting in by_loop.items():
            try:
                loop.call_soon_threadsafe(self._settle, waiting)
            except RuntimeError:
                # The loop was closed: nobody waits any more.
                continue

    def _settle(self, barriers: "list[asyncio.Future[None]]") -> None:
        for barrier in barriers:
            if barrier.done():
                continue
            if self._failure is None:
                barrier.set_result(None)
            else:
                barrier.set_exception(self._refusal())

    def _checkpoint(self) -> None:
        if self._failure is not None:
            return
        try:
            size = self._wal.stat().st_size
            limit = CHECKPOINT_BYTES_BUSY if self._barriers or self._events else CHECKPOINT_BYTES
            if size - self._checkpointed_at < limit:
                return
            # A reader that holds an old view keeps the log from shrinking; then the next try is one limit later.
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._connection.execute(f"PRAGMA busy_timeout = {int(storage.BUSY_SECONDS * 1000)}")
            self._checkpointed_at = self._wal.stat().st_size
        except (OSError, sqlite3.Error) as error:
            self._failure = error


def _taken(queue: deque[T]) -> list[T]:
    """What is in a queue by now, taken out while others go on to add to it."""
    take = queue.popleft
    return [take() for _ in range(len(queue))]
