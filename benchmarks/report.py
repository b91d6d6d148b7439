"""The table of figures, for people in the documentation and for programs as JSON."""

import datetime
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

import attrs
from measuring import Figure, Options, short

BEGIN, END = "<!-- figures: written by benchmarks/run.py -->", "<!-- end of figures -->"
_MET = {True: "met", False: "**not met**", None: "—"}


def machine(options: Options) -> str:
    """Where, when and how thoroughly was measured."""
    git = subprocess.run(("git", "--version"), capture_output=True, text=True, check=False).stdout.split()
    load = f", load {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
    return (
        f"Measured on {datetime.datetime.now(datetime.UTC).date()}: {platform.system()} {platform.machine()}, "
        f"{os.cpu_count()} cores{load}, Python {platform.python_version()}, git {git[2] if len(git) > 2 else '?'}, "
        f"{options.rounds} round{'s' if options.rounds > 1 else ''}"
        f"{', the longest measurements made smaller (`--quick`)' if options.quick else ''}."
    )


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = ["| what | figure | goal | | measured beside | note |", "|---|---|---|---|---|---|"]
    for figure in figures:
        value = "not measured" if figure.value is None else f"{short(figure.value)} {figure.unit}"
        sign = "≥" if figure.at_least else "≤"
        goal = "—" if figure.goal is None else f"{sign} {short(figure.goal)} {figure.unit}"
        cells = (figure.what, value, goal, _MET[figure.met], figure.floor or "—", figure.note)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def missed(figures: Sequence[Figure]) -> str:
    """A sentence on goals that are not met."""
    names = [figure.what for figure in figures if figure.met is False]
    judged = sum(figure.met is not None for figure in figures)
    if not names:
        return f"All {judged} goals are met."
    return f"{judged - len(names)} of {judged} goals are met. Not met: {'; '.join(names)}."


def write(path: Path, figures: Sequence[Figure], options: Options) -> None:
    """Replace the part of a page between the markers.

    Args:
        path: The page.
        figures: All figures.
        options: How they were measured.
    """
    text = path.read_text(encoding="utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path} lacks the line {END if begin else BEGIN!r}")
    body = f"{machine(options)}\n\n{table(figures)}\n\n{missed(figures)}"
    path.write_text(f"{head}{BEGIN}\n\n{body}\n\n{END}{tail}", encoding="utf-8")


def as_json(figures: Sequence[Figure], options: Options) -> str:
    """The figures for programs."""
    rows = [attrs.asdict(figure) | {"met": figure.met} for figure in figures]
    return json.dumps({"machine": machine(options), "figures": rows}, indent=2, ensure_ascii=False)
