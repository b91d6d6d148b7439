"""``agentrelay rescue``: work that was kept before a worktree or a branch went, and how to get it back."""

import json
import time
from pathlib import Path

import attrs
import click

from agentrelay_core.cli.application import lazy_group
from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.exit_codes import OK, WRONG_USAGE
from agentrelay_core.cli.options import json_option, repository_option, state_dir_option
from agentrelay_core.cli.repairing import repairs_of_repository
from agentrelay_core.cli.table import Entry
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_core.spec.suggestions import did_you_mean
from agentrelay_core.task_runner.repairs import Rescued

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
    kept = repairs_of_repository(repository, state_dir).rescued()
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "rescued": [attrs.asdict(each) for each in kept]}))
    elif not kept:
        click.echo("nothing is kept: no work had to be rescued in this repository", err=True)
    for each in () if as_json else kept:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(each.saved_at))
        facts = f"{when}  {each.files} files, {_size(each.size)}"
        whose = f"{each.name} attempt {each.attempt_num + 1} of {each.run_id}" if each.run_id else each.name
        click.echo(f"{plain_line(each.ref)}  {facts}  {plain_line(whose)}")
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
    repairs = repairs_of_repository(repository, state_dir)
    found = _find(ref, repairs.rescued())
    if directory is not None:
        count = repairs.restore_files(found, Path(directory))
        click.echo(f"{count} files are in {directory}")
        return OK
    name = branch or f"rescued/{found.name}-{found.attempt_num}"
    repairs.restore_branch(found, name)
    click.echo(f"the branch {name} holds it; look: git log -p -1 {name}")
    return OK


def _find(given: str, kept: list[Rescued]) -> Rescued:
    exact = [each for each in kept if each.ref == given]
    found = exact or [each for each in kept if each.ref.endswith(f"/{given.strip('/')}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise Failure(
            f"'{given}' may mean {' or '.join(each.ref for each in found)}; give more of it, as `agentrelay rescue "
            "list` shows it",
            WRONG_USAGE,
        )
    names = [each.ref for each in kept] + ["/".join(each.ref.split("/")[3:]) for each in kept]
    hint = did_you_mean(given, names) or "see `agentrelay rescue list`"
    raise Failure(f"nothing is kept as '{given}'; {hint}", WRONG_USAGE)


def _size(size: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size} {unit}"
        size = round(size / 1024)
    return f"{size} GiB"
