"""What the commands that repair and clean have in common: the plan is shown, asked about, and then carried out.

The run is owned from the first look to the last step, so that what is shown is what is there.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import click

from agentrelay_core.cli.configuration import read_configuration
from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.exit_codes import NOT_READY, OK, WAITS_FOR_PERSON, WRONG_USAGE
from agentrelay_core.cli.installed import make_catalog
from agentrelay_core.cli.options import Repair
from agentrelay_core.cli.records import find_record, state_folder
from agentrelay_core.cli.repair_text import carried_json, repair_json, repair_lines
from agentrelay_core.hooks import Catalog, RunInfo
from agentrelay_core.journal.reader import read_state
from agentrelay_core.orchestrator.ownership import owned
from agentrelay_core.orchestrator.places import journal_path, repository_root
from agentrelay_core.orchestrator.repair.carrying_out import Carried, carry_out
from agentrelay_core.orchestrator.repair.environments import EverywhereRepairs
from agentrelay_core.orchestrator.repair.plan import RepairPlan
from agentrelay_core.orchestrator.repair.recorded import RecordedRun, read_recorded
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_core.task_runner.repairs import Repairs


def repair(make: Callable[[RecordedRun], RepairPlan], wanted: Repair) -> int:
    """Make a plan, show it, and carry it out once that is wanted.

    Args:
        make: Makes the plan of what is found.
        wanted: What was typed.

    Returns:
        The exit code.

    Raises:
        RunIsOwned: Some process drives the run.
        Failure: It was not said that the plan is to be carried out, no workspace can do it, or there is no such run.
    """
    folder = find_record(wanted.graph, wanted.repository, wanted.state_dir)
    root = repository_root(Path(wanted.repository))
    return asyncio.run(_repair(make, folder, root, wanted.as_json, wanted.dry_run, wanted.yes))


async def _repair(
    make: Callable[[RecordedRun], RepairPlan], state_dir: Path, root: Path, as_json: bool, dry_run: bool, yes: bool
) -> int:
    async with owned(state_dir) as lock:
        state = read_state(journal_path(state_dir))
        run = RunInfo(
            run_id=state.run_id,
            graph_name=state.graph or state_dir.name,
            repository=root,
            state_dir=state_dir,
            helper_fds=() if lock is None else (lock,),
        )
        catalog = make_catalog(read_configuration(root))
        repairs = repairs_of(catalog, run)
        files = [pattern for framework in catalog.frameworks.values() for pattern in framework.protocol_files]
        plan = make(read_recorded(state_dir, root, repairs, files))
        show(plan, as_json=as_json)
        if dry_run or plan.nothing_to_do:
            return OK
        ask_first(plan, yes=yes)
        carried = await carry_out(plan, root, repairs, _tell)
    if as_json:
        click.echo(carried_json(plan, carried))
    _report(carried, as_json=as_json)
    return WAITS_FOR_PERSON if carried.problems else OK


def show(plan: RepairPlan, *, as_json: bool) -> None:
    """Print a plan.

    Args:
        plan: The plan.
        as_json: As a line of JSON.
    """
    for line in [repair_json(plan)] if as_json else repair_lines(plan):
        click.echo(line)


def ask_first(plan: RepairPlan, *, yes: bool) -> None:
    """Ask whether a plan is to be carried out, where something ends or goes.

    Args:
        plan: The plan, shown.
        yes: Whether ``--yes`` was given.

    Raises:
        Failure: There is nobody to ask.
        click.Abort: The answer is no.
    """
    if yes or not plan.destroys:
        return
    if not sys.stdin.isatty():
        raise Failure(
            f"nothing was done: the plan ends or removes something; "
            f"when it is right, type `agentrelay {plan.verb} --yes …`",
            WRONG_USAGE,
        )
    click.confirm("do this?", abort=True, err=True)


def repairs_of_repository(repository: str, state_dir: str | None) -> Repairs:
    """What can be done in a repository, of whatever graph.

    Args:
        repository: A path in it.
        state_dir: The value of ``--state-dir``.

    Raises:
        Failure: No installed workspace offers it.
        UserError: There is no repository, or the configuration is wrong.
    """
    root = repository_root(Path(repository))
    above = state_folder(root, "any", state_dir).parent
    catalog = make_catalog(read_configuration(root))
    return repairs_of(catalog, RunInfo(run_id="", graph_name="", repository=root, state_dir=above))


def repairs_of(catalog: Catalog, run: RunInfo) -> Repairs:
    """What the workspace of a run offers, and the environments.

    Args:
        catalog: The plugins.
        run: The run.

    Raises:
        Failure: No installed workspace offers it.
    """
    repairs: Repairs | None = getattr(catalog.workspace(run), "repairs", None)
    if repairs is None:
        raise Failure(
            "no installed plugin can list, keep or remove what runs leave in a repository; install agentrelay-git-gh, "
            "or see `agentrelay plugins list`",
            NOT_READY,
        )
    environments = [each.repairs(run) for each in catalog.environments.values() if each.repairs is not None]
    return EverywhereRepairs(repairs, environments) if run.run_id else repairs


def _tell(line: str) -> None:
    click.echo(plain_line(line), err=True)


def _report(carried: Carried, *, as_json: bool) -> None:
    for ref in () if as_json else carried.rescued:
        click.echo(f"kept {ref}")
    if carried.rescued:
        click.echo("give it back: agentrelay rescue restore REF", err=True)
    for problem in carried.problems:
        click.echo(f"not done: {plain_line(problem)}", err=True)
