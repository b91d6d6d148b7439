"""``agentrelay status``: where runs stand, derived from their journals, while they go on and after."""

import json
from pathlib import Path

import click

from agentrelay_core.cli.exit_codes import OK
from agentrelay_core.cli.options import json_option, repository_option, state_dir_option
from agentrelay_core.cli.records import find_record, is_driven, recorded_graphs
from agentrelay_core.cli.standing import run_lines
from agentrelay_core.journal.reader import read_state
from agentrelay_core.journal.state import RunState
from agentrelay_core.orchestrator.places import journal_path

SCHEMA = 1


@click.command("status")
@click.argument("graph", required=False)
@repository_option
@state_dir_option
@json_option
def command(graph: str | None, repository: str, state_dir: str | None, as_json: bool) -> int:
    """Show where the run of GRAPH stands, a file or a name; without it, every run of this repository."""
    if graph is not None:
        found = [find_record(graph, repository, state_dir)]
    else:
        found = list(recorded_graphs(repository, state_dir).values())
    runs = [(folder, read_state(journal_path(folder))) for folder in found]
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "runs": [_plain(folder, state) for folder, state in runs]}))
    elif not runs:
        click.echo("nothing was run here yet; begin with `agentrelay run`", err=True)
    else:
        for number, (folder, state) in enumerate(runs):
            if number:
                click.echo()
            for line in run_lines(folder, state):
                click.echo(line)
    return OK


def _plain(folder: Path, state: RunState) -> dict[str, object]:
    return {
        "graph": state.graph or folder.name,
        "run_id": state.run_id or None,
        "outcome": state.outcome,
        "active": state.outcome is None and is_driven(folder),
        "started_at": state.started_at,
        "finished_at": state.finished_at,
        "sequence": state.sequence,
        "state_dir": str(folder),
        "tasks": [_fields(task) for task in state.tasks.values()],
        "workstreams": [_fields(lane) for lane in state.workstreams.values()],
    }


def _fields(record: object) -> dict[str, object]:
    """The fields of a record; its enums are texts, and its tuples become lists by themselves."""
    return {name: getattr(record, name) for name in record.__slots__ if not name.startswith("_")}  # type: ignore[attr-defined]
