"""Choosing tasks by id, by pattern, and by what hangs together.

``name`` or a glob pattern (``docs-*``) means those tasks; ``+name`` their ancestors too (what they depend on),
``name+`` their descendants too (what depends on them), ``+name+`` both.
"""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from agentrelay_core.runtime.errors import UserError
from agentrelay_core.spec import TaskGraph
from agentrelay_core.spec.suggestions import did_you_mean, listing

Edges = Mapping[str, Sequence[str]]

_GLOB = frozenset("*?[")


def select(graph: TaskGraph, patterns: Iterable[str] = (), until: str | None = None) -> set[str]:
    """The ids of the tasks that are chosen.

    Args:
        graph: A valid graph.
        patterns: Ids and glob patterns, with ``+`` before or after; none means all tasks.
        until: A task's id; only it and its ancestors are chosen.

    Returns:
        Ids that the patterns choose and ``until`` admits.

    Raises:
        UserError: An id is unknown, or a pattern matches no task.
    """
    upstream = {task.id: task.dependencies for task in graph.tasks}
    downstream: dict[str, list[str]] = {task_id: [] for task_id in upstream}
    for task_id, dependencies in upstream.items():
        for dependency in dependencies:
            downstream[dependency].append(task_id)
    chosen: set[str] = set()
    given = list(patterns)
    for pattern in given:
        name = pattern.removeprefix("+").removesuffix("+")
        matching = _matching(name, upstream)
        chosen |= matching
        if pattern.startswith("+"):
            chosen |= _reached(matching, upstream)
        if pattern.endswith("+"):
            chosen |= _reached(matching, downstream)
    if not given:
        chosen = set(upstream)
    if until is not None:
        chosen &= _reached(_matching(until, upstream, glob=False), upstream)
    return chosen


def _matching(name: str, tasks: Edges, *, glob: bool = True) -> set[str]:
    if name in tasks:
        return {name}
    if glob and not _GLOB.isdisjoint(name):
        found = {task_id for task_id in tasks if fnmatchcase(task_id, name)}
        if found:
            return found
        raise UserError(f"no task matches '{name}'; the tasks are {listing(tasks)}")
    hint = did_you_mean(name, tasks) or f"the tasks are {listing(tasks)}"
    raise UserError(f"there is no task '{name}'; {hint}")


def _reached(start: set[str], edges: Edges) -> set[str]:
    """The tasks themselves and all that the edges lead to."""
    seen = set(start)
    waiting = list(start)
    while waiting:
        for target in edges[waiting.pop()]:
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen
