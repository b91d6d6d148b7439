"""``agentrelay schema graph``: the JSON Schema by which editors complete graph files."""

import json

import click

from agentrelay_core.cli.application import lazy_group
from agentrelay_core.cli.table import Entry

command = lazy_group(
    "schema",
    "Print the JSON Schema of a file.",
    Entry("graph", "graph files, plugins' options included", "schema:graph"),
)


@click.command("graph")
def graph() -> None:
    """Print the JSON Schema of graph files, the options of installed plugins included."""
    from agentrelay_core.cli.installed import catalog_here
    from agentrelay_core.graph.schema import graph_schema

    click.echo(json.dumps(graph_schema(catalog_here("."))))
