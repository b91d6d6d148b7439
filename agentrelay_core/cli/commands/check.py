"""``agentrelay check``: all problems of graph files at once, in the form that people, programs or GitHub read."""

import os
from pathlib import Path

import click

from agentrelay_core.cli.exit_codes import INVALID, OK
from agentrelay_core.cli.installed import catalog_here
from agentrelay_core.cli.opening import graph_file
from agentrelay_core.cli.options import repository_option
from agentrelay_core.cli.settings import from_variables
from agentrelay_core.graph import LoadedGraph, read_graph, render_github, render_json, render_text

_RENDERERS = {"text": render_text, "json": render_json, "github": render_github}


@click.command("check")
@click.argument("graphs", nargs=-1, metavar="[GRAPH]...")
@repository_option
@click.option("--format", "form", type=click.Choice(list(_RENDERERS)), default="text", help="How to print (text).")
@click.option("--strict", is_flag=True, help="Warnings are errors.")
def command(graphs: tuple[str, ...], repository: str, form: str, strict: bool) -> int:
    """Show all problems of each GRAPH (agentrelay.yaml) at once, with their places.

    What is valid but not installed here is a warning. Exit code 3 where there are errors; with --strict, warnings too.
    """
    catalog = catalog_here(repository)
    from_variables(os.environ)  # a wrong variable would be refused by `run` as well
    paths = [Path(graph) for graph in graphs] or [graph_file(None, repository)]
    loaded = [read_graph(path, catalog=catalog) for path in paths]
    found = [diagnostic for one in loaded for diagnostic in one.diagnostics]
    if found or form == "json":
        click.echo(_RENDERERS[form](found))
    errors = sum(len(one.errors) for one in loaded)
    click.echo(_summary(paths, loaded), err=True)
    return INVALID if errors or (strict and found) else OK


def _summary(paths: list[Path], loaded: list[LoadedGraph]) -> str:
    errors = sum(len(one.errors) for one in loaded)
    warnings = sum(len(one.warnings) for one in loaded)
    tasks = sum(len(one.graph.tasks) for one in loaded if one.graph is not None)
    said = [f"{_count(len(paths), 'file')}, {_count(tasks, 'task')}"]
    said.append(f"{_count(errors, 'error')}, {_count(warnings, 'warning')}")
    if not errors:
        said.append("next: `agentrelay plan`")
    return "; ".join(said)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
