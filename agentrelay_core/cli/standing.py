"""Where a run stands, for people and for programs: the same words wherever a run is shown."""

import time
from collections.abc import Iterator
from pathlib import Path

from agentrelay_core.cli.records import is_driven
from agentrelay_core.journal.reader import read_state
from agentrelay_core.journal.state import RunState, TaskRecord
from agentrelay_core.orchestrator.places import journal_path
from agentrelay_core.runtime.status import ENDED, TaskStatus
from agentrelay_core.runtime.untrusted_text import plain_line


def standing_lines(folder: Path) -> Iterator[str]:
    """A run for people, from its journal.

    Args:
        folder: Its state directory.

    Raises:
        JournalError: Its journal cannot be read.
    """
    yield from run_lines(folder, read_state(journal_path(folder)))


def standing_json(folder: Path) -> dict[str, object]:
    """A run for programs; the argument and the error are those of `standing_lines`."""
    state = read_state(journal_path(folder))
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


def run_lines(folder: Path, state: RunState) -> Iterator[str]:
    """A run as lines: its head, its tasks, then its workstreams that are in use.

    Args:
        folder: The run's state directory.
        state: What its journal says.
    """
    yield headline(folder, state)
    width = max((len(task) for task in state.tasks), default=0)
    for task in state.tasks.values():
        facts = [f"{task.status.value:<10}"]
        if task.attempt_num:
            facts.append(f"attempt {task.attempt_num + 1}")
        facts += [fact for fact in (taken(task), used(task), plain_line(task.pr_url or ""), note(task)) if fact]
        yield f"  {task.id:<{width}}  {'  '.join(facts)}".rstrip()
    for lane in state.workstreams.values():
        if lane.status.value == "pending":
            continue
        facts = [lane.status.value, lane.branch or "", lane.pr_url or "", lane.reason or ""]
        yield f"  @{lane.id}  {'  '.join(plain_line(fact) for fact in facts if fact)}"


def headline(folder: Path, state: RunState) -> str:
    """The graph, the run and how it stands, in one line."""
    return f"{state.graph or folder.name}  run {state.run_id or '-'}  {_standing(folder, state)}"


def taken(task: TaskRecord) -> str:
    """How long the task's latest attempt took, or takes; empty before the first."""
    return "" if task.started_at is None else _duration((task.finished_at or time.time()) - task.started_at)


def used(task: TaskRecord) -> str:
    """What the task's agents have used in all its attempts; empty where nothing is known."""
    tokens = sum(task.usage.get(name, 0) for name in ("input_tokens", "output_tokens"))
    facts = [f"{tokens:,.0f} tokens"] if tokens else []
    cost = task.usage.get("cost_usd", 0)
    return ", ".join([*facts, f"${cost:.2f}"] if cost else facts)


def _standing(folder: Path, state: RunState) -> str:
    if state.outcome is not None:
        return state.outcome
    if is_driven(folder):
        return "is going on"
    if not state.run_id:
        return "was reset; the next `agentrelay run` is a new one"
    cut_off = any(task.status in (TaskStatus.RUNNING, TaskStatus.PR_CREATED) for task in state.tasks.values())
    return f"{'was interrupted' if cut_off else 'is not over'}; `agentrelay run` goes on"


def note(task: TaskRecord) -> str:
    """What is worth saying of a task: what it waits for, why it failed, where its agent lives and how far it is."""
    if task.blocked_by:
        return f"waits for {', '.join(task.blocked_by)}"
    if task.error and task.status in (TaskStatus.FAILED, TaskStatus.PENDING):
        return plain_line(task.error, 200)
    if task.status in ENDED:
        return ""
    if task.throttled_until is not None and task.throttled_until > time.time():
        return f"waits for a limit to end at {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(task.throttled_until))}"
    if task.waits_for:
        return plain_line(f"waits for {task.waits_for}", 200)
    return plain_line(", ".join(fact for fact in (task.label, task.progress) if fact), 200)


def _duration(seconds: float) -> str:
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}s"
    minutes, left = divmod(whole, 60)
    return f"{minutes}m{left:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"


def _fields(record: object) -> dict[str, object]:
    """The fields of a record; its enums are texts, and its tuples become lists by themselves."""
    return {name: getattr(record, name) for name in record.__slots__ if not name.startswith("_")}  # type: ignore[attr-defined]
