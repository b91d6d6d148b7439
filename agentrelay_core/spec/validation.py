"""What can be wrong with a graph as a whole, found all at once: in a file and in a graph built in Python alike.

A problem says where it is by a path into the graph; whoever read a file turns that into a line and a column. The
checks are linear in the size of the graph, and each mistake is reported once.
"""

from collections.abc import Iterable, Iterator

from agentrelay_core.spec.agents import AgentRole
from agentrelay_core.spec.cycles import circles
from agentrelay_core.spec.graph import TaskGraph
from agentrelay_core.spec.lanes import lane_problems
from agentrelay_core.spec.names import id_problem
from agentrelay_core.spec.numbers import number_problems
from agentrelay_core.spec.problems import (
    BAD_ID,
    CIRCLE,
    CLASHING_ID,
    DEPENDS_ON_ITSELF,
    DUPLICATE_DEPENDENCY,
    DUPLICATE_ID,
    EMPTY_GRAPH,
    INPUT_FROM_NO_DEPENDENCY,
    NO_DESCRIPTION,
    UNKNOWN_DEPENDENCY,
    Problem,
    Where,
    shown_circle,
)
from agentrelay_core.spec.suggestions import Advisor, did_you_mean
from agentrelay_core.spec.tasks import Task

__all__ = ["Problem", "graph_problems"]


def graph_problems(graph: TaskGraph) -> list[Problem]:
    """All that is wrong with a graph.

    Args:
        graph: The graph; its fields have the types that they are declared with.

    Returns:
        Problems in the order of the graph; empty for a good one.
    """
    return [
        *_name_problems(graph),
        *_id_problems("tasks", "task", (task.id for task in graph.tasks)),
        *_task_problems(graph),
        *_circle_problems(graph),
        *_id_problems("workstreams", "workstream", (workstream.id for workstream in graph.workstreams)),
        *lane_problems(graph),
        *number_problems(graph),
    ]


def _name_problems(graph: TaskGraph) -> Iterator[Problem]:
    wrong = id_problem(graph.name)
    if wrong is not None:
        yield Problem(BAD_ID, f"the graph's name '{graph.name}' {wrong}", "it becomes part of branch names", ("name",))
    if not graph.tasks:
        yield Problem(EMPTY_GRAPH, "the graph has no tasks", "add at least one task under 'tasks'", ("tasks",))


def _id_problems(collection: str, kind: str, ids: Iterable[str]) -> Iterator[Problem]:
    """Ids that are no good, given twice, or the same where case does not count (as on macOS and Windows)."""
    seen: dict[str, str] = {}
    for position, value in enumerate(ids):
        wrong = id_problem(value)
        if wrong is not None:
            hint = "it becomes a branch name, a directory and a window's title"
            yield Problem(BAD_ID, f"the {kind} id '{value}' {wrong}", hint, (collection, position, "id"))
        folded = value.casefold()
        earlier = seen.get(folded)
        if earlier is None:
            seen[folded] = value
            continue
        where: Where = (collection, position, "id")
        if earlier == value:
            yield Problem(DUPLICATE_ID, f"the {kind} id '{value}' is given twice", "ids are unique", where)
        else:
            message = f"the {kind} id '{value}' differs from '{earlier}' in case alone"
            yield Problem(CLASHING_ID, message, "both would be one directory where case does not count", where)


def _task_problems(graph: TaskGraph) -> Iterator[Problem]:
    ids = {task.id: None for task in graph.tasks}
    known = frozenset(ids)
    advisor = Advisor(ids)
    for position, task in enumerate(graph.tasks):
        if task.role == AgentRole.GENERIC and not (task.description and task.description.strip()):
            yield Problem(
                NO_DESCRIPTION,
                f"task '{task.id}' has no description",
                "say what is to be done, or give it a role other than 'generic'",
                ("tasks", position),
            )
        distinct = set(task.dependencies)
        if len(distinct) < len(task.dependencies) or task.id in distinct or not distinct <= known:
            yield from _dependency_problems(task, position, ids, advisor)
        for number, source in enumerate(task.inputs_from):
            if source.task not in task.dependencies:
                hint = did_you_mean(source.task, task.dependencies) or f"add '{source.task}' to its dependencies"
                yield Problem(
                    INPUT_FROM_NO_DEPENDENCY,
                    f"task '{task.id}' takes inputs from '{source.task}', which is none of its dependencies",
                    hint,
                    ("tasks", position, "inputs_from", number),
                )


def _dependency_problems(task: Task, position: int, ids: dict[str, None], advisor: Advisor) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, dependency in enumerate(task.dependencies):
        where: Where = ("tasks", position, "dependencies", number)
        if dependency in seen:
            message = f"task '{task.id}' names its dependency '{dependency}' twice"
            yield Problem(DUPLICATE_DEPENDENCY, message, "name it once", where)
        elif dependency == task.id:
            yield Problem(DEPENDS_ON_ITSELF, f"task '{task.id}' depends on itself", "take this out", where)
        elif dependency not in ids:
            message = f"task '{task.id}' depends on '{dependency}', which is no task"
            yield Problem(UNKNOWN_DEPENDENCY, message, advisor.hint(dependency), where)
        seen.add(dependency)


def _circle_problems(graph: TaskGraph) -> Iterator[Problem]:
    positions: dict[str, int] = {}
    for position, task in enumerate(graph.tasks):
        positions.setdefault(task.id, position)
    edges = {task_id: graph.tasks[position].dependencies for task_id, position in positions.items()}
    for circle in circles(edges):
        position = positions[circle[0]]
        number = graph.tasks[position].dependencies.index(circle[1])
        yield Problem(
            CIRCLE,
            f"tasks depend on each other in a circle: {shown_circle(circle)}",
            "take one of these dependencies out",
            ("tasks", position, "dependencies", number),
        )
