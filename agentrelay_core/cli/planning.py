"""A plan for people and for programs: the very object that the run consumes, with what is missing."""

import json
from collections.abc import Iterator, Sequence

from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.exit_codes import NOTHING_SELECTED
from agentrelay_core.cli.opening import Opened
from agentrelay_core.graph.selection import select
from agentrelay_core.orchestrator import Action, Orchestrator, Plan
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_core.spec import TaskGraph

SCHEMA = 1


def selected(graph: TaskGraph, patterns: Sequence[str], until: str | None) -> set[str] | None:
    """The tasks that options choose.

    Args:
        graph: The graph.
        patterns: Values of ``--select``, each with commas between several.
        until: Value of ``--until``.

    Returns:
        Ids; `None` where nothing was chosen, which means all.

    Raises:
        UserError: There is no such task.
        Failure: The two options together choose nothing.
    """
    given = [part.strip() for pattern in patterns for part in pattern.split(",") if part.strip()]
    if not given and until is None:
        return None
    chosen = select(graph, given, until)
    if not chosen:
        raise Failure(
            "nothing is selected: no task satisfies both --select and --until; see `agentrelay plan`", NOTHING_SELECTED
        )
    return chosen


def refuse_empty(plan: Plan, wanted: set[str] | None) -> None:
    """Refuse a plan whose selection leaves nothing that could run.

    Args:
        plan: The plan.
        wanted: What was selected; `None` means all.

    Raises:
        Failure: None of the selected tasks can run, and not because they are all done.
    """
    if wanted is None or plan.to_run or wanted <= plan.finished.keys():
        return
    waiting = [f"{entry.task.id} {entry.reason}" for entry in plan.tasks if entry.action is Action.WAIT]
    reason = f": {'; '.join(waiting)}" if waiting else ""
    first = next((entry.task.id for entry in plan.tasks if entry.action is Action.WAIT), "TASK")
    raise Failure(
        f"nothing that was selected can run{reason}; select what it depends on too: `agentrelay run --select +{first}`",
        NOTHING_SELECTED,
    )


def plan_lines(opened: Opened, orchestrator: Orchestrator, plan: Plan) -> Iterator[str]:
    """The plan for people.

    Args:
        opened: The graph, and what the file asks for in vain.
        orchestrator: Knows what is missing.
        plan: The plan.
    """
    settings = opened.graph.settings
    yield f"graph {opened.graph.name} in {opened.repository}"
    yield f"run {plan.run_id or '(new)'}"
    yield ""
    width = max((len(entry.task.id) for entry in plan.tasks), default=0)
    for entry in plan.tasks:
        after = f", after {', '.join(entry.task.dependencies)}" if entry.task.dependencies else ""
        if entry.action is Action.RUN:
            what = f"wave {entry.wave + 1}, attempt {entry.attempt_num + 1}, {entry.task.primary_agent.framework}"
            yield f"  run   {entry.task.id:<{width}}  {what} in {entry.task.workstream_id}{after}"
        else:
            yield f"  {entry.action.value:<5} {entry.task.id:<{width}}  {entry.reason}"
    yield ""
    count = len(plan.to_run)
    limit = f"max_concurrency is {settings.max_concurrency}"
    yield f"{count} of {len(plan.tasks)} tasks would run, at most {plan.width} at one time ({limit})"
    if plan.open_workstreams:
        yield f"workstreams to be integrated: {', '.join(sorted(plan.open_workstreams))}"
    for first, second, path in plan.conflicts:
        yield f"conflict foreseen: {first} and {second} may run at one time and both name {path}"
    for diagnostic in opened.warnings:
        yield f"warning: {plain_line(diagnostic.message)} ({diagnostic.path}:{diagnostic.line})"
    missing = orchestrator.missing()
    for problem in missing:
        yield f"missing: {plain_line(problem)}"
    if plan.nothing_to_do:
        yield "nothing to do"
    elif missing:
        yield "`agentrelay run` would be refused; see `agentrelay doctor`"
    else:
        yield "next: `agentrelay run`"


def plan_json(opened: Opened, orchestrator: Orchestrator, plan: Plan) -> str:
    """The plan as one line of JSON; the arguments are those of `plan_lines`."""
    return json.dumps(
        {
            "schema": SCHEMA,
            "graph": opened.graph.name,
            "repository": str(opened.repository),
            "run_id": plan.run_id or None,
            "tasks": [
                {
                    "id": entry.task.id,
                    "action": entry.action.value,
                    "reason": entry.reason,
                    "wave": entry.wave if entry.action is Action.RUN else None,
                    "attempt_num": entry.attempt_num,
                    "workstream_id": entry.task.workstream_id,
                    "dependencies": list(entry.task.dependencies),
                    "framework": entry.task.primary_agent.framework,
                }
                for entry in plan.tasks
            ],
            "width": plan.width,
            "max_concurrency": opened.graph.settings.max_concurrency,
            "conflicts": [{"tasks": [first, second], "path": path} for first, second, path in plan.conflicts],
            "open_workstreams": sorted(plan.open_workstreams),
            "warnings": [diagnostic.as_json() for diagnostic in opened.warnings],
            "missing": list(orchestrator.missing()),
            "nothing_to_do": plan.nothing_to_do,
        }
    )
