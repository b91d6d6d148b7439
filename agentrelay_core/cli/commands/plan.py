"""``agentrelay plan``: what a run would do, and do nothing."""

from typing import Any

import click

from agentrelay_core.cli.commands.run import run
from agentrelay_core.cli.options import (
    given_flags,
    graph_argument,
    json_option,
    repository_option,
    selection_options,
    settings_options,
)


@click.command("plan")
@graph_argument
@repository_option
@selection_options
@json_option
@settings_options
def command(
    graph: str | None, repository: str, select: tuple[str, ...], until: str | None, as_json: bool, **flags: Any
) -> int:
    """Show what `agentrelay run` would do with GRAPH (agentrelay.yaml).

    Which tasks would run or be skipped and why, in which order, how many at one time, which files two of them may both
    change, and what is missing here. It is the very plan that the run would follow.
    """
    given = given_flags(flags)
    return run(graph, repository, select=select, until=until, dry_run=True, as_json=as_json, flags=given)
