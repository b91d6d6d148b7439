"""``agentrelay rescue``: work that was kept before a worktree or a branch went, and how to get it back."""

import json
from pathlib import Path

import click

from agentrelay_core.cli.application import lazy_group
from agentrelay_core.cli.exit_codes import OK
from agentrelay_core.cli.options import json_option, repository_option, state_dir_option
from agentrelay_core.cli.table import Entry

SCHEMA = 1

command = lazy_group(
    "rescue",
    "Work that was kept before what held it went.",
    Entry("list", "list what is kept", "rescue:list_command"),
    Entry("restore", "give one back, as a new branch or as files", "rescue:restore_command"),
)


@click.command("list")
@repository_option
@state_dir_option
@json_option
def list_command(repository: str, state_dir: str | None, as_json: bool) -> int:
    """List work that was kept before a worktree or a branch went, the oldest first."""
    # Imported here, so that help loads none of it.
    import attrs

    from agentrelay_core.cli.kept_work import kept_line
    from agentrelay_core.cli.repairing import repairs_of_repository

    kept = repairs_of_repository(repository, state_dir).rescued()
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "rescued": [attrs.asdict(each) for each in kept]}))
        return OK
    if not kept:
        click.echo("nothing is kept: no work had to be rescued in this repository", err=True)
    for each in kept:
        click.echo(kept_line(each))
    return OK


@click.command("restore")
@click.argument("ref")
@repository_option
@state_dir_option
@click.option("--to", "directory", metavar="DIRECTORY", help="Write the files here; a new or an empty directory.")
@click.option("--branch", metavar="NAME", help="Make this branch (default: rescued/<task>-<attempt>).")
def restore_command(ref: str, repository: str, state_dir: str | None, directory: str | None, branch: str | None) -> int:
    """Give rescued work back; REF is one that `agentrelay rescue list` shows, or the end of one.

    Nothing that exists is moved or overwritten, and the branch that is checked out stays as it is.
    """
    if directory is not None and branch is not None:
        raise click.UsageError("give --to or --branch, not both")
    # Imported here, so that help loads none of it.
    from agentrelay_core.cli.kept_work import find_kept
    from agentrelay_core.cli.repairing import repairs_of_repository

    repairs = repairs_of_repository(repository, state_dir)
    found = find_kept(ref, repairs.rescued())
    if directory is not None:
        count = repairs.restore_files(found, Path(directory))
        click.echo(f"{count} files are in {directory}")
        return OK
    name = branch or f"rescued/{found.name}-{found.attempt_num}"
    repairs.restore_branch(found, name)
    click.echo(f"the branch {name} holds it; look: git log -p -1 {name}")
    return OK
