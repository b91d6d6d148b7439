"""``agentrelay completion``: the script that makes a shell complete commands and options."""

import click
from click.shell_completion import get_completion_class

from agentrelay_core.cli.application import root

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print a completion script for SHELL.

    For bash: agentrelay completion bash >> ~/.bashrc
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(root, {}, "agentrelay", "_AGENTRELAY_COMPLETE").source())
