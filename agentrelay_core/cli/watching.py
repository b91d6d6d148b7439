"""Following a run from its journal alone: whoever drives it, and however often people look."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from agentrelay_core.cli.exit_codes import OK
from agentrelay_core.cli.progress import progress_line
from agentrelay_core.cli.records import is_driven
from agentrelay_core.cli.standing import headline, note, taken
from agentrelay_core.journal import kinds
from agentrelay_core.journal.derive import apply
from agentrelay_core.journal.jsonlines import event_to_json
from agentrelay_core.journal.reader import read_events
from agentrelay_core.journal.state import RunState
from agentrelay_core.orchestrator.places import journal_path
from agentrelay_core.runtime import Event
from agentrelay_core.runtime.untrusted_text import plain_line

if TYPE_CHECKING:
    from rich.table import Table

PAUSE: Final = 0.25  # seconds between looks

Events = list[tuple[int, Event]]


def watch(state_dir: Path, *, as_json: bool) -> int:
    """Show a run until it ends, or until nobody drives it.

    Args:
        state_dir: The run's state directory.
        as_json: Print the journal's events.

    Returns:
        The exit code.
    """
    state = RunState()
    if sys.stdout.isatty() and not as_json:
        _draw(state_dir, state)
    else:
        for fresh in follow(state_dir, state):
            for sequence, event in fresh:
                sys.stdout.write((event_to_json(event, sequence) if as_json else progress_line(event)) + "\n")
            sys.stdout.flush()
    if state.outcome is None:
        click.echo("nobody drives this run now; `agentrelay run` goes on with it", err=True)
    return OK


def follow(state_dir: Path, state: RunState) -> Iterator[Events]:
    """The events of the latest run: those there are, then more as they come, until the run ends or nobody drives it.

    Args:
        state_dir: The run's state directory.
        state: Empty; kept up to date with what was given.

    Yields:
        Sequence and event of what is new, which may be nothing; at least once.
    """
    journal = journal_path(state_dir)
    while True:
        driven = is_driven(state_dir)  # asked before reading, so that the last events are read
        fresh = list(read_events(journal, after=state.sequence))
        for _, event in fresh:
            apply(state, event)
        begins = [index for index, (_, event) in enumerate(fresh) if event.kind == kinds.RUN_STARTED]
        yield fresh[begins[-1] :] if begins else fresh
        if state.outcome is not None or not driven:
            return
        time.sleep(PAUSE)


def _draw(state_dir: Path, state: RunState) -> None:
    from rich.live import Live  # slow to import, and for terminals alone

    with Live(refresh_per_second=1 / PAUSE) as live:
        for _ in follow(state_dir, state):
            live.update(_table(state_dir, state))


def _table(state_dir: Path, state: RunState) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(headline(state_dir, state)), title_justify="left", box=None, pad_edge=False)
    for name in ("task", "status", "attempt", "time", "pull request", "note"):
        table.add_column(name, no_wrap=name != "note")
    for task in state.tasks.values():
        attempt = str(task.attempt_num + 1) if task.started_at is not None else ""
        cells = (task.id, task.status.value, attempt, taken(task), plain_line(task.pr_url or ""), note(task))
        table.add_row(*(Text(cell) for cell in cells))  # as text: nothing in it is markup
    return table
