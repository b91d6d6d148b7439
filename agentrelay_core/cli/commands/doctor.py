"""``agentrelay doctor``: what is missing on this machine, in this repository, for this graph, and how to mend it."""

import json
import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
import click

from agentrelay_core.cli.configuration import read_configuration
from agentrelay_core.cli.exit_codes import NOT_READY, OK
from agentrelay_core.cli.findings import finding_lines
from agentrelay_core.cli.installed import make_catalog, root_or_none
from agentrelay_core.cli.opening import DEFAULT_GRAPH, Opened, open_graph
from agentrelay_core.cli.options import graph_argument, json_option, repository_option
from agentrelay_core.cli.repositories import git, git_problem, git_version
from agentrelay_core.hooks.doctor import Finding, doctor_findings
from agentrelay_core.orchestrator import Orchestrator
from agentrelay_core.orchestrator.places import state_directory

SCHEMA: Final = 1
LEAST_ROOM: Final = 1 << 30  # bytes; worktrees and our own repository grow with the user's


@click.command("doctor")
@graph_argument
@repository_option
@json_option
def command(graph: str | None, repository: str, as_json: bool) -> int:
    """Look for what is missing here: programs, plugins, disk, the repository, and what GRAPH (agentrelay.yaml) needs.

    Each finding says how to mend it. Exit code 5 where something would keep a run from starting.
    """
    found = [*_programs(), *_repository(repository), *_installed(graph, repository)]
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "findings": [attrs.asdict(finding) for finding in found]}))
    else:
        for line in finding_lines(found):
            click.echo(line)
    return NOT_READY if any(finding.level == "error" for finding in found) else OK


def _programs() -> Iterator[Finding]:
    yield Finding(level="note", subject="python", message=platform.python_version())
    problem = git_problem()
    if problem is None:
        yield Finding(level="note", subject="git", message=git_version())
    else:
        what, _, mend = problem.partition("; ")
        yield Finding(level="error", subject="git", message=what, mend=mend)
    if shutil.which("sh") is None:
        mend = "Install a POSIX shell, or put its folder on PATH."
        yield Finding(level="warning", subject="sh", message="sh is not on PATH; gates are run by it.", mend=mend)


def _repository(repository: str) -> Iterator[Finding]:
    root = root_or_none(repository)
    if root is None:
        message = f"{Path(repository).absolute()} is in no git repository."
        yield Finding(
            level="error", subject="repository", message=message, mend="Run `git init` there, or name -C PATH."
        )
        return
    yield Finding(level="note", subject="repository", message=str(root))
    if git_problem() is None and not _has_commit(root):
        mend = "Commit something: git add . && git commit -m Begin"
        yield Finding(level="error", subject="repository", message="it has no commit to branch off.", mend=mend)
    state = state_directory(root, "any").parent
    for name, path in (("the repository", root), ("the state directory", state)):
        place = next(folder for folder in (path, *path.parents) if folder.exists())
        free = shutil.disk_usage(place).free
        if free < LEAST_ROOM:
            message = f"{name}, {path}, has {free >> 20} MiB left."
            yield Finding(level="warning", subject="disk", message=message, mend="Free at least 1 GiB there.")
        if not os.access(place, os.W_OK):
            message = f"{name}, {path}, cannot be written."
            yield Finding(level="error", subject="disk", message=message, mend=f"Check the permissions of {place}.")


def _has_commit(root: Path) -> bool:
    return bool(git(root, "rev-list", "--all", "--max-count=1"))


def _installed(graph: str | None, repository: str) -> Iterator[Finding]:
    """What plugins say of themselves, and what the graph needs; without a graph all that anything might need."""
    root = root_or_none(repository)
    if root is None or (graph is None and not _has_graph(repository, root)):
        yield from doctor_findings(make_catalog(read_configuration(root)))
        return
    opened = open_graph(graph, repository, {})
    # Of programs, those that this graph needs; an unused plugin's are not missed here.
    yield from (item for item in doctor_findings(opened.catalog, which=_anything))
    yield Finding(level="note", subject="graph", message=f"{opened.path}, {len(opened.graph.tasks)} tasks")
    yield from _graph(opened)


def _graph(opened: Opened) -> Iterator[Finding]:
    orchestrator = Orchestrator(opened.graph, repository=opened.repository, catalog=opened.catalog)
    for problem in orchestrator.missing():
        yield Finding(level="error", subject=opened.graph.name, message=problem)


def _has_graph(repository: str, root: Path) -> bool:
    return any((folder / DEFAULT_GRAPH).is_file() for folder in (Path(repository), root))


def _anything(program: str) -> str:
    return program
