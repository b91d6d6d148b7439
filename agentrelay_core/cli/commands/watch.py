"""``agentrelay watch``: a run as it goes on, from its journal: a table on a terminal, lines elsewhere."""

import click

from agentrelay_core.cli.options import graph_argument, json_option, repository_option, state_dir_option


@click.command("watch")
@graph_argument
@repository_option
@state_dir_option
@json_option
def command(graph: str | None, repository: str, state_dir: str | None, as_json: bool) -> int:
    """Watch the run of GRAPH, a file or a name, until it ends; INT ends the watching alone.

    On a terminal a table is redrawn in place; elsewhere there is a line per event, with --json the journal's own.
    """
    # Imported here, so that help loads none of it.
    from agentrelay_core.cli.records import find_record
    from agentrelay_core.cli.watching import watch

    return watch(find_record(graph, repository, state_dir), as_json=as_json)
