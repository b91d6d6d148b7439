"""Tasks are chosen by id, pattern, ancestors and descendants."""

import pytest

from agentrelay_core.graph.selection import select
from agentrelay_core.runtime import UserError
from agentrelay_core.spec import Task, TaskGraph

EDGES = {"spec": (), "api": ("spec",), "ui": ("spec",), "docs-a": ("api",), "docs-b": ("ui",), "ship": ("api", "ui")}
GRAPH = TaskGraph(name="g", tasks=[Task(id=name, dependencies=after) for name, after in EDGES.items()])


@pytest.mark.parametrize(
    ("patterns", "until", "expected"),
    [
        ((), None, "spec api ui docs-a docs-b ship"),
        (("api",), None, "api"),
        (("docs-*",), None, "docs-a docs-b"),
        (("+docs-*",), None, "docs-a docs-b api ui spec"),
        (("ui+",), None, "ui docs-b ship"),
        (("+api+",), None, "spec api docs-a ship"),
        (("api", "docs-b"), None, "api docs-b"),
        ((), "ship", "spec api ui ship"),
        (("*",), "docs-a", "spec api docs-a"),
        (("docs-b",), "ship", ""),
    ],
)
def test_select(patterns: tuple[str, ...], until: str | None, expected: str) -> None:
    """A selection is exactly the tasks that it names."""
    assert select(GRAPH, patterns, until) == set(expected.split())


@pytest.mark.parametrize(
    ("patterns", "until", "text"),
    [
        (("apy",), None, "there is no task 'apy'; did you mean 'api'?"),
        ((), "shipp", "there is no task 'shipp'; did you mean 'ship'?"),
        (("zzz*",), None, "no task matches 'zzz*'; the tasks are 'spec', "),
        ((), "docs-*", "there is no task 'docs-*'"),
    ],
)
def test_unknown(patterns: tuple[str, ...], until: str | None, text: str) -> None:
    """An unknown name is refused and told what it may have been."""
    with pytest.raises(UserError) as caught:
        select(GRAPH, patterns, until)
    assert str(caught.value).startswith(text)
