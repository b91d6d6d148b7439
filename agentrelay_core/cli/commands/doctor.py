"""``agentrelay doctor``: what is missing here, for a graph, and how to mend it."""

import json

import attrs
import click

from agentrelay_core.cli.exit_codes import NOT_READY, OK
from agentrelay_core.cli.findings import finding, finding_lines
from agentrelay_core.cli.installed import catalog_here
from agentrelay_core.cli.machine import machine_findings
from agentrelay_core.cli.opening import DEFAULT_GRAPH, graph_file, open_graph
from agentrelay_core.cli.options import graph_argument, json_option, repository_option
from agentrelay_core.hooks.doctor import Finding, doctor_findings
from agentrelay_core.orchestrator import Orchestrator
from agentrelay_core.runtime import UserError

SCHEMA = 1


@click.command("doctor")
@graph_argument
@repository_option
@json_option
def command(graph: str | None, repository: str, as_json: bool) -> int:
    """Look for what is missing here to run GRAPH (agentrelay.yaml), and say how to mend it.

    Exit code 5 if something is. Programs, their versions, plugins, the repository, the disk. Nothing is changed.
    """
    findings: list[Finding] = []
    state_dir = None
    try:
        path = graph_file(graph, repository)
    except (UserError, click.ClickException):
        if graph is not None:
            raise
        findings.append(finding("note", "graph", f"there is no {DEFAULT_GRAPH} here", "begin with `agentrelay init`"))
    else:
        opened = open_graph(str(path), repository, {})
        orchestrator = Orchestrator(opened.graph, repository=opened.repository, catalog=opened.catalog)
        state_dir = orchestrator.state_dir
        findings.append(finding("note", "graph", f"{path}: {len(opened.graph.tasks)} tasks"))
        findings += [finding("error", "graph", text) for text in orchestrator.missing()]
    findings += machine_findings(repository, state_dir)
    findings += doctor_findings(catalog_here(repository))
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "findings": [attrs.asdict(found) for found in findings]}))
    else:
        for line in finding_lines(findings):
            click.echo(line)
    return NOT_READY if any(found.level == "error" for found in findings) else OK
