"""Measure what we cost, each thing beside its floor in the same run, and write the table in docs/benchmarks.md.

Run ``python benchmarks/run.py [--quick] [--rounds 5] [--only NAME] [--json]``. With ``--only`` the page is left alone.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from claude_rows import claude_rows
from command_rows import command_rows
from dispatch_rows import dispatch_rows
from git_rows import git_rows
from graph_file_rows import graph_file_rows
from journal_rows import journal_rows
from measuring import Figure, Options
from peer_rows import peer_rows
from report import as_json, machine, missed, table, write
from task_rows import live_rows, memory_rows, run_rows, runner_rows
from tmux_rows import tmux_rows
from waiting_rows import waiting_rows

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"

BENCHMARKS: dict[str, Callable[[Options], list[Figure]]] = {
    "runner": runner_rows,
    "runs": run_rows,
    "peers": peer_rows,
    "live": live_rows,
    "memory": memory_rows,
    "dispatch": dispatch_rows,
    "waiting": waiting_rows,
    "commands": command_rows,
    "graph-file": graph_file_rows,
    "journal": journal_rows,
    "git": git_rows,
    "tmux": tmux_rows,
    "claude": claude_rows,
}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="three rounds, and a shorter journal")
    parser.add_argument("--rounds", type=int, help="how often everything is measured (5, with --quick 3)")
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="measure that alone; may be repeated")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    rounds = given.rounds if given.rounds is not None else 3 if given.quick else 5
    if rounds < 1:
        parser.error("--rounds must be 1 or more")
    options = Options(rounds=rounds, quick=given.quick)
    figures: list[Figure] = []
    for name, measure in BENCHMARKS.items():
        if given.only and name not in given.only:
            continue
        began = time.monotonic()
        figures += measure(options)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    if not given.only:
        write(PAGE, figures, options)
    text = as_json(figures, options) if given.json else f"{machine(options)}\n\n{table(figures)}\n\n{missed(figures)}"
    print(text)


if __name__ == "__main__":
    main()
