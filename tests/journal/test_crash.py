"""A writer that is killed, seen from another process."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agentrelay_core.journal import Journal, read_events, read_state
from agentrelay_core.runtime import Event

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kill -9")

# Appends without end; after each flush it tells through its output how many events are safe.
WRITER = """
import asyncio, sys
from pathlib import Path
from agentrelay_core.journal import Journal
from agentrelay_core.runtime import Event

async def main():
    journal = Journal.open(Path(sys.argv[1]))
    number = sum(1 for _ in __import__("agentrelay_core.journal").journal.read_events(Path(sys.argv[1])))
    while True:
        for _ in range(number % 7 + 1):
            number += 1
            journal.append(Event(kind="log", task_id=str(number), message="x" * (number % 300)))
        await journal.flush()
        print(number, flush=True)

asyncio.run(main())
"""


def start(path: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)


def test_kill_keeps_every_flushed_event(tmp_path: Path) -> None:
    """Killed at a random moment, six times over, the record has every event that a flush promised, in order."""
    path = tmp_path / "journal.sqlite"
    chance = random.Random(20)
    for _ in range(6):
        with start(path) as writer:
            assert writer.stdout is not None
            for _ in range(chance.randrange(1, 40)):
                promised = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            promised = max([promised, *(int(line) for line in writer.stdout.read().split("\n")[:-1])])
        kept = [each.task_id for _, each in read_events(path)]
        assert len(kept) >= promised
        assert kept == [str(number) for number in range(1, len(kept) + 1)]
    Journal.open(path).close()
    assert [sequence for sequence, _ in read_events(path)] == list(range(1, len(kept) + 1))


def test_reading_while_another_process_writes(tmp_path: Path) -> None:
    """A reader sees what is flushed at once, sees only whole prefixes, and does not hold the writer up."""
    path = tmp_path / "journal.sqlite"
    with start(path) as writer:
        assert writer.stdout is not None
        known = 0
        for _ in range(30):
            promised = int(writer.stdout.readline())
            fresh = list(read_events(path, after=known))
            assert [sequence for sequence, _ in fresh] == list(range(known + 1, known + len(fresh) + 1))
            known += len(fresh)
            assert known >= promised
        slow = read_events(path)
        next(slow)
        more = [int(writer.stdout.readline()) for _ in range(5)]
        assert more[-1] > known - 1000
        slow.close()
        writer.kill()
    assert read_state(path).sequence >= more[-1]


async def test_a_reader_does_not_stop_the_writer(tmp_path: Path) -> None:
    """With a reader in the midst of an old view, appending and flushing go on, and the view stays as it was."""
    path = tmp_path / "journal.sqlite"
    journal = Journal.open(path)
    journal.append(Event(kind="log", message="old"))
    journal.append(Event(kind="log", message="old"))
    await journal.flush()
    view = read_events(path)
    next(view)
    journal.append(Event(kind="log", message="new"))
    await journal.flush()
    assert [each.message for _, each in view] == ["old"]
    await journal.aclose()
