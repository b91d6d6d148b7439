#!/usr/bin/env python3
"""Tell the orchestrator how this task goes.

This one file needs Python 3.8 or newer and nothing else, so that it works in any container. It writes into the
directory named by AGENTRELAY_SIGNAL_DIR, else into the one that it was copied to.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import sys
import time
import uuid
from pathlib import Path
from typing import Any, Iterator  # noqa: UP035 - the newer home cannot be subscripted in Python 3.8

try:
    import fcntl
except ImportError:  # not every system has it; there two outputs at the very same moment may lose one
    fcntl = None  # type: ignore[assignment]

SCHEMA_VERSION = 1
LONGEST_TEXT = 4000
CATEGORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
NAMES = {"done": ".done", "failed": ".failed"}


class Problem(Exception):
    """What is wrong, in a sentence for people."""


def main() -> int:
    """Run one command; returns the exit code."""
    options = parser().parse_args()
    try:
        options.run(signal_directory(), options)
    except Problem as problem:
        print(f"agentrelay-task: {problem}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"agentrelay-task: {error.filename or 'error'}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """Build the command line."""
    result = argparse.ArgumentParser(prog="agentrelay-task", description="Tell the orchestrator how this task goes.")
    commands = result.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True
    done = commands.add_parser("done", help="the work is finished")
    done.add_argument("--pr", metavar="URL", default="", help="the pull request, if you opened one yourself")
    done.set_defaults(run=run_done)
    failed = commands.add_parser("failed", help="the work cannot be finished")
    failed.add_argument("reason", metavar="REASON", nargs="+", help="why, in a sentence")
    failed.set_defaults(run=run_failed)
    concern = commands.add_parser("concern", help="something that people should know")
    concern.add_argument("text", metavar="TEXT", nargs="+", help="one line")
    concern.set_defaults(run=run_concern)
    output = commands.add_parser("output", help="a file that later tasks build upon")
    output.add_argument("path", metavar="PATH", help="a file in the repository")
    output.add_argument("--category", metavar="C", required=True, help="its kind, for example src, test or spec")
    output.set_defaults(run=run_output)
    context = commands.add_parser("context", help="print what this task should know of its prerequisites")
    context.set_defaults(run=run_context)
    return result


def run_done(directory: Path, options: argparse.Namespace) -> None:
    """Write .done."""
    url = one_line(options.pr)
    if url and "://" not in url and not url.startswith("agentrelay+local:"):
        raise Problem(f"--pr takes the URL of a pull request, not {url!r}")
    signal(directory, "done", url)


def run_failed(directory: Path, options: argparse.Namespace) -> None:
    """Write .failed."""
    reason = one_line(" ".join(options.reason))
    if not reason:
        raise Problem("say why: agentrelay-task failed REASON")
    signal(directory, "failed", reason)


def run_concern(directory: Path, options: argparse.Namespace) -> None:
    """Append to concerns.log."""
    text = one_line(" ".join(options.text))
    if not text:
        raise Problem("say what: agentrelay-task concern TEXT")
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(directory / "concerns.log", flags, 0o644)
    try:
        os.write(descriptor, f"{text}\n".encode("utf-8", "replace"))
    finally:
        os.close(descriptor)


def run_output(directory: Path, options: argparse.Namespace) -> None:
    """Add a file to outputs.json."""
    category = options.category
    if not CATEGORY.fullmatch(category) or ".." in category or category.lower().endswith((".", ".lock")):
        raise Problem(f"a category is a word such as src or test, not {category!r}")
    path = path_in_repository(options.path)
    where = directory / "outputs.json"
    with lock(directory):
        document: Any = {"schema_version": SCHEMA_VERSION, "outputs": {}}
        if where.exists():
            document = read_json(where)
        try:
            paths = document["outputs"].setdefault(category, [])
            if path in paths:
                return
            paths.append(path)
        except (AttributeError, KeyError, TypeError):
            raise Problem(f"{where} was changed by hand; delete it and add the outputs again") from None
        write(where, json.dumps(document, indent=2, sort_keys=True) + "\n")


def run_context(directory: Path, options: argparse.Namespace) -> None:
    """Print context.md."""
    sys.stdout.buffer.write((directory / "context.md").read_bytes())


def signal(directory: Path, outcome: str, second_line: str) -> None:
    """Write the one signal of this attempt, unless it is there already."""
    nonce = read_nonce(directory)
    for other, name in NAMES.items():
        path = directory / name
        if not os.path.lexists(path) or is_stale(path, nonce):
            continue
        if other != outcome:
            raise Problem(f"this attempt has already signalled {other!r}; it cannot be {outcome!r} as well")
        print(f"agentrelay-task: {outcome!r} was signalled before; nothing to do", file=sys.stderr)
        return
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    write(directory / NAMES[outcome], f"{stamp}\n{second_line}\nnonce={nonce}\n")


def signal_directory() -> Path:
    """Find this attempt's directory."""
    named = os.environ.get("AGENTRELAY_SIGNAL_DIR")
    directory = Path(named) if named else Path(__file__).resolve().parent.parent
    if not (directory / "manifest.json").is_file():
        hint = "that is what AGENTRELAY_SIGNAL_DIR says" if named else "AGENTRELAY_SIGNAL_DIR is not set"
        raise Problem(f"{directory} is no task's directory: it holds no manifest.json ({hint})")
    return directory


def read_nonce(directory: Path) -> str:
    """Read the attempt's nonce from its manifest."""
    path = directory / "manifest.json"
    document = read_json(path)
    nonce = document.get("nonce") if isinstance(document, dict) else None
    if not isinstance(nonce, str) or not re.fullmatch("[0-9a-f]+", nonce):
        raise Problem(f"{path} holds no nonce; that file must not be changed")
    return nonce


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Problem(f"{path} is no JSON: {error}") from None


def is_stale(path: Path, nonce: str) -> bool:
    """Whether a signal carries another attempt's nonce."""
    if not path.is_file():
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        lines = file.read(65536).split("\n")
    given = lines[2].strip() if len(lines) > 2 else ""
    return given.startswith("nonce=") and given != f"nonce={nonce}"


def write(path: Path, content: str) -> None:
    """Write a file so that readers see all of it or none."""
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with aside.open("xb") as file:
            file.write(content.encode("utf-8", "replace"))
        aside.replace(path)
    except BaseException:
        if aside.exists():
            aside.unlink()
        raise


def one_line(text: str) -> str:
    """Make one plain line of a text."""
    visible = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(visible.split())[:LONGEST_TEXT]


def path_in_repository(given: str) -> str:
    """Make a path relative to the repository that it lies in."""
    path = Path(given).resolve()
    if not path.is_file():
        raise Problem(f"there is no file {given}")
    here = Path.cwd().resolve()
    root = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    try:
        relative = path.relative_to(root).as_posix()
    except ValueError:
        raise Problem(f"{given} is not in the repository {root}") from None
    if not relative.isprintable() or "\\" in relative:
        raise Problem(f"{relative!r} is no plain name for a file")
    return relative


@contextlib.contextmanager
def lock(directory: Path) -> Iterator[None]:
    """Hold the directory, so that two outputs at the same moment are both kept."""
    if fcntl is None:
        yield
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
