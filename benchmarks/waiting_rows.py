"""How soon the end of an agent is noticed while a thousand wait, and what waiting costs."""

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

from measuring import Figure, Options, short

from agentrelay_core.runtime.agent_files import write_atomically
from agentrelay_core.signals import wait_for_signal

WAITING = 1000
IDLE = 21.0  # seconds; holds two of the looks that are made should the kernel's word fail


async def _noticed(root: Path, ends: int, idle: float) -> tuple[list[float], float]:
    """Delays in seconds for some ends, and the share of a CPU that idling takes."""
    directories = [root / f"{number}" for number in range(WAITING)]
    for directory in directories:
        directory.mkdir()
    seen: dict[int, float] = {}

    async def wait(number: int) -> None:
        await wait_for_signal(directories[number], None)
        seen[number] = time.perf_counter()

    waits = [asyncio.create_task(wait(number)) for number in range(WAITING)]
    await asyncio.sleep(0.5)
    share = await _idle(idle)
    delays = []
    for number in range(ends):
        written = await asyncio.to_thread(_signal, directories[number])
        await waits[number]
        delays.append(max(0.0, seen[number] - written))
        await asyncio.sleep(0.005)
    for other in waits[ends:]:
        other.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    return delays, share


def _signal(directory: Path) -> float:
    began = time.perf_counter()
    write_atomically(directory / ".done", b"2026-01-01T00:00:00+00:00\nmemory://pull/1\n")
    return began


async def _idle(seconds: float) -> float:
    began, wall = time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    return (time.process_time() - began) / (time.perf_counter() - wall)


async def _pipe(ends: int) -> list[float]:
    """The floor: a byte in a pipe that the event loop watches, written by a thread."""
    loop = asyncio.get_running_loop()
    reading, writing = os.pipe()
    delays: list[float] = []

    def write() -> float:
        began = time.perf_counter()
        os.write(writing, b"x")
        return began

    for _ in range(ends):
        came: asyncio.Future[float] = loop.create_future()
        loop.add_reader(reading, lambda came=came: (os.read(reading, 1), came.set_result(time.perf_counter())))
        began = await asyncio.to_thread(write)
        delays.append(max(0.0, await came - began))
        loop.remove_reader(reading)
        await asyncio.sleep(0.005)
    os.close(reading)
    os.close(writing)
    return delays


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def waiting_rows(options: Options) -> list[Figure]:
    """A thousand directories, of which some get their signal one after another."""
    rounds = 1 if options.quick else min(options.rounds, 3)
    ours: list[float] = []
    pipe: list[float] = []
    shares, bare = [], []
    for _ in range(rounds):
        bare.append(asyncio.run(_idle(IDLE / 2)))
        pipe += asyncio.run(_pipe(200))
        with tempfile.TemporaryDirectory() as root:
            delays, share = asyncio.run(_noticed(Path(root), 200, IDLE))
        ours += delays
        shares.append(share)
    return [
        Figure(
            what=f"the end of an agent noticed, {WAITING:,} waiting, {name}",
            value=_percentile(ours, share) * 1e3,
            unit="ms",
            goal=goal,
            floor=f"a byte in a watched pipe, {short(_percentile(pipe, share) * 1e3)} ms",
        )
        for name, share, goal in (("p50", 0.5, 5.0), ("p95", 0.95, 25.0))
    ] + [
        Figure(
            what=f"CPU of {WAITING:,} that wait",
            value=statistics.median(shares) * 100,
            unit="%",
            goal=0.1,
            floor=f"an event loop that sleeps, {short(statistics.median(bare) * 100)} %",
        )
    ]
