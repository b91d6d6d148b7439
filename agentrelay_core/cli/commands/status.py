"""``agentrelay status``: where runs stand."""

import click

from agentrelay_core.cli.exit_codes import OK
from agentrelay_core.cli.options import json_option, repository_option, state_dir_option
from agentrelay_core.cli.records import find_record, recorded_graphs

SCHEMA = 1


@click.command("status")
@click.argument("graph", required=False)
@repository_option
@state_dir_option
@json_option
def command(graph: str | None, repository: str, state_dir: str | None, as_json: bool) -> int:
    """Show where the run of GRAPH stands, a file or a name; without it, every run of this repository."""
    if graph is not None:
        folders = [find_record(graph, repository, state_dir)]
    else:
        folders = list(recorded_graphs(repository, state_dir).values())
    if not (folders or as_json):
        click.echo("nothing was run here yet; begin with `agentrelay run`", err=True)
        return OK
    from agentrelay_core.cli.standing import standing_json, standing_lines  # reads journals, if there are any

    if as_json:
        import json

        click.echo(json.dumps({"schema": SCHEMA, "runs": [standing_json(folder) for folder in folders]}))
        return OK
    for number, folder in enumerate(folders):
        if number:
            click.echo()
        for line in standing_lines(folder):
            click.echo(line)
    return OK
