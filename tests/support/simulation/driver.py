"""One simulation from its seed to its end: sessions that are killed or left, people who answer."""

import asyncio
import contextlib
import random
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import attrs
from pytest_agentrelay.virtual_loop import VirtualLoop

from agentrelay_core import Catalog, Deadlines, Orchestrator, RetryPolicy, RunSettings, Task, TaskGraph
from agentrelay_core.journal import read_events, read_state, rebuild
from agentrelay_core.orchestrator import RunOutcome, RunResult, requests
from agentrelay_core.orchestrator.places import journal_path
from agentrelay_core.orchestrator.surroundings import Surroundings
from simulation.recording import SimulatedJournal
from simulation.steps import Session, SimulatedPlugin
from simulation.watching import Watcher
from simulation.world import DAY, HOUR, World

PROJECT = 40  # tasks that hang together; a failure blocks no more than these
HAPPENINGS = 14  # of one task, about
OFTEN = 1_000  # tasks up to which records are read anew after every session; of more, after the last one
RUNS = 3  # how often a person types `agentrelay run` after it came to its end
SECOND_THOUGHT = 2 * HOUR  # that people take to answer


@attrs.frozen(kw_only=True)
class Report:
    """What came of a simulation.

    Args:
        digest: Of all that was told, without real times.
        events: How many events were told.
        sessions: How many processes drove the run, one after the other.
        seconds: How long it took on the virtual clock.
        merged: How many tasks were merged.
        violations: What must not be and was.
    """

    digest: str
    events: int
    sessions: int
    seconds: float
    merged: int
    violations: tuple[str, ...]


def simulate(seed: int, tasks: int, directory: Path, *, restarts: int = 6, max_concurrency: int = 16) -> Report:
    """Run a made-up graph to its end on a virtual clock.

    Args:
        seed: Where everything comes from.
        tasks: How many tasks the graph has.
        directory: For the run's state.
        restarts: About how many times the process is killed or left.
        max_concurrency: Tasks at work at one time.
    """
    dice = random.Random(seed)
    graph = _graph(dice, tasks, directory, max_concurrency)
    world = World(seed)
    watcher = Watcher(graph, world)
    now, sessions, runs, restarted = 0.0, 0, 0, 0
    while runs < RUNS:
        lasts = int(dice.expovariate(restarts / (tasks * HAPPENINGS))) + 1 if restarted < 3 * restarts else 0
        sessions += 1
        result, now = _session(graph, world, watcher, dice, now, lasts)
        if tasks <= OFTEN:
            _compare(watcher, directory)
        if result is None or result.outcome is RunOutcome.DETACHED:
            restarted += 1
            now += dice.uniform(0, 12 * HOUR)
        elif result.outcome is RunOutcome.NOTHING_TO_DO:
            break
        else:
            runs += 1
            watcher.run_ended(result)
            world.answer()
            now += SECOND_THOUGHT
    if tasks > OFTEN:
        _compare(watcher, directory)
    return Report(
        digest=watcher.digest,
        events=watcher.events,
        sessions=sessions,
        seconds=now,
        merged=len(world.merged),
        violations=tuple(world.violations),
    )


def _session(
    graph: TaskGraph, world: World, watcher: Watcher, dice: random.Random, now: float, lasts: int
) -> tuple[RunResult | None, float]:
    """One process: how its run ended, `None` when it was killed; and when."""
    with (
        _loop(now) as loop,
        # Budgets are counted by the wall clock from session to session, so that it has to be made up as well.
        mock.patch("time.time", new=loop.wall_time),
        # Nobody asks a simulated run for anything: to look for that every few seconds of weeks would take longest.
        mock.patch.object(requests, "_POLL", DAY),
    ):
        killed = dice.random() < 0.5
        result = loop.run_until_complete(_run(graph, world, watcher, random.Random(dice.random()), lasts, killed))
        return result, loop.time()


async def _run(
    graph: TaskGraph, world: World, watcher: Watcher, chance: random.Random, lasts: int, killed: bool
) -> RunResult | None:
    loop = asyncio.get_running_loop()
    journals: list[SimulatedJournal] = []

    def open_journal(path: Path) -> SimulatedJournal:
        journal = SimulatedJournal.open(path, durability="process_death")
        assert isinstance(journal, SimulatedJournal)
        journal.on_durable = watcher.durable
        journals.append(journal)
        return journal

    def end() -> None:
        if not killed:
            loop.call_soon(orchestrator.detach)
            return
        # From here on nothing that this process does reaches the disk or the world; it is only taken apart.
        session.dead = True
        for journal in journals:
            journal.lose()
        running.cancel()

    session = Session(world, lasts, end)
    catalog = Catalog()
    report = catalog.add(SimulatedPlugin(session))
    assert report.status == "active", report.reason
    watcher.session_began()

    def told(event):
        if not session.dead:
            watcher.told(event, loop.time())
            session.happened()

    orchestrator = Orchestrator(
        graph,
        catalog=catalog,
        on_event=told,
        surroundings=Surroundings(open_journal=open_journal, chance=chance, begin=lambda work: work()),
    )
    running = asyncio.create_task(orchestrator.run())
    with contextlib.suppress(asyncio.CancelledError):
        result = await running
        return None if session.dead else result
    return None


@contextlib.contextmanager
def _loop(now: float) -> Iterator[VirtualLoop]:
    loop = VirtualLoop(now)
    try:
        yield loop
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    finally:
        loop.close()


def _compare(watcher: Watcher, directory: Path) -> None:
    """What is derived from all records at once is what was derived one by one."""
    path = journal_path(directory / "g")
    if not path.exists():
        return
    whole = read_state(path)
    if whole != watcher.state or rebuild(event for _, event in read_events(path)) != whole:
        watcher.world.violations.append(f"rebuild(events) is another state than the one read after {whole.sequence}")


def _graph(dice: random.Random, number: int, directory: Path, max_concurrency: int) -> TaskGraph:
    tasks = []
    for rank in range(number):
        first = rank - rank % PROJECT
        before = [f"t{each}" for each in range(max(first, rank - 12), rank)]
        tasks.append(
            Task(
                id=f"t{rank}",
                description="work",
                dependencies=tuple(sorted(dice.sample(before, min(len(before), dice.choice((0, 1, 1, 2, 3)))))),
                deadlines=Deadlines(wall=3 * DAY, stall_stop=dice.choice((None, HOUR, 6 * HOUR))),
                retry=RetryPolicy(initial_interval=60, maximum_interval=HOUR),
            )
        )
    settings = RunSettings(
        state_dir=directory,
        max_concurrency=max_concurrency,
        max_task_attempts=4,
        fail_fast_on_internal_error=False,
    )
    return TaskGraph(name="g", tasks=tuple(tasks), settings=settings)
