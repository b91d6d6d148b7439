"""``agentrelay run``: run what is not done, so it also resumes."""

import asyncio
import contextlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from agentrelay_core.cli import exit_codes
from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.following import JournalLines
from agentrelay_core.cli.opening import Opened, open_graph
from agentrelay_core.cli.options import (
    given_flags,
    graph_argument,
    json_option,
    repository_option,
    selection_options,
    settings_options,
)
from agentrelay_core.cli.pipes import abandon_stdout, is_gone
from agentrelay_core.cli.planning import plan_json, plan_lines, refuse_empty, selected
from agentrelay_core.cli.progress import SILENT, progress_line
from agentrelay_core.cli.results import next_steps, result_lines
from agentrelay_core.cli.stopping import leave_if_hung, leave_on_signals
from agentrelay_core.orchestrator import Orchestrator, RunResult
from agentrelay_core.orchestrator.places import journal_path
from agentrelay_core.runtime import Event, UserError


@click.command("run")
@graph_argument
@repository_option
@selection_options
@click.option("--dry-run", is_flag=True, help="Show the plan, and do nothing; the same as `agentrelay plan`.")
@json_option
@click.option("--accept-graph", is_flag=True, help="Go on with a graph that was edited since the run began.")
@click.option("--wait", is_flag=True, help="Wait for another process that drives this run to end.")
@click.option("--takeover", is_flag=True, help="Own this run though another process does; for one that is stuck.")
@settings_options
def command(
    graph: str | None,
    repository: str,
    select: tuple[str, ...],
    until: str | None,
    dry_run: bool,
    as_json: bool,
    accept_graph: bool,
    wait: bool,
    takeover: bool,
    **flags: Any,
) -> int:
    """Run what is not done in GRAPH (agentrelay.yaml); so it also resumes.

    On stdout, at the end: a line per task `<id> <status> <pull request> <error>` with tabs between, then the sums. With
    --json the events that the journal holds, one a line. Progress goes to stderr.
    """
    return run(
        graph,
        repository,
        select=select,
        until=until,
        dry_run=dry_run,
        as_json=as_json,
        flags=given_flags(flags),
        accept_graph=accept_graph,
        wait_for_owner=wait,
        takeover=takeover,
    )


def run(
    graph: str | None,
    repository: str,
    *,
    select: Sequence[str] = (),
    until: str | None = None,
    dry_run: bool = False,
    as_json: bool = False,
    flags: Mapping[str, Any] | None = None,
    **more: Any,
) -> int:
    """Run a graph file; `demo` comes through here too.

    Args:
        graph: The file, `None` for the default.
        repository: A path in the user's repository.
        select: Patterns of tasks.
        until: A task; nothing that it does not depend on is run.
        dry_run: Show the plan alone.
        as_json: Print events, or the plan, as JSON.
        flags: Settings given as flags.
        more: ``accept_graph``, ``wait_for_owner`` and ``takeover``, as `Orchestrator` has them.

    Returns:
        The exit code.
    """
    opened = open_graph(graph, repository, flags or {})
    wanted = selected(opened.graph, select, until)
    session = _Session(opened, wanted, as_json, more)
    plan = session.orchestrator.plan()
    if dry_run:
        lines = (
            [plan_json(opened, session.orchestrator, plan)]
            if as_json
            else plan_lines(opened, session.orchestrator, plan)
        )
        for line in lines:
            click.echo(line)
    refuse_empty(plan, wanted)
    if dry_run:
        return exit_codes.OK
    result, stopped = asyncio.run(session.run())
    try:
        if not as_json:
            for line in result_lines(result):
                click.echo(line)
        for line in next_steps(result, opened.graph, opened.repository):
            click.echo(line, err=True)
    except OSError as error:
        if stopped is None or not is_gone(error):
            raise
        abandon_stdout()  # the terminal was closed: that is what stopped us
    return leave_if_hung(result.exit_code if stopped is None else stopped)


class _Session:
    """One run of the command."""

    def __init__(self, opened: Opened, wanted: set[str] | None, as_json: bool, more: Mapping[str, Any]) -> None:
        self.orchestrator = Orchestrator(
            opened.graph,
            repository=opened.repository,
            catalog=opened.catalog,
            on_event=self._tell,
            select=wanted,
            **more,
        )
        self._as_json = as_json
        self._lines: JournalLines | None = None

    async def run(self) -> tuple[RunResult, int | None]:
        """Run to the end; the result, and the exit code of the signal that stopped it, if one did."""
        follower: asyncio.Task[None] | None = None
        if self._as_json:
            self._lines = JournalLines(journal_path(self.orchestrator.state_dir), _print_line)
            follower = asyncio.create_task(self._lines.follow())
        try:
            with leave_on_signals(self.orchestrator.detach) as stopping:
                result = await self.orchestrator.run()
                return result, stopping.exit_code
        except UserError as error:
            # The graph and the flags were judged before: what is refused now is the repository or the machine.
            if exit_codes.exit_code_of(error) == exit_codes.WRONG_USAGE:
                raise Failure(str(error), exit_codes.NOT_READY) from error
            raise
        finally:
            if follower is not None:
                follower.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await follower

    def _tell(self, event: Event) -> None:
        if event.kind not in SILENT:
            click.echo(progress_line(event), err=True)
        if self._lines is not None:
            self._lines.wake()


def _print_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
