"""``agentrelay cancel``: end tasks of a run, whether some process drives it or nobody does any more."""

import time
from collections.abc import Collection
from pathlib import Path
from typing import Final

import click

from agentrelay_core.cli.exit_codes import OK, TEMPORARY
from agentrelay_core.cli.options import graph_option, json_option, plan_options, repository_option, state_dir_option
from agentrelay_core.cli.records import find_record
from agentrelay_core.cli.repairing import repair, show, wanted
from agentrelay_core.journal.reader import read_state
from agentrelay_core.orchestrator.ownership import RunIsOwned
from agentrelay_core.orchestrator.places import journal_path, repository_root
from agentrelay_core.orchestrator.repair.planning import plan_cancel
from agentrelay_core.orchestrator.repair.recorded import read_recorded
from agentrelay_core.orchestrator.requests import DEADLINE, ask
from agentrelay_core.runtime.status import ENDED

_LOOK: Final = 0.1  # seconds between looks at the journal


@click.command("cancel")
@click.argument("tasks", nargs=-1, metavar="[TASK]...")
@graph_option
@repository_option
@state_dir_option
@plan_options
@json_option
def command(
    tasks: tuple[str, ...],
    graph: str | None,
    repository: str,
    state_dir: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """End TASKs of a run, or without TASK all of it: their agents and all that these started.

    The process that drives the run does it; where there is none any more, this command does. What is in no commit is
    kept, and the tasks are failed.
    """
    folder = find_record(graph, repository, state_dir)
    try:
        return repair(
            lambda run: plan_cancel(run, tasks),
            state_dir=folder,
            repository=repository,
            as_json=as_json,
            dry_run=dry_run,
            yes=yes,
        )
    except RunIsOwned:
        return _ask_owner(folder, repository, tasks, as_json=as_json, dry_run=dry_run, yes=yes)


def _ask_owner(
    folder: Path, repository: str, tasks: Collection[str], *, as_json: bool, dry_run: bool, yes: bool
) -> int:
    plan = plan_cancel(read_recorded(folder, repository_root(Path(repository)), None), tasks, driven=True)
    show(plan, as_json=as_json)
    if dry_run or not wanted(plan, yes=yes):
        return OK
    until = time.monotonic() + DEADLINE
    ask(folder, tasks)
    pending = {change.task_id for change in plan.tasks if change.was != "pending"}
    while time.monotonic() < until:
        state = read_state(journal_path(folder))
        if state.outcome is not None or (tasks and all(state.tasks[task].status in ENDED for task in pending)):
            click.echo("cancelled; `agentrelay retry` makes it pending again", err=True)
            return OK
        time.sleep(_LOOK)
    click.echo(f"not over after {DEADLINE:g} s; the run goes on ending it, see `agentrelay status`", err=True)
    return TEMPORARY
