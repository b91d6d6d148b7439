"""The journal's figures that have goals; `journal.py` measures them, and more, and can be run alone."""

import asyncio
import statistics
import tempfile
from pathlib import Path

import journal
from measuring import TIMES, Figure, Options, short

EVENTS = 1_000_000


def journal_rows(options: Options) -> list[Figure]:
    """Events per second, stalls of the event loop, recovery."""
    events = EVENTS // 10 if options.quick else EVENTS
    rounds: list[journal.Figures] = []
    with tempfile.TemporaryDirectory() as place:
        long = Path(place) / "long.sqlite"
        asyncio.run(journal.write_million(long, events))
        for _ in range(min(options.rounds, 2) if options.quick else options.rounds):
            with tempfile.TemporaryDirectory() as directory:
                rounds.append(journal.one_round(Path(directory), long))

    def median(name: str) -> float:
        return statistics.median(figures[name] for figures in rounds)

    bare = f"bare SQLite transactions, {short(median('floor_sqlite_per_s'))}/s"
    times = statistics.median(figures["grouped_100_full_per_s"] / figures["floor_sqlite_per_s"] for figures in rounds)
    grouped = f"{short(times)} {TIMES} that"
    return [
        Figure(
            what="journal: events one by one, each safe against kill -9",
            value=median("single_per_s"),
            unit="/s",
            goal=8_000,
            at_least=True,
            floor=bare,
            note=f"CPU {short(median('single_cpu_us'))} µs each, bare {short(median('floor_sqlite_cpu_us'))} µs",
        ),
        Figure(
            what="journal: events in groups of 1,000, safe against power loss",
            value=median("grouped_1000_full_per_s"),
            unit="/s",
            goal=50_000,
            at_least=True,
            floor=bare,
            note=f"groups of 100: {short(median('grouped_100_full_per_s'))}/s, {grouped}",
        ),
        Figure(
            what="journal: the event loop's stall, p99.9, beyond that of the same timers without a journal",
            value=statistics.median(max(0.0, each["stall_p999_ms"] - each["floor_timer_p999_ms"]) for each in rounds),
            unit="ms",
            goal=1,
            floor=f"the same timers without a journal, {short(median('floor_timer_p999_ms'))} ms",
            note=f"with it {short(median('stall_p999_ms'))} ms: the machine's own lateness is part of both",
        ),
        Figure(
            what=f"journal: state recovered from {events:,} events",
            value=median("recovery_s"),
            unit="s",
            goal=3 * events / EVENTS,
            floor=f"CPU {short(median('recovery_cpu_s'))} s",
        ),
    ]
