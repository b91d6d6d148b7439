"""``agentrelay cancel``: end tasks of a run, whether some process drives it or nobody does any more."""

import click

from agentrelay_core.cli.options import Repair, repair_options


@click.command("cancel")
@repair_options
def command(wanted: Repair) -> int:
    """End TASKs of a run, or without TASK all of it: their agents and all that these started.

    The process that drives the run does it; where there is none any more, this command does. What is in no commit is
    kept, and the tasks are failed.
    """
    # Imported here, so that help loads none of it.
    from agentrelay_core.cli.cancelling import cancel

    return cancel(wanted)
