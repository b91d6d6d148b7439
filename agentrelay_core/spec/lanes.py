"""What can be wrong with workstreams: whose lane does not exist, nests too deep, or waits for itself."""

from collections.abc import Iterator, Mapping

from agentrelay_core.spec.cycles import circles
from agentrelay_core.spec.graph import TaskGraph
from agentrelay_core.spec.problems import (
    NESTED_TOO_DEEP,
    PARENT_CIRCLE,
    UNKNOWN_PARENT,
    UNKNOWN_WORKSTREAM,
    WAITING_CIRCLE,
    Problem,
    shown_circle,
)
from agentrelay_core.spec.suggestions import Advisor

Positions = Mapping[str, int]


def integration_branch(graph_name: str, workstream_id: str) -> str:
    """The branch that a workstream's tasks are merged into; ``@`` cannot occur in an id."""
    return f"agentrelay/{graph_name}@{workstream_id}"


def lane_problems(graph: TaskGraph) -> Iterator[Problem]:
    """All that is wrong with the workstreams of a graph, and with the tasks' choice of them."""
    positions: dict[str, int] = {}
    for position, lane in enumerate(graph.workstreams):
        positions.setdefault(lane.id, position)
    advisor = Advisor(positions)
    for position, task in enumerate(graph.tasks):
        if task.workstream_id not in positions:
            message = f"task '{task.id}' is in workstream '{task.workstream_id}', which is not there"
            hint = advisor.hint(task.workstream_id) or "define it under 'workstreams'"
            yield Problem(UNKNOWN_WORKSTREAM, message, hint, ("tasks", position, "workstream_id"))
    for position, lane in enumerate(graph.workstreams):
        parent = lane.parent_workstream_id
        if parent is not None and parent not in positions:
            message = f"workstream '{lane.id}' has the parent '{parent}', which is not there"
            hint = advisor.hint(parent) or "define it under 'workstreams'"
            yield Problem(UNKNOWN_PARENT, message, hint, ("workstreams", position, "parent_workstream_id"))
        prefix, at, target = (lane.merge_target_branch or "").partition("@")
        if at and prefix + at == integration_branch(graph.name, "") and target not in positions:
            message = f"workstream '{lane.id}' is to be merged into workstream '{target}', which is not there"
            hint = advisor.hint(target) or "define it under 'workstreams'"
            yield Problem(UNKNOWN_WORKSTREAM, message, hint, ("workstreams", position, "merge_target_branch"))
    yield from _depth_problems(graph, positions)
    yield from _circle_problems(graph, positions)


def _depth_problems(graph: TaskGraph, positions: Positions) -> Iterator[Problem]:
    """Where the limit is crossed; what hangs below such a lane is no mistake of its own."""
    depths = _depths(graph, positions)
    deepest = max(depths.values(), default=0)
    for position, lane in enumerate(graph.workstreams):
        if positions[lane.id] == position and depths.get(lane.id) == max(graph.max_workstream_depth, 0) + 1:
            yield Problem(
                NESTED_TOO_DEEP,
                f"workstream '{lane.id}' is nested {depths[lane.id]} deep; "
                f"max_workstream_depth is {graph.max_workstream_depth}",
                f"set 'max_workstream_depth: {deepest}', or give it another parent",
                ("workstreams", position, "parent_workstream_id"),
            )


def _depths(graph: TaskGraph, positions: Positions) -> dict[str, int]:
    """How far each lane is below one without a parent; lanes on or below a circle of parents are left out."""
    children: dict[str, list[str]] = {}
    depths: dict[str, int] = {}
    for lane_id, position in positions.items():
        parent = graph.workstreams[position].parent_workstream_id
        if parent is None or parent not in positions:
            depths[lane_id] = 0
        else:
            children.setdefault(parent, []).append(lane_id)
    waiting = list(depths)
    while waiting:
        lane_id = waiting.pop()
        for child in children.get(lane_id, ()):
            depths[child] = depths[lane_id] + 1
            waiting.append(child)
    return depths


def _circle_problems(graph: TaskGraph, positions: Positions) -> Iterator[Problem]:
    """Circles of parents, then circles of waiting that need a merge target to close.

    A parent waits for its children, and a lane for those that merge into its integration branch.
    """
    lanes = {lane_id: graph.workstreams[position] for lane_id, position in positions.items()}
    parents = {lane_id: _known(lanes, lane.parent_workstream_id) for lane_id, lane in lanes.items()}
    told: set[str] = set()
    for circle in [*circles(parents), *([lane_id] for lane_id, parent in parents.items() if lane_id in parent)]:
        told.update(circle)
        yield Problem(
            PARENT_CIRCLE,
            f"workstreams are each other's parents in a circle: {shown_circle(circle)}",
            "one of them must have no parent",
            ("workstreams", positions[circle[0]], "parent_workstream_id"),
        )
    by_branch = {integration_branch(graph.name, lane_id): lane_id for lane_id in lanes}
    targets = {
        lane_id: [by_branch[branch] for branch in _known(by_branch, lane.merge_target_branch)]
        for lane_id, lane in lanes.items()
    }
    waits = {lane_id: [*parents[lane_id], *targets[lane_id]] for lane_id in lanes}
    for circle in [*circles(waits), *([lane_id] for lane_id, target in targets.items() if lane_id in target)]:
        if not told.isdisjoint(circle):
            continue
        culprit = _closing(circle, targets)
        yield Problem(
            WAITING_CIRCLE,
            f"workstreams wait for each other's integration in a circle: {shown_circle(circle)}",
            "merge one of them into another branch",
            ("workstreams", positions[culprit], "merge_target_branch"),
        )


def _known(known: Mapping[str, object], name: str | None) -> list[str]:
    return [name] if name is not None and name in known else []


def _closing(circle: list[str], targets: Mapping[str, list[str]]) -> str:
    """The first lane of the circle whose step to the next is by its merge target."""
    following = [*circle[1:], circle[0]]
    return next(lane for lane, after in zip(circle, following, strict=True) if after in targets[lane])
