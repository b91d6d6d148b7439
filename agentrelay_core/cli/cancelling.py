"""Cancelling: by the process that drives the run where there is one, else by the command itself."""

import time
from pathlib import Path
from typing import Final

import click

from agentrelay_core.cli.exit_codes import OK, TEMPORARY
from agentrelay_core.cli.options import Repair
from agentrelay_core.cli.records import find_record
from agentrelay_core.cli.repairing import ask_first, repair, show
from agentrelay_core.journal.reader import read_state
from agentrelay_core.orchestrator.ownership import RunIsOwned
from agentrelay_core.orchestrator.places import journal_path, repository_root
from agentrelay_core.orchestrator.repair.planning import plan_cancel
from agentrelay_core.orchestrator.repair.recorded import read_recorded
from agentrelay_core.orchestrator.requests import DEADLINE, ask
from agentrelay_core.runtime.status import ENDED

_LOOK: Final = 0.1  # seconds between looks at the journal


def cancel(wanted: Repair) -> int:
    """Show what will end, and end it once that is wanted.

    Args:
        wanted: What was typed; no task means the whole run.

    Returns:
        The exit code.
    """
    tasks = wanted.tasks
    try:
        return repair(lambda run: plan_cancel(run, tasks), wanted)
    except RunIsOwned:
        # What is in the repository is the owner's to look at while it works there.
        state_dir = find_record(wanted.graph, wanted.repository, wanted.state_dir)
        run = read_recorded(state_dir, repository_root(Path(wanted.repository)), None)
    plan = plan_cancel(run, tasks, driven=True)
    show(plan, as_json=wanted.as_json)
    if wanted.dry_run:
        return OK
    ask_first(plan, yes=wanted.yes)
    until = time.monotonic() + DEADLINE
    ask(state_dir, tasks)
    at_work = {change.task_id for change in plan.tasks if change.was != "pending"}
    while time.monotonic() < until:
        state = read_state(journal_path(state_dir))
        if state.outcome is not None or (tasks and all(state.tasks[task].status in ENDED for task in at_work)):
            click.echo("cancelled; `agentrelay retry` makes it pending again", err=True)
            return OK
        time.sleep(_LOOK)
    click.echo(f"not over after {DEADLINE:g} s; the run goes on ending it, see `agentrelay status`", err=True)
    return TEMPORARY
