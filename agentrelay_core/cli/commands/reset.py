"""``agentrelay reset``: back to an earlier state, of some tasks or of the whole run."""

import click

from agentrelay_core.cli.options import Repair, repair_options


@click.command("reset")
@repair_options
@click.option("--all", "everything", is_flag=True, help="Forget the whole run; the next one is a new one.")
def command(wanted: Repair, everything: bool) -> int:
    """Do TASKs again whatever has become of them, with what hangs on them; or, with --all, forget the run.

    The plan is shown first. Commits that nothing else would reach, and files in no commit, are kept under
    refs/agentrelay/rescue before a branch or a worktree goes. Work of a TASK that is merged stays merged; with --all
    the integration branches are let go, and the next run begins where the first one began.
    """
    if bool(wanted.tasks) == everything:
        raise click.UsageError("name tasks, or say --all for the whole run")
    # Imported here, so that help loads none of it.
    from agentrelay_core.cli.repairing import repair
    from agentrelay_core.orchestrator.repair.planning import plan_reset

    return repair(lambda run: plan_reset(run, wanted.tasks, everything=everything), wanted)
