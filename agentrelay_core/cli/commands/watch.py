"""``agentrelay watch``: a run as it goes on, from its journal: a table on a terminal, lines elsewhere."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agentrelay_core.cli.exit_codes import OK
from agentrelay_core.cli.options import graph_argument, json_option, repository_option, state_dir_option
from agentrelay_core.cli.progress import progress_line
from agentrelay_core.cli.records import find_record
from agentrelay_core.cli.standing import headline, note, taken
from agentrelay_core.cli.watching import PAUSE, follow
from agentrelay_core.journal.jsonlines import event_to_json
from agentrelay_core.journal.state import RunState
from agentrelay_core.runtime.untrusted_text import plain_line

if TYPE_CHECKING:
    from rich.table import Table


@click.command("watch")
@graph_argument
@repository_option
@state_dir_option
@json_option
def command(graph: str | None, repository: str, state_dir: str | None, as_json: bool) -> int:
    """Watch the run of GRAPH, a file or a name, until it ends; INT ends the watching alone.

    On a terminal a table is redrawn in place; elsewhere there is a line per event, with --json the journal's own.
    """
    folder = find_record(graph, repository, state_dir)
    state = RunState()
    if sys.stdout.isatty() and not as_json:
        _draw(folder, state)
    else:
        for fresh in follow(folder, state):
            for sequence, event in fresh:
                sys.stdout.write((event_to_json(event, sequence) if as_json else progress_line(event)) + "\n")
            sys.stdout.flush()
    if state.outcome is None:
        click.echo("nobody drives this run any more; `agentrelay run` goes on with it", err=True)
    return OK


def _draw(folder: Path, state: RunState) -> None:
    from rich.live import Live  # slow to import, and for terminals alone

    with Live(refresh_per_second=1 / PAUSE) as live:
        for _ in follow(folder, state):
            live.update(_table(folder, state))


def _table(folder: Path, state: RunState) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(headline(folder, state)), title_justify="left", box=None, pad_edge=False)
    for name in ("task", "status", "attempt", "time", "pull request", "note"):
        table.add_column(name, no_wrap=name != "note")
    for task in state.tasks.values():
        attempt = str(task.attempt_num + 1) if task.started_at is not None else ""
        cells = (task.id, task.status.value, attempt, taken(task), plain_line(task.pr_url or ""), note(task))
        table.add_row(*(Text(cell) for cell in cells))  # as text: nothing in it is markup
    return table
