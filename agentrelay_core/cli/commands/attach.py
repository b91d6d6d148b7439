"""``agentrelay attach``: show a task's agent in this terminal, where its environment knows how."""

from typing import TYPE_CHECKING, Any

import click

from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.exit_codes import NOT_READY, WRONG_USAGE
from agentrelay_core.cli.options import repository_option, state_dir_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentrelay_core.hooks import Catalog, EnvironmentType
    from agentrelay_core.journal.state import TaskRecord


@click.command("attach")
@click.argument("task")
@click.argument("graph", required=False)
@repository_option
@state_dir_option
def command(task: str, graph: str | None, repository: str, state_dir: str | None) -> int:
    """Show TASK's agent in this terminal, for example its window in tmux; GRAPH is a file or a name.

    What then ends the view is for the program that shows it to say: in tmux, Ctrl-b d.
    """
    # Imported here, so that help loads none of it.
    import asyncio
    import os
    import sys

    from agentrelay_core.cli.installed import catalog_here
    from agentrelay_core.cli.records import find_record
    from agentrelay_core.journal.reader import read_state
    from agentrelay_core.orchestrator.places import journal_path
    from agentrelay_core.spec.suggestions import did_you_mean, listing

    state = read_state(journal_path(find_record(graph, repository, state_dir)))
    record = state.tasks.get(task)
    if record is None:
        hint = did_you_mean(task, state.tasks) or f"its tasks are {listing(state.tasks)}"
        raise Failure(f"the graph '{state.graph}' has no task '{task}'; {hint}", WRONG_USAGE)
    if record.agent is None:
        raise Failure(_no_agent(record, state.graph), WRONG_USAGE)
    argv = asyncio.run(_command(catalog_here(repository), record.agent))
    if argv is None:
        raise Failure(_no_window(record), WRONG_USAGE)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Failure(
            f"attach needs a terminal, and this is none; see `agentrelay logs {task} --follow`, or type "
            f"`{' '.join(argv)}` in one",
            WRONG_USAGE,
        )
    try:
        os.execvp(argv[0], list(argv))
    except OSError as error:
        raise Failure(f"{argv[0]} cannot be started: {error.strerror}; install it", NOT_READY) from error


async def _command(catalog: "Catalog", data: Any) -> "Sequence[str] | None":
    """What the first environment says that can show an agent with this address."""
    for environment in catalog.environments.values():
        argv = await _command_of(environment, data)
        if argv is not None:
            return argv
    return None


async def _command_of(environment: "EnvironmentType", data: Any) -> "Sequence[str] | None":
    from agentrelay_core.task_runner.calls import call_step

    try:
        place = environment.cls()
    except TypeError:  # an environment with options that have no default
        return None
    host = environment.host(place)
    if not hasattr(host, "attach_command"):
        return None
    try:
        address = await call_step(None, host, "adopt", data)
    except ValueError:
        return None  # an address of another environment
    if address is None:
        return None
    argv: Sequence[str] | None = await call_step(None, host, "attach_command", address)
    return argv


def _no_agent(record: "TaskRecord", graph: str) -> str:
    said = f"'{record.id}' is {record.status.value} and has no agent"
    return f"{said} that could be looked at; see `agentrelay status {graph}`"


def _no_window(record: "TaskRecord") -> str:
    from agentrelay_core.runtime.untrusted_text import plain_text

    where = f" ({plain_text(record.label)})" if record.label else ""
    return (
        f"the agent of '{record.id}'{where} has no window now, for '{record.id}' is {record.status.value} or its "
        f"environment shows none; `agentrelay logs {record.id}` has what it printed"
    )
