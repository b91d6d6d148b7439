"""A repair's plan, and what came of it, for people and for programs."""

import json
from collections.abc import Iterator

import attrs

from agentrelay_core.orchestrator.repair.carrying_out import Carried
from agentrelay_core.orchestrator.repair.plan import Fate, RepairPlan
from agentrelay_core.runtime.untrusted_text import plain_line

SCHEMA = 1
_MOST_SHOWN = 5


def repair_lines(plan: RepairPlan) -> Iterator[str]:
    """A plan for people.

    Args:
        plan: The plan.
    """
    yield f"{plan.verb} of graph {plan.graph}, run {plan.run_id or '-'}"
    for agent in plan.stops:
        count = len(agent.processes)
        processes = "1 process" if count == 1 else f"{count} processes"
        yield f"  end     {agent.task_id}, attempt {agent.attempt_num + 1}: {processes} and what they started"
    for change in plan.tasks:
        then = f"attempt {change.attempt_num + 1} is next" if change.becomes == "pending" else "cancelled"
        why = f", {change.reason}" if change.reason else ""
        yield f"  {change.becomes:<7} {change.task_id}, was {change.was}; {then}{why}"
    for removal in sorted(plan.removals, key=lambda each: each.fate is Fate.KEEP):
        yield plain_line(f"  {removal.fate:<7} {removal.leftover.called}", 500) + (
            f": {plain_line(removal.reason)}" if removal.reason else ""
        )
        if removal.leftover.ignored:
            shown = ", ".join(removal.leftover.ignored[:_MOST_SHOWN])
            more = len(removal.leftover.ignored) - _MOST_SHOWN
            gone = removal.fate is Fate.REMOVE and plan.with_ignored
            verb = "files that git ignores go with it" if gone else "files that git ignores"
            yield f"          {verb}: {plain_line(shown)}{f' and {more} more' if more > 0 else ''}"
    if plan.forgets:
        yield "  forget  the run; the next `agentrelay run` is a new one with a new id, pull requests stay as they are"
    if plan.outcome:
        yield f"  record  that the run was {plan.outcome}"
    if plan.nothing_to_do:
        yield "nothing to do"


def repair_json(plan: RepairPlan) -> str:
    """The plan as one line of JSON."""
    fields = attrs.asdict(plan)
    fields["nothing_to_do"] = plan.nothing_to_do
    return json.dumps({"schema": SCHEMA, "plan": fields}, default=str)


def carried_json(plan: RepairPlan, carried: Carried) -> str:
    """What came of a plan as one line of JSON."""
    fields = {"verb": plan.verb, "rescued": carried.rescued, "problems": carried.problems}
    return json.dumps({"schema": SCHEMA, "carried_out": fields})
