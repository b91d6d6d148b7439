"""From a path into the graph to the place in the file that decides it."""

from agentrelay_core.graph.nodes import Mapping, Node, Scalar, Sequence, pairs_of, value_of
from agentrelay_core.graph.reading import Reading
from agentrelay_core.spec.problems import Where


class Locator:
    """Finds places in one file.

    Args:
        root: The root of the file's tree.
        reading: What was read.
    """

    def __init__(self, root: Node, reading: Reading) -> None:
        self._root = root
        self._reading = reading

    def find(self, where: Where) -> Node:
        """The node that a path leads to; where there is none, the nearest one that encloses it."""
        head, *rest = where
        entries = {"tasks": self._reading.tasks, "workstreams": self._reading.workstreams}.get(str(head))
        if entries is None or not rest:
            found = self._walk(self._root, list(where[1:] if head == "settings" else where))
            return self._key("tasks") if found is None and head == "tasks" else found or self._start()
        at, body = entries[int(rest[0])]
        steps = rest[1:]
        if at is None:
            return self._start()
        if not steps or steps[0] == "id":
            return at
        found = self._walk(body, steps)
        if found is None and head == "tasks":
            found = self._walk(self._reading.defaults.node, steps)
        return found or at

    def _walk(self, node: Node, steps: list[str | int]) -> Node | None:
        """Follow the steps as far as they go; `None` where not even the first one does."""
        followed = False
        for step in steps:
            if node.__class__ is Mapping:
                inner: Node = value_of(node, str(step))
                if inner is None and step == "primary_agent":
                    inner = value_of(node, "agent")
                if step in ("primary_agent", "agent") and inner.__class__ is Scalar:
                    inner = self._reading.agent_nodes.get(inner.value, inner)
            elif node.__class__ is Sequence and isinstance(step, int) and step < len(node.parts):
                inner = node.parts[step]
            else:
                inner = None
            if inner is None:
                break
            node, followed = inner, True
        return node if followed else None

    def _key(self, name: str) -> Node:
        for key, _ in pairs_of(self._root):
            if key.__class__ is Scalar and key.value == name:
                return key
        return self._start()

    def _start(self) -> Node:
        """The first key, where the graph as a whole is meant."""
        return self._root.parts[0] if self._root.parts else self._root
