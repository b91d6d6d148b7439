"""What a task costs that does nothing: through the runner alone, and through a whole run with its journal."""

import asyncio
import functools
import gc
import sqlite3
import tempfile
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from floor import Shape, bare_loop
from measuring import TIMES, Figure, Measure, Options, cpu, in_turns, middle, ratio, short
from memory_plugin import AsyncSteps, PlainSteps, WaitingSteps, chain_or_wide, graph_of, memory_catalog

from agentrelay_core import Catalog, Event, RunSettings, StandardTaskRunner, StepDispatch, TaskGraph, TaskRuntime
from agentrelay_core.journal import Journal
from agentrelay_core.journal.writer import Durability
from agentrelay_core.orchestrator import Orchestrator
from agentrelay_core.orchestrator.surroundings import Surroundings

FEW, MANY = 1_000, 10_000
CONCURRENCY = 100


def floor_cpu(count: int, shape: Shape) -> float:
    """CPU seconds per task of the bare loop."""
    return cpu(lambda: asyncio.run(bare_loop(count, shape)), count)


def floor_text(figures: list[float]) -> str:
    """The bare loop as the table names it."""
    return f"FLOOR, {short(middle(figures, 1e6))} µs"


def _runner(steps: Any, pool: ThreadPoolExecutor | None = None) -> StandardTaskRunner:
    def table() -> StepDispatch[Any]:
        return StepDispatch(default=lambda runtime: steps)

    return StandardTaskRunner(
        preparer=table(),
        launcher=table(),
        kickoff=table(),
        completion_checker=table(),
        merger=table(),
        teardown=table(),
        executor=pool,
    )


def runner_cpu(count: int, shape: Shape, steps: Any) -> float:
    """CPU seconds per task of the standard runner, driven by the bare loop."""
    tasks = chain_or_wide(count, shape)
    with ThreadPoolExecutor(8) as pool:
        runner = _runner(steps, pool)
        merged = 0

        async def work(number: int) -> None:
            nonlocal merged
            result = await runner.run(TaskRuntime(tasks[number], run_id="r", graph_name="g"))
            merged += result.status == "pr_merged"

        used = cpu(lambda: asyncio.run(bare_loop(count, shape, work)), count)
        if merged != count:
            raise RuntimeError(f"{count - merged} of {count} no-op tasks failed; their cost says nothing")
        return used


def hand_offs_cpu(count: int) -> float:
    """CPU seconds of five bare hand-offs to a thread and back, one after another, for each of some tasks."""
    with ThreadPoolExecutor(8) as pool:

        async def work(_: int) -> None:
            for _ in range(5):
                await asyncio.get_running_loop().run_in_executor(pool, int)

        return cpu(lambda: asyncio.run(bare_loop(count, "wide", work)), count)


def runner_rows(options: Options) -> list[Figure]:
    """The runner alone, without a journal."""
    found = in_turns(
        options.rounds,
        {
            "floor": lambda: floor_cpu(FEW, "wide"),
            "async": lambda: runner_cpu(FEW, "wide", AsyncSteps()),
            "chain floor": lambda: floor_cpu(FEW, "chain"),
            "chain": lambda: runner_cpu(FEW, "chain", AsyncSteps()),
            "hand-offs": lambda: hand_offs_cpu(300),
            "plain": lambda: runner_cpu(300, "wide", PlainSteps()),
        },
    )
    wide, chain = found["floor"], found["chain floor"]
    return [
        Figure(
            what="a no-op task through six `async def` steps, no journal, wide",
            value=ratio(found["async"], wide),
            goal=7,
            floor=floor_text(wide),
        ),
        Figure(what="the same, chain", value=ratio(found["chain"], chain), goal=7, floor=floor_text(chain)),
        Figure(
            what="the same with plain `def` steps (five of the six; waiting must be `async def`), wide",
            value=ratio(found["plain"], found["hand-offs"]),
            floor=f"five bare hand-offs to a thread, {short(middle(found['hand-offs'], 1e6))} µs",
            note=f"{short(ratio(found['plain'], wide))} {TIMES} FLOOR",
        ),
    ]


async def _run(
    graph: TaskGraph, catalog: Catalog, directory: str, concurrency: int, durability: Durability = "process_death"
) -> None:
    events: list[int] = [0]

    def listen(_: Event) -> None:
        events[0] += 1

    result = await Orchestrator(
        graph,
        catalog=catalog,
        settings=RunSettings(state_dir=directory, max_concurrency=concurrency),
        on_event=listen,
        surroundings=Surroundings(open_journal=functools.partial(Journal.open, durability=durability)),
    ).run()
    assert result.outcome == "succeeded", result.outcome
    assert events[0] > 5 * len(graph.tasks)


def run_cpu(count: int, shape: Shape, durability: Durability, walls: list[float] | None = None) -> float:
    """CPU seconds per task of a run with journal and listener; wall seconds per task go to a list."""
    graph, catalog = graph_of(*chain_or_wide(count, shape)), memory_catalog(AsyncSteps())
    with tempfile.TemporaryDirectory() as directory:
        began = time.perf_counter()
        used = cpu(lambda: asyncio.run(_run(graph, catalog, directory, CONCURRENCY, durability)), count)
        if walls is not None:
            walls.append((time.perf_counter() - began) / count)
    return used


def bare_commit(count: int, walls: list[float]) -> float:
    """CPU seconds of a bare SQLite transaction that waits for the disk; wall seconds go to a list."""
    with tempfile.TemporaryDirectory() as directory:
        connection = sqlite3.connect(Path(directory) / "bare.sqlite", isolation_level=None)
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "CREATE TABLE e (a, b)"):
            connection.execute(statement)
        began = time.perf_counter()
        used = cpu(
            lambda: [connection.execute("INSERT INTO e VALUES (1, 'task_launched')") for _ in range(count)], count
        )
        walls.append((time.perf_counter() - began) / count)
        connection.close()
        return used


def run_rows(options: Options) -> list[Figure]:
    """Whole runs: wide and chain, few tasks and many, either durability; how they grow."""
    chain_walls: list[float] = []
    commit_walls: list[float] = []
    measures: dict[str, Measure] = {}
    for shape in ("wide", "chain"):
        for count in (FEW, MANY):
            measures[f"floor {shape} {count}"] = functools.partial(floor_cpu, count, shape)
            measures[f"death {shape} {count}"] = functools.partial(run_cpu, count, shape, "process_death")
        if shape == "wide":
            measures[f"power wide {MANY}"] = functools.partial(run_cpu, MANY, shape, "power_loss")
        measures[f"power {shape} {FEW}"] = functools.partial(
            run_cpu, FEW, shape, "power_loss", chain_walls if shape == "chain" else None
        )
    measures["commit"] = functools.partial(bare_commit, 300, commit_walls)
    found = in_turns(options.rounds, measures)
    figures = []
    for shape, goal in (("wide", 15), ("chain", 25)):
        for count in (FEW, MANY):
            floors = found[f"floor {shape} {count}"]
            figures.append(
                Figure(
                    what=f"a run with journal and listener, safe against kill -9, {shape}, {count:,} tasks",
                    value=ratio(found[f"death {shape} {count}"], floors),
                    goal=goal,
                    floor=floor_text(floors),
                )
            )
    for count in (FEW, MANY):
        floors = found[f"floor wide {count}"]
        figures.append(
            Figure(
                what=f"the same, safe against power loss, wide, {count:,} tasks",
                value=ratio(found[f"power wide {count}"], floors),
                goal=18,
                floor=floor_text(floors),
            )
        )
    floors, chain, commits = found[f"floor chain {FEW}"], found[f"power chain {FEW}"], found["commit"]
    # Before the launch and before the merge its intent must be on the disk, and in a chain nobody shares the wait.
    less = [max(0.0, used - 2 * commit) for used, commit in zip(chain, commits, strict=True)]
    figures.append(
        Figure(
            what=f"the same, chain, {FEW:,} tasks, less its two durable commits per task",
            value=ratio(less, floors),
            goal=25,
            floor=floor_text(floors),
            note=f"a commit {short(middle(commits, 1e6))} µs CPU; wall time of a task"
            f" {short(ratio(chain_walls, commit_walls))} {TIMES} a bare commit of"
            f" {short(middle(commit_walls, 1e3))} ms",
        )
    )
    for shape in ("wide", "chain"):
        floors, few = found[f"floor {shape} {FEW}"], found[f"death {shape} {FEW}"]
        bare = ratio(found[f"floor {shape} {MANY}"], floors)
        figures.append(
            Figure(
                what=f"growth of CPU per task, {MANY:,} over {FEW:,}, {shape}",
                value=ratio(found[f"death {shape} {MANY}"], few),
                goal=1.3,
                floor=f"{FEW:,} tasks, {short(middle(few, 1e6))} µs each",
                note=f"the bare loop itself {short(bare)}",
            )
        )
    return figures


def completion_cpu(waiting: int, ends: int) -> float:
    """CPU seconds for each of some tasks, one after another, while others wait."""

    async def whole(directory: str) -> float:
        steps, ended = WaitingSteps(waiting), asyncio.Event()
        tasks = (*chain_or_wide(waiting, "wide", "wait"), *chain_or_wide(ends, "chain"))
        catalog = memory_catalog(_Ending(steps, f"t{ends - 1}", ended))
        run = asyncio.create_task(_run(graph_of(*tasks), catalog, directory, waiting + 10))
        await steps.all_wait.wait()
        began = time.process_time()
        await ended.wait()
        used = time.process_time() - began
        steps.release.set()
        await run
        return used / ends

    gc.collect()
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(whole(directory))


class _Ending:
    """Steps that tell when one task is over."""

    def __init__(self, steps: WaitingSteps, task_id: str, ended: asyncio.Event) -> None:
        self.prepare, self.launch, self.kickoff = steps.prepare, steps.launch, steps.kickoff
        self.wait_for_completion, self.merge_pr = steps.wait_for_completion, steps.merge_pr
        self._task_id, self._ended = task_id, ended

    async def teardown(self, runtime: TaskRuntime) -> None:
        if runtime.task.id == self._task_id:
            self._ended.set()


def live_rows(options: Options) -> list[Figure]:
    """What the end of a task costs among many that wait."""
    ends = 500
    found = in_turns(
        options.rounds,
        {"few": lambda: completion_cpu(100, ends), "many": lambda: completion_cpu(MANY, ends)},
    )
    return [
        Figure(
            what=f"CPU per task that ends while {MANY:,} wait, over 100 that wait",
            value=ratio(found["many"], found["few"]),
            goal=3,
            floor=f"100 waiting, {short(middle(found['few'], 1e6))} µs",
        )
    ]


def _traced(count: int) -> int:
    async def whole(directory: str) -> int:
        steps = WaitingSteps(count)
        catalog = memory_catalog(steps)
        graph = graph_of(*chain_or_wide(count, "wide", "wait"))
        gc.collect()
        tracemalloc.start()
        run = asyncio.create_task(_run(graph, catalog, directory, count + 10))
        await steps.all_wait.wait()
        await asyncio.sleep(0.2)  # so that the journal's thread has written what it holds
        gc.collect()
        used = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        steps.release.set()
        await run
        return used

    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(whole(directory))


def _traced_bare(count: int) -> int:
    async def whole() -> int:
        release = asyncio.Event()
        gc.collect()
        tracemalloc.start()
        tasks = [asyncio.create_task(release.wait()) for _ in range(count)]
        await asyncio.sleep(0)
        used = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        release.set()
        await asyncio.gather(*tasks)
        return used

    return asyncio.run(whole())


def memory_rows(options: Options) -> list[Figure]:
    """Memory of a task that waits: the difference of two runs, so that what they share falls out."""
    few, many = 200, 2200
    _traced(few)  # fills caches that all share
    found = in_turns(
        min(options.rounds, 3),
        {
            "ours": lambda: (_traced(many) - _traced(few)) / (many - few) / 1024,
            "bare": lambda: (_traced_bare(many) - _traced_bare(few)) / (many - few) / 1024,
        },
    )
    return [
        Figure(
            what="memory per waiting task",
            value=middle(found["ours"]),
            unit="KB",
            goal=6,
            floor=f"a bare asyncio task that waits, {short(middle(found['bare']))} KB",
        )
    ]
