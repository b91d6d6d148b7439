"""``agentrelay clean``: what runs have left and nobody needs any more goes."""

import click

from agentrelay_core.cli.options import (
    Repair,
    graph_argument,
    json_option,
    plan_options,
    repository_option,
    state_dir_option,
)


@click.command("clean")
@graph_argument
@repository_option
@state_dir_option
@plan_options
@click.option("--ignored", is_flag=True, help="Remove worktrees with the files that git ignores; these are not kept.")
@json_option
def command(
    graph: str | None,
    repository: str,
    state_dir: str | None,
    dry_run: bool,
    yes: bool,
    ignored: bool,
    as_json: bool,
) -> int:
    """Remove what GRAPH's runs left: worktrees, merged branches of tasks, old protocol files, processes.

    The plan is shown first. What is in no commit is kept under refs/agentrelay/rescue; what is at work, not merged, or
    not ours stays.
    """
    # Imported here, so that help loads none of it.
    from agentrelay_core.cli.repairing import repair
    from agentrelay_core.orchestrator.repair.planning import plan_clean

    wanted = Repair((), graph, repository, state_dir, dry_run, yes, as_json)
    return repair(lambda run: plan_clean(run, ignored=ignored), wanted)
