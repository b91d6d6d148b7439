"""``agentrelay retry``: failed tasks, and what hangs on them, are pending again."""

from pathlib import Path

import click

from agentrelay_core.cli.options import graph_option, json_option, plan_options, repository_option, state_dir_option


@click.command("retry")
@click.argument("tasks", nargs=-1, metavar="[TASK]...")
@graph_option
@repository_option
@state_dir_option
@plan_options
@click.option("--run", "run_now", is_flag=True, help="Run at once, as `agentrelay run` would.")
@json_option
def command(
    tasks: tuple[str, ...],
    graph: str | None,
    repository: str,
    state_dir: str | None,
    dry_run: bool,
    yes: bool,
    run_now: bool,
    as_json: bool,
) -> int:
    """Make failed TASKs pending again, with what hangs on them; without TASK all that failed or wait for a person.

    Attempts are counted on: branches and directories of earlier ones stay as they are.
    """
    # Imported here, so that help loads none of it.
    from agentrelay_core.cli.records import find_record
    from agentrelay_core.cli.repairing import repair
    from agentrelay_core.orchestrator.repair.planning import plan_retry

    folder = find_record(graph, repository, state_dir)
    code = repair(
        lambda run: plan_retry(run, tasks),
        state_dir=folder,
        repository=repository,
        as_json=as_json,
        dry_run=dry_run,
        yes=yes,
    )
    if code or dry_run:
        return code
    if not run_now:
        click.echo("go on: agentrelay run", err=True)
        return code
    from agentrelay_core.cli.commands.run import run  # heavy, and needed for --run alone
    from agentrelay_core.cli.options import given_flags

    file = graph if graph is not None and Path(graph).is_file() else None
    return run(file, repository, as_json=as_json, flags=given_flags({"state_dir": state_dir}))
