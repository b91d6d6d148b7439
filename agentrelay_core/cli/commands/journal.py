"""``agentrelay journal``: the record of a run as JSON lines, for other programs and for safe keeping."""

import sys
from pathlib import Path

import click

from agentrelay_core.cli.application import lazy_group
from agentrelay_core.cli.exit_codes import OK, WRONG_USAGE
from agentrelay_core.cli.options import graph_argument, repository_option, state_dir_option
from agentrelay_core.cli.table import Entry

command = lazy_group(
    "journal", "The record of a run.", Entry("export", "write all events as JSON lines", "journal:export_command")
)


@click.command("export")
@graph_argument
@repository_option
@state_dir_option
@click.option("-o", "--output", metavar="FILE", help="Write here, to a new file (default: stdout).")
def export_command(graph: str | None, repository: str, state_dir: str | None, output: str | None) -> int:
    """Write all events of GRAPH's journal, one JSON object a line; GRAPH is a file or a name.

    The lines are those of `agentrelay run --json`, with `schema` and `sequence`, and may be read while a run goes on.
    """
    # Imported here, so that help loads none of it.
    from agentrelay_core.cli.errors import Failure
    from agentrelay_core.cli.records import find_record
    from agentrelay_core.journal.jsonlines import event_to_json
    from agentrelay_core.journal.reader import read_events
    from agentrelay_core.orchestrator.places import journal_path

    journal = journal_path(find_record(graph, repository, state_dir))
    lines = (event_to_json(event, sequence) + "\n" for sequence, event in read_events(journal))
    if output is None:
        sys.stdout.writelines(lines)
        return OK
    try:
        with Path(output).open("x", encoding="ascii") as file:
            file.writelines(lines)
    except FileExistsError:
        raise Failure(f"{output} is there already; give another name with `--output FILE`", WRONG_USAGE) from None
    except OSError as error:
        raise Failure(
            f"{output} cannot be written: {error.strerror}; see `agentrelay journal export --help`", WRONG_USAGE
        ) from error
    click.echo(f"written to {output}", err=True)
    return OK
