"""A durable run beside a library for durable execution that does the same: six steps that do nothing, each recorded."""

import functools
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from floor import Shape
from measuring import TIMES, Figure, Options, in_turns, middle, ratio, short
from task_rows import floor_cpu, run_cpu

COUNT = 60
OURS = 1_000
GOALS: dict[Shape, int] = {"chain": 5, "wide": 20}


def dbos_cpu(shape: Shape) -> float:
    """CPU seconds per task in DBOS, in a process of its own."""
    with tempfile.TemporaryDirectory() as directory:
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("peer_dbos.py")), str(COUNT), shape],
            cwd=directory,
            capture_output=True,
            text=True,
            check=True,
            timeout=600,
        )
    return float(done.stdout.split()[-1])


def peer_rows(options: Options) -> list[Figure]:
    """How many times less a task costs here, safe against power loss, than there."""
    if find_spec("dbos") is None:
        what = "a task's CPU in DBOS with SQLite over ours"
        return [Figure(what=what, value=None, note="DBOS is not installed; `pip install dbos`")]
    figures = []
    for shape, goal in GOALS.items():
        found = in_turns(
            min(options.rounds, 3),
            {
                "floor": functools.partial(floor_cpu, OURS, shape),
                "ours": functools.partial(run_cpu, OURS, shape, "power_loss"),
                "theirs": functools.partial(dbos_cpu, shape),
            },
        )
        figures.append(
            Figure(
                what=f"a task's CPU in DBOS with SQLite over ours, safe against power loss, {shape}",
                value=ratio(found["theirs"], found["ours"]),
                goal=goal,
                at_least=True,
                floor=f"ours, {short(middle(found['ours'], 1e6))} µs",
                note=f"theirs {short(middle(found['theirs'], 1e6))} µs, {short(ratio(found['theirs'], found['floor']))}"
                f" {TIMES} FLOOR",
            )
        )
    return figures
