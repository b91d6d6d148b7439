"""What a task has used, added up so that what is told twice, by whoever goes on after a crash, need not count twice."""

from collections.abc import Mapping
from typing import Any

from agentrelay_core.journal.state import TaskRecord


def add_usage(record: TaskRecord, told: Mapping[str, Any]) -> None:
    """Add what an event tells; with ``of``, its numbers are totals, which take the place of those told of that before.

    Args:
        record: The task.
        told: The event's data; what is no number is passed over.
    """
    amounts = {
        name: amount
        for name, amount in told.items()
        if isinstance(amount, int | float) and not isinstance(amount, bool)
    }
    before: dict[str, float] = {}
    of = told.get("of")
    if isinstance(of, str):
        before = record.usage_of.get(of, {})
        record.usage_of = {**record.usage_of, of: amounts}
    usage = dict(record.usage)
    for name in (*amounts, *(before.keys() - amounts.keys())):
        usage[name] = usage.get(name, 0) + amounts.get(name, 0) - before.get(name, 0)
    record.usage = usage
