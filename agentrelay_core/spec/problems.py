"""What a problem of a graph is, and the codes that name each kind of it for good."""

from collections.abc import Sequence

import attrs

Where = tuple[str | int, ...]

BAD_ID = "AR301"
DUPLICATE_ID = "AR302"
CLASHING_ID = "AR303"
EMPTY_GRAPH = "AR304"
NO_DESCRIPTION = "AR305"
UNKNOWN_DEPENDENCY = "AR306"
DUPLICATE_DEPENDENCY = "AR307"
DEPENDS_ON_ITSELF = "AR308"
CIRCLE = "AR309"
INPUT_FROM_NO_DEPENDENCY = "AR310"
UNKNOWN_WORKSTREAM = "AR311"
UNKNOWN_PARENT = "AR312"
PARENT_CIRCLE = "AR313"
NESTED_TOO_DEEP = "AR314"
WAITING_CIRCLE = "AR315"
BAD_NUMBER = "AR316"

_MOST_SHOWN = 12


@attrs.frozen
class Problem:
    """One thing that is wrong with a graph.

    Args:
        code: What kind it is, for good, for example ``AR306``.
        message: What is wrong, in a sentence that names the task or workstream.
        hint: What would be right, or `None`.
        where: The path from the graph to it: attribute names and positions, as in
            ``("tasks", 3, "dependencies", 0)`` for ``graph.tasks[3].dependencies[0]``.
    """

    code: str
    message: str
    hint: str | None
    where: Where


def shown_circle(nodes: Sequence[str]) -> str:
    """A circle as text, ``a -> b -> a``; the middle of a very long one is left out."""
    names = [*nodes, nodes[0]]
    if len(names) > _MOST_SHOWN:
        half = _MOST_SHOWN // 2
        names = [*names[:half], f"({len(names) - _MOST_SHOWN} more)", *names[-half:]]
    return " -> ".join(names)
