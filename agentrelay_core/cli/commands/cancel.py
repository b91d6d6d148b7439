"""``agentrelay cancel``: end tasks of a run, whether some process drives it or nobody does any more."""

import click

from agentrelay_core.cli.options import graph_option, json_option, plan_options, repository_option, state_dir_option


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
    # Imported here, so that help loads none of it.
    from agentrelay_core.cli.cancelling import cancel
    from agentrelay_core.cli.records import find_record

    folder = find_record(graph, repository, state_dir)
    return cancel(folder, repository, tasks, as_json=as_json, dry_run=dry_run, yes=yes)
