"""``agentrelay retry``: failed tasks, and what hangs on them, are pending again."""

from pathlib import Path

import click

from agentrelay_core.cli.options import Repair, repair_options


@click.command("retry")
@repair_options
@click.option("--run", "run_now", is_flag=True, help="Run at once, as `agentrelay run` would.")
def command(wanted: Repair, run_now: bool) -> int:
    """Make failed TASKs pending again, with what hangs on them; without TASK all that failed or wait for a person.

    Attempts are counted on: branches and directories of earlier ones stay as they are.
    """
    # Imported here, so that help loads none of it.
    from agentrelay_core.cli.repairing import repair
    from agentrelay_core.orchestrator.repair.planning import plan_retry

    code = repair(lambda run: plan_retry(run, wanted.tasks), wanted)
    if code or wanted.dry_run:
        return code
    if not run_now:
        click.echo("go on: agentrelay run", err=True)
        return code
    from agentrelay_core.cli.commands.run import run  # heavy, and needed for --run alone
    from agentrelay_core.cli.options import given_flags

    file = wanted.graph if wanted.graph is not None and Path(wanted.graph).is_file() else None
    return run(file, wanted.repository, as_json=wanted.as_json, flags=given_flags({"state_dir": wanted.state_dir}))
