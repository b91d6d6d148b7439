"""``agentrelay status``: where runs stand, derived from their journals, while they go on and after."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import click

from agentrelay_core.cli.exit_codes import OK
from agentrelay_core.cli.options import json_option, repository_option, state_dir_option
from agentrelay_core.cli.records import find_record, is_driven, recorded_graphs
from agentrelay_core.journal.reader import read_state
from agentrelay_core.journal.state import RunState, TaskRecord
from agentrelay_core.orchestrator.places import journal_path
from agentrelay_core.runtime.status import ENDED, TaskStatus
from agentrelay_core.runtime.untrusted_text import plain_line

SCHEMA = 1


@click.command("status")
@click.argument("graph", required=False)
@repository_option
@state_dir_option
@json_option
def command(graph: str | None, repository: str, state_dir: str | None, as_json: bool) -> int:
    """Show where the run of GRAPH stands, a file or a name; without it, every run of this repository."""
    if graph is not None:
        found = [find_record(graph, repository, state_dir)]
    else:
        found = list(recorded_graphs(repository, state_dir).values())
    runs = [(folder, read_state(journal_path(folder))) for folder in found]
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "runs": [_plain(folder, state) for folder, state in runs]}))
    elif not runs:
        click.echo("nothing was run here yet; begin with `agentrelay run`", err=True)
    else:
        for number, (folder, state) in enumerate(runs):
            if number:
                click.echo()
            for line in _lines(folder, state):
                click.echo(line)
    return OK


def _lines(folder: Path, state: RunState) -> Iterator[str]:
    yield f"{state.graph or folder.name}  run {state.run_id or '-'}  {_standing(folder, state)}"
    width = max((len(task) for task in state.tasks), default=0)
    for task in state.tasks.values():
        facts = [f"{task.status.value:<10}"]
        if task.attempt_num:
            facts.append(f"attempt {task.attempt_num + 1}")
        if task.started_at is not None:
            facts.append(_duration((task.finished_at or time.time()) - task.started_at))
        if task.pr_url:
            facts.append(plain_line(task.pr_url))
        if _note(task):
            facts.append(_note(task))
        yield f"  {task.id:<{width}}  {'  '.join(facts)}".rstrip()
    for lane in state.workstreams.values():
        if lane.status.value == "pending":
            continue
        facts = [lane.status.value, lane.branch or "", lane.pr_url or "", lane.reason or ""]
        yield f"  @{lane.id}  {'  '.join(plain_line(fact) for fact in facts if fact)}"


def _standing(folder: Path, state: RunState) -> str:
    if state.outcome is not None:
        return state.outcome
    return "is going on" if is_driven(folder) else "was interrupted; `agentrelay run` goes on"


def _note(task: TaskRecord) -> str:
    if task.blocked_by:
        return f"waits for {', '.join(task.blocked_by)}"
    if task.error and task.status in (TaskStatus.FAILED, TaskStatus.PENDING):
        return plain_line(task.error, 200)
    return plain_line(task.label) if task.label and task.status not in ENDED else ""


def _duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    minutes, left = divmod(whole, 60)
    return f"{minutes}m{left:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"


def _plain(folder: Path, state: RunState) -> dict[str, object]:
    return {
        "graph": state.graph or folder.name,
        "run_id": state.run_id or None,
        "outcome": state.outcome,
        "active": state.outcome is None and is_driven(folder),
        "started_at": state.started_at,
        "finished_at": state.finished_at,
        "sequence": state.sequence,
        "state_dir": str(folder),
        "tasks": [_fields(task) for task in state.tasks.values()],
        "workstreams": [_fields(lane) for lane in state.workstreams.values()],
    }


def _fields(record: object) -> dict[str, object]:
    """The fields of a record; its enums are texts, and its tuples become lists by themselves."""
    return {name: getattr(record, name) for name in record.__slots__ if not name.startswith("_")}  # type: ignore[attr-defined]
