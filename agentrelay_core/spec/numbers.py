"""Numbers that make no sense, in graphs built in Python: a file's numbers are refused where they are read."""

import math
from collections.abc import Iterator
from typing import Any

import attrs

from agentrelay_core.spec.graph import TaskGraph
from agentrelay_core.spec.limits import Deadlines
from agentrelay_core.spec.problems import BAD_NUMBER, Problem, Where

LEAST = {
    "initial_interval": 0,
    "backoff_coefficient": 1,
    "maximum_interval": 0,
    "maximum_attempts": 1,
    "max_gate_attempts": 1,
    "review_on_attempt": 1,
    "max_workstream_depth": 0,
    "max_concurrency": 1,
    "max_task_attempts": 1,
}
WHOLE = frozenset(LEAST) - {"initial_interval", "backoff_coefficient", "maximum_interval"}

_DEADLINES = tuple(field.name for field in attrs.fields(Deadlines))
_RETRY = ("initial_interval", "backoff_coefficient", "maximum_interval", "maximum_attempts")


def number_problems(graph: TaskGraph) -> Iterator[Problem]:
    """Numbers that are below their least, not finite, or not whole where they count something."""
    yield from _least(graph, "max_workstream_depth", ())
    for name in ("max_concurrency", "max_task_attempts"):
        yield from _least(graph.settings, name, ("settings",))
    for position, task in enumerate(graph.tasks):
        yield from _least(task, "max_gate_attempts", ("tasks", position))
        if task.deadlines is not None:
            for name in _DEADLINES:
                value = getattr(task.deadlines, name)
                if value is not None and not (_is_number(value) and value > 0):
                    message = f"{name} must be more than 0 seconds, not {value!r}"
                    yield Problem(BAD_NUMBER, message, None, ("tasks", position, "deadlines", name))
        if task.retry is not None:
            for name in _RETRY:
                if name != "maximum_attempts" or task.retry.maximum_attempts is not None:
                    yield from _least(task.retry, name, ("tasks", position, "retry"))
        if task.review is not None:
            yield from _least(task.review, "review_on_attempt", ("tasks", position, "review"))


def _least(owner: object, name: str, where: Where) -> Iterator[Problem]:
    value = getattr(owner, name)
    if type(value) is int and value >= LEAST[name]:
        return
    if name in WHOLE:
        right = f"a whole number of {LEAST[name]} or more"
    elif _is_number(value) and value >= LEAST[name]:
        return
    else:
        right = f"a number of {LEAST[name]} or more"
    yield Problem(BAD_NUMBER, f"{name} must be {right}, not {value!r}", None, (*where, name))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
