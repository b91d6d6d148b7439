"""Finding circles in a directed graph of names, in linear time and without recursion."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence

Edges = Mapping[str, Sequence[str]]


def circles(edges: Edges) -> list[list[str]]:
    """One circle of every tangle of nodes that reach each other.

    Args:
        edges: For each node what it points at; targets that are no key, and edges to itself, are passed over.

    Returns:
        Circles in the order of their first node in ``edges``. Each starts at that node, and every node points at the
        next, the last at the first.
    """
    if _is_sorted(edges):
        return []
    left = _without_loose_ends(edges)
    tangle_of = _tangles(left)
    first: dict[int, str] = {}
    size: dict[int, int] = {}
    for node in left:
        number = tangle_of[node]
        first.setdefault(number, node)
        size[number] = size.get(number, 0) + 1
    return [_shortest_circle(node, left, tangle_of) for number, node in first.items() if size[number] > 1]


def _is_sorted(edges: Edges) -> bool:
    """Whether every node points at earlier ones alone, as in most files: then there is no circle."""
    earlier: set[str] = set()
    for node, targets in edges.items():
        if not earlier.issuperset(targets):
            return False
        earlier.add(node)
    return True


def _without_loose_ends(edges: Edges) -> dict[str, list[str]]:
    """The edges among nodes that are in a circle or lead to one; empty for the usual graph, which has no circle."""
    pointing_at: dict[str, list[str]] = {node: [] for node in edges}
    open_ends: dict[str, int] = {}
    for node, targets in edges.items():
        known = [target for target in targets if target in edges and target != node]
        open_ends[node] = len(known)
        for target in known:
            pointing_at[target].append(node)
    done = [node for node, count in open_ends.items() if not count]
    for node in done:  # grows while it is walked
        for source in pointing_at[node]:
            open_ends[source] -= 1
            if not open_ends[source]:
                done.append(source)
    gone = set(done)
    return {
        node: [target for target in targets if target in edges and target != node and target not in gone]
        for node, targets in edges.items()
        if node not in gone
    }


def _tangles(edges: Mapping[str, list[str]]) -> dict[str, int]:
    """The number of each node's strongly connected component, by Kosaraju's two passes."""
    backwards: dict[str, list[str]] = {node: [] for node in edges}
    for node, targets in edges.items():
        for target in targets:
            backwards[target].append(node)
    tangle_of: dict[str, int] = {}
    for number, root in enumerate(reversed(list(_by_finish(edges)))):
        if root in tangle_of:
            continue
        tangle_of[root] = number
        waiting = [root]
        while waiting:
            for source in backwards[waiting.pop()]:
                if source not in tangle_of:
                    tangle_of[source] = number
                    waiting.append(source)
    return tangle_of


def _by_finish(edges: Mapping[str, list[str]]) -> Iterator[str]:
    """Nodes in the order in which a depth-first walk is done with them."""
    seen: set[str] = set()
    for root in edges:
        if root in seen:
            continue
        seen.add(root)
        walk = [(root, iter(edges[root]))]
        while walk:
            node, targets = walk[-1]
            for target in targets:
                if target not in seen:
                    seen.add(target)
                    walk.append((target, iter(edges[target])))
                    break
            else:
                walk.pop()
                yield node


def _shortest_circle(start: str, edges: Mapping[str, list[str]], tangle_of: Mapping[str, int]) -> list[str]:
    came_from = {start: start}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for target in edges[node]:
            if target == start:
                path = [node]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if target not in came_from and tangle_of[target] == tangle_of[start]:
                came_from[target] = node
                waiting.append(target)
    raise AssertionError(f"{start} is in no circle")
