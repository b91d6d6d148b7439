"""The click application: commands are imported when they are used, and every error ends in one place."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from agentrelay_core.cli import exit_codes, table
from agentrelay_core.cli.pipes import abandon_stdout, is_gone
from agentrelay_core.spec.suggestions import did_you_mean

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_CONTEXT = {"help_option_names": ["-h", "--help"]}


class LazyGroup(click.Group):
    """Commands from a static table.

    Args:
        sections: The table.
        given: What `click.Group` takes.
    """

    def __init__(self, *, sections: Sequence[table.Section], **given: Any) -> None:
        super().__init__(**given)
        self._entries = {entry.name: entry for entry in table.rows(sections)}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        entry = self._entries.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.place.partition(":")
        command: click.Command = getattr(import_module(f"agentrelay_core.cli.commands.{module}"), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; a misspelt one is answered with the one it was meant to be."""
        if args and not args[0].startswith("-") and args[0] not in self._entries:
            hint = did_you_mean(args[0], self._entries) or f"see `{ctx.command_path} --help`"
            raise click.UsageError(f"there is no command '{args[0]}'; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete a command's name, or an option, without importing any command."""
        from click.shell_completion import CompletionItem  # for shells alone

        names = [
            CompletionItem(entry.name, help=entry.help)
            for entry in self._entries.values()
            if entry.name.startswith(incomplete)
        ]
        return [*names, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands' short help, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.help) for entry in self._entries.values()])


class _Root(LazyGroup):
    """The top: its help is the table's own text."""

    def get_help(self, ctx: click.Context) -> str:
        return table.help_text().rstrip("\n")

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except OSError as error:  # here, because click would end the process itself, with a task's failure for a code
            if is_gone(error):
                return abandon_stdout()
            raise


def lazy_group(name: str, help_: str, *entries: table.Entry) -> LazyGroup:
    """A command with commands of its own.

    Args:
        name: What is typed.
        help_: What it is about.
        entries: Its commands.
    """
    return LazyGroup(
        name=name, help=help_, sections=(table.Section("", entries),), context_settings=_CONTEXT, no_args_is_help=True
    )


@click.pass_context
def _root(ctx: click.Context, debug: bool) -> None:
    ctx.obj["debug"] = debug or bool(os.environ.get("AGENTRELAY_DEBUG"))


root = _Root(
    name="agentrelay",
    sections=table.COMMANDS,
    callback=_root,
    context_settings=_CONTEXT,
    params=[click.Option(["--debug"], is_flag=True, help="Show the traceback of an internal error.")],
)
click.version_option(table.VERSION, prog_name="agentrelay", message="%(prog)s %(version)s")(root)


def run(arguments: Sequence[str]) -> int:
    """Run a command line; whatever goes wrong becomes a message and an exit code here.

    Args:
        arguments: What stands after ``agentrelay``.

    Returns:
        The exit code.
    """
    told: dict[str, bool] = {"debug": bool(os.environ.get("AGENTRELAY_DEBUG"))}
    try:
        code = root.main(args=list(arguments), prog_name="agentrelay", standalone_mode=False, obj=told)
        sys.stdout.flush()
        return code if isinstance(code, int) else exit_codes.OK
    except BrokenPipeError:
        return abandon_stdout()
    except (KeyboardInterrupt, click.Abort):
        click.echo("stopped", err=True)
        return exit_codes.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Exception as error:
        from agentrelay_core.cli.failures import report  # most runs need none of it

        return report(error, debug=told["debug"])
