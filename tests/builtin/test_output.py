"""Reading the log by a framework: whole lines, once each, and nothing where nobody reads."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agentrelay_core.builtin.framework import CommandFramework
from agentrelay_core.builtin.output import MOST_KINDS, MOST_OUTPUT, OutputReader
from agentrelay_core.hooks import Progress

Prepare = Callable[..., Any]


class Parrot:
    """Repeats each line; a line ``kind message`` has a kind of its own."""

    def read_line(self, line: str) -> Any:
        """Whatever was said; ``bad`` is answered by what is no progress."""
        kind, _, message = line.partition(" ")
        return "rubbish" if line == "bad" else Progress(kind=kind, message=message)


@pytest.fixture
def reader(prepared: Prepare) -> Any:
    """A reader of a prepared task's log, and a way to write the log."""
    one = prepared("true")
    made: Any = OutputReader(Parrot(), one.runtime, one.signal_dir)  # type: ignore[arg-type]
    made.runtime = one.runtime
    made.log = one.signal_dir / "agent.log"
    return made


def said(found: list[Progress]) -> list[str]:
    return [f"{progress.kind} {progress.message}".strip() for progress in found]


def test_a_line_is_read_when_it_is_whole(reader: Any) -> None:
    """An unfinished line waits for its end, or for the last look; carriage returns end lines, too."""
    assert reader.look() == []
    reader.log.write_bytes(b"a 1\nb 2\rc")
    assert said(reader.look()) == ["a 1", "b 2"]
    assert reader.look() == []
    with reader.log.open("ab") as log:
        log.write(b" 3\r\n\xff x")
    assert said(reader.look()) == ["c 3"]
    assert said(reader.look(last=True)) == ["\ufffd x"]
    assert reader.look(last=True) == []


def test_the_latest_of_each_kind_is_told(reader: Any) -> None:
    """However much was printed since the last look, little is told, the newest last."""
    kinds = [f"k{number} x" for number in range(MOST_KINDS - 1)]
    reader.log.write_text("\n".join(["lost 1", "a 1", "a 2", *kinds, ""]))
    assert said(reader.look()) == ["a 2", *kinds]


def test_a_flood_is_read_from_its_end(reader: Any) -> None:
    """A look reads no more than its limit, and a line that is longer does not stop the reading."""
    reader.log.write_bytes(b"x" * (2 * MOST_OUTPUT))
    reader.look()
    with reader.log.open("ab") as log:
        log.write(b"\na 1\n")
    assert said(reader.look()) == ["a 1"]


def test_what_is_no_progress_ends_the_reading(reader: Any) -> None:
    """The problem names the framework and what it returned."""
    reader.log.write_text("a 1\nbad\nb 2\n")
    assert said(reader.look()) == ["a 1"]
    assert reader.problem.endswith(
        "read_line of the framework 'command' raised TypeError: due is a Progress or None, not 'rubbish'"
    )


async def test_progress_reaches_whoever_waits(reader: Any) -> None:
    """What is read is told to the task, up to the last line without an end."""
    told: list[tuple[str, str]] = []
    reader.runtime.on_progress = lambda kind, message: told.append((kind, message))
    reader.begin()
    await asyncio.to_thread(reader.log.write_text, "a 1\nb 2")
    await reader.finish()
    assert told == [("a", "1"), ("b", "2")]


async def test_a_framework_that_only_inherits_read_line_costs_nothing(prepared: Prepare) -> None:
    """No asyncio task is begun for it."""
    one = prepared("true")
    before = asyncio.all_tasks()
    reader = OutputReader(CommandFramework(), one.runtime, one.signal_dir)
    reader.begin()
    assert asyncio.all_tasks() == before
    await reader.finish()
