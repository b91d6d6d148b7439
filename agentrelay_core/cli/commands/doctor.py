"""``agentrelay doctor``: what is missing on this machine, in this repository, for this graph, and how to mend it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
import click

from agentrelay_core.cli.configuration import read_configuration
from agentrelay_core.cli.exit_codes import NOT_READY, OK
from agentrelay_core.cli.findings import finding, finding_lines
from agentrelay_core.cli.installed import make_catalog, root_or_none
from agentrelay_core.cli.machine import machine_findings
from agentrelay_core.cli.opening import DEFAULT_GRAPH, Opened, open_graph
from agentrelay_core.cli.options import graph_argument, json_option, repository_option
from agentrelay_core.hooks.doctor import Finding, doctor_findings, repository_findings
from agentrelay_core.hooks.doctor import machine_findings as plugins_findings
from agentrelay_core.orchestrator import Orchestrator
from agentrelay_core.spec import RunSettings

SCHEMA: Final = 1


@click.command("doctor")
@graph_argument
@repository_option
@json_option
def command(graph: str | None, repository: str, as_json: bool) -> int:
    """Look for what is missing here: programs, plugins, disk, the repository, and what GRAPH (agentrelay.yaml) needs.

    Each finding says how to mend it. Exit code 5 where something would keep a run from starting.
    """
    found = [*machine_findings(repository), *_installed(graph, repository)]
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "findings": [attrs.asdict(item) for item in found]}))
    else:
        for line in finding_lines(found):
            click.echo(line)
    return NOT_READY if any(item.level == "error" for item in found) else OK


def _installed(graph: str | None, repository: str) -> Iterator[Finding]:
    """What plugins say of themselves, and what the graph needs; without a graph all that anything might need."""
    root = root_or_none(repository)
    if root is None or (graph is None and not _has_graph(repository, root)):
        catalog = make_catalog(read_configuration(root))
        yield from doctor_findings(catalog)
        yield from plugins_findings(catalog)
        if root is not None:
            yield from repository_findings(catalog, root, RunSettings())
        return
    opened = open_graph(graph, repository, {})
    # Of programs, those that this graph needs; an unused plugin's are not missed here.
    yield from (item for item in doctor_findings(opened.catalog, which=_anything))
    yield from plugins_findings(opened.catalog, _named(opened))
    yield from repository_findings(opened.catalog, root, opened.graph.settings)
    yield finding("note", "graph", f"{opened.path}, {len(opened.graph.tasks)} tasks")
    yield from _graph(opened)


def _named(opened: Opened) -> set[str]:
    """The frameworks and environments that the graph uses."""
    agents = [task.primary_agent for task in opened.graph.tasks]
    kinds = {type(agent.environment) for agent in agents}
    places = {name for name, record in opened.catalog.environments.items() if record.cls in kinds}
    return {agent.framework for agent in agents} | places


def _graph(opened: Opened) -> Iterator[Finding]:
    orchestrator = Orchestrator(opened.graph, repository=opened.repository, catalog=opened.catalog)
    for problem in orchestrator.missing():
        yield finding("error", opened.graph.name, problem)


def _has_graph(repository: str, root: Path) -> bool:
    return any((folder / DEFAULT_GRAPH).is_file() for folder in (Path(repository), root))


def _anything(program: str) -> str:
    return program
