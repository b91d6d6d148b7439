"""What the journal costs: events per second, stalls of the event loop, recovery of a million events.

Prints JSON. Each figure stands beside its floor, measured in the same round: a bare SQLite transaction, a bare hand-off
to a thread and back, a loop without a journal. Wall time on a shared machine is noisy, so CPU time is given too.

Run ``python benchmarks/journal.py [--rounds 5] [--events 1000000] [--directory PATH]``; the directory should be on the
disk that is to be measured.
"""

import argparse
import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from agentrelay_core.journal import Journal, graph_digest, kinds, read_state, run_started_event
from agentrelay_core.runtime import Event
from agentrelay_core.spec import Task, TaskGraph

EVENT = Event(kind=kinds.TASK_WAITING, task_id="implement-counter", workstream_id="default", message="process:4711")
Figures = dict[str, float]


def life(task_id: str) -> Iterator[Event]:
    """The ten events of a task that is merged."""
    place: dict[str, Any] = {"task_id": task_id, "workstream_id": "default"}
    url = f"agentrelay+local:benchmark/{task_id}"
    yield Event(kind=kinds.TASK_STARTED, **place)
    yield Event(kind=kinds.TASK_PREPARED, message=f"branch=agentrelay/benchmark/{task_id}", **place)
    yield Event(kind=kinds.TASK_LAUNCHED, message="process:4711", **place)
    yield Event(kind=kinds.TASK_WAITING, **place)
    yield Event(kind=kinds.LOG, message="a line for people", **place)
    yield Event(kind=kinds.TASK_GATE_RUNNING, **place)
    yield Event(kind=kinds.TASK_GATE_PASSED, **place)
    yield Event(kind=kinds.TASK_PR_MERGING, message=url, **place)
    yield Event(kind=kinds.TASK_FINISHED, data={"status": "pr_merged", "pr_url": url}, **place)


def rates(name: str, count: int, wall: float, cpu: float) -> Figures:
    """Figures of a series of events."""
    return {f"{name}_per_s": count / wall, f"{name}_cpu_us": cpu / count * 1e6}


def bare_sqlite(directory: Path) -> Figures:
    """Floor of a single event: one transaction each on a bare connection, safe against kill -9."""
    connection = sqlite3.connect(directory / "bare.sqlite", isolation_level=None)
    for statement in (
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = NORMAL",
        "CREATE TABLE e (a, b, c, d, e, f, g)",
    ):
        connection.execute(statement)
    count = 5000
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        connection.execute(
            "INSERT INTO e VALUES (?, ?, ?, ?, ?, ?, ?)", (1.0, "task_waiting", "a", "default", 0, "", None)
        )
    figures = rates("floor_sqlite", count, time.perf_counter() - wall, time.process_time() - cpu)
    connection.close()
    return figures


async def bare_hand_off() -> Figures:
    """Floor of a flush: a future that another thread settles, one after another."""
    queue: SimpleQueue[asyncio.Future[None] | None] = SimpleQueue()
    loop = asyncio.get_running_loop()

    def work() -> None:
        while (future := queue.get()) is not None:
            loop.call_soon_threadsafe(future.set_result, None)

    thread = threading.Thread(target=work)
    thread.start()
    count = 5000
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        future = loop.create_future()
        queue.put(future)
        await future
    figures = rates("floor_hand_off", count, time.perf_counter() - wall, time.process_time() - cpu)
    queue.put(None)
    thread.join()
    return figures


async def flushed(name: str, path: Path, *, durability: Any, group: int, count: int, tasks: int = 1) -> Figures:
    """Append events, waiting after each group until it is durable."""
    journal = Journal.open(path, durability=durability)

    async def task() -> None:
        for _ in range(count // group // tasks):
            for _ in range(group):
                journal.append(EVENT)
            await journal.flush()

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(task() for _ in range(tasks)))
    figures = rates(name, count, time.perf_counter() - wall, time.process_time() - cpu)
    await journal.aclose()
    return figures


async def appending(path: Path) -> Figures:
    """What an append costs the event loop itself."""
    journal = Journal.open(path)
    count = 100_000
    began = time.perf_counter()
    for _ in range(count):
        journal.append(EVENT)
    figures = {"append_us": (time.perf_counter() - began) / count * 1e6}
    await journal.aclose()
    return figures


async def stalls(name: str, path: Path | None, seconds: float = 3.0) -> Figures:
    """How late a timer of one millisecond fires while twenty tasks record and flush, checkpoints included."""
    journal = None if path is None else Journal.open(path)
    end = time.perf_counter() + seconds
    late: list[float] = []
    recorded = 0

    async def task() -> None:
        nonlocal recorded
        while time.perf_counter() < end:
            for _ in range(10):
                recorded += 1
                if journal is not None:
                    journal.append(EVENT)
            if journal is not None:
                await journal.flush()
            await asyncio.sleep(0.002)

    async def heart() -> None:
        while time.perf_counter() < end:
            due = time.perf_counter() + 0.001
            await asyncio.sleep(0.001)
            late.append(time.perf_counter() - due)

    await asyncio.gather(heart(), *(task() for _ in range(20)))
    if journal is not None:
        await journal.aclose()
    late.sort()
    # A timer is late by the system's own granularity; that is the floor, measured without a journal.
    return {f"{name}_p999_ms": late[int(len(late) * 0.999)] * 1e3, f"{name}_events_per_s": recorded / seconds}


async def write_million(path: Path, events: int) -> None:
    """A journal of that many events, ten for each task."""
    ids = [f"task-{number}" for number in range(events // 10)]
    tasks = [Task(id=task_id) for task_id in ids]
    graph = TaskGraph(name="benchmark", tasks=tasks)
    journal = Journal.open(path, durability="process_death")
    journal.append(run_started_event("20250101T000000Z-beef", graph))
    for number, task_id in enumerate(ids):
        for event in life(task_id):
            journal.append(event)
        if number % 1000 == 0:
            await journal.flush()
    await journal.aclose()


def recovery(path: Path) -> Figures:
    """Reading the whole journal and deriving the state of all tasks."""
    wall, cpu = time.perf_counter(), time.process_time()
    state = read_state(path)
    figures = {"recovery_s": time.perf_counter() - wall, "recovery_cpu_s": time.process_time() - cpu}
    assert all(record.status == "pr_merged" for record in state.tasks.values())
    began = time.perf_counter()
    Journal.open(path).close()
    return figures | {"recovery_events": state.sequence, "reopen_s": time.perf_counter() - began}


def digest() -> Figures:
    """The digest of a graph of 10,000 tasks."""
    tasks = [Task(id=f"t{number}", description="Do it.") for number in range(10_000)]
    graph = TaskGraph(name="g", tasks=tasks)
    began = time.process_time()
    graph_digest(graph)
    return {"digest_10k_cpu_s": time.process_time() - began}


def one_round(directory: Path, million: Path) -> Figures:
    """Every measurement once, floors beside what they are floors of."""
    figures: Figures = {}

    def run(make: Callable[[Path], Any]) -> None:
        figures.update(asyncio.run(make(directory / f"{len(figures)}.sqlite")))

    figures.update(bare_sqlite(directory))
    run(lambda _: bare_hand_off())
    run(lambda path: flushed("single", path, durability="process_death", group=1, count=5000))
    run(lambda path: flushed("single_8_tasks", path, durability="process_death", group=1, count=8000, tasks=8))
    run(lambda path: flushed("single_full", path, durability="power_loss", group=1, count=500))
    run(lambda path: flushed("grouped_100_full", path, durability="power_loss", group=100, count=20_000))
    run(lambda path: flushed("grouped_1000_full", path, durability="power_loss", group=1000, count=100_000))
    run(appending)
    run(lambda _: stalls("floor_timer", None))
    run(lambda path: stalls("stall", path))
    figures.update(recovery(million))
    figures.update(digest())
    return figures


def main() -> None:
    """Measure, and print medians, least and greatest of all rounds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--directory", type=Path, default=None)
    options = parser.parse_args()
    rounds: list[Figures] = []
    with tempfile.TemporaryDirectory(dir=options.directory) as place:
        million = Path(place) / "million.sqlite"
        asyncio.run(write_million(million, options.events))
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory(dir=options.directory) as directory:
                rounds.append(one_round(Path(directory), million))
    summary = {
        name: {
            "median": float(f"{statistics.median(values):.4g}"),
            "min": float(f"{min(values):.4g}"),
            "max": float(f"{max(values):.4g}"),
        }
        for name in rounds[0]
        for values in [[figures[name] for figures in rounds]]
    }
    json.dump({"benchmark": "journal", "rounds": options.rounds, "figures": summary}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
