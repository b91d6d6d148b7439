"""The journal as a live stream of JSON lines: what is printed is what is on the disk, in the same order.

An event that was emitted wakes the reader; nothing is polled while nothing happens.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agentrelay_core.cli.pipes import is_gone
from agentrelay_core.journal import event_to_json, read_events, read_state

# Seconds between an event and the look for it in the journal, whose writer gathers events for about as long.
GATHER_SECONDS: Final = 0.05


class JournalLines:
    """Prints the events of one session.

    Args:
        path: The journal; what it holds already is not printed.
        write: Takes a line; once nobody reads, nothing more is printed, and the run goes on.
    """

    def __init__(self, path: Path, write: Callable[[str], None]) -> None:
        self._path = path
        self._write = write
        self._seen = read_state(path).sequence if path.exists() else 0
        self._woken = asyncio.Event()
        self._silent = False

    def wake(self) -> None:
        """Say that there is something new."""
        self._woken.set()

    async def follow(self) -> None:
        """Print until cancelled, then print the rest."""
        try:
            while True:
                await self._woken.wait()
                self._woken.clear()
                await asyncio.sleep(GATHER_SECONDS)
                self._print()
        finally:
            self._print()

    def _print(self) -> None:
        if self._silent or not self._path.exists():
            return
        for sequence, event in read_events(self._path, after=self._seen):
            self._seen = sequence
            try:
                self._write(event_to_json(event, sequence))
            except OSError as error:
                if not is_gone(error):
                    raise
                self._silent = True
                return
