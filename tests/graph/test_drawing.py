"""A graph is drawn as a tree, as Mermaid and as dot, with states."""

from agentrelay_core.graph.drawing import dot, mermaid, tree
from agentrelay_core.spec import Task, TaskGraph, WorkstreamSpec

GRAPH = TaskGraph(
    name="g",
    tasks=[
        Task(id="spec"),
        Task(id="api", dependencies=("spec",)),
        Task(id="ui", dependencies=("spec", "api"), workstream_id="w"),
        Task(id="ship", dependencies=("ui",)),
    ],
    workstreams=[WorkstreamSpec(id="w")],
)
ODD = TaskGraph(name='a"b', tasks=[Task(id='x"];[\\'), Task(id="y", dependencies=('x"];[\\',))])


def test_tree() -> None:
    """Each task stands once in full; where it hangs a second time it is only named."""
    assert tree(GRAPH, {"spec": "pr_merged", "ui": "running"}) == (
        "g\n└── spec [pr_merged]\n    ├── api\n    │   └── ui [running]\n    │       └── ship\n    └── ui ^\n"
    )


def test_deep_tree() -> None:
    """A chain of thousands is drawn without recursion."""
    tasks = [Task(id=f"t{n}", dependencies=(f"t{n - 1}",) if n else ()) for n in range(3000)]
    assert tree(TaskGraph(name="g", tasks=tasks)).count("\n") == 3001


def test_mermaid() -> None:
    """Lanes are subgraphs, and a known state gives text and colour."""
    assert mermaid(GRAPH, {"api": "failed"}) == (
        "flowchart TD\n"
        '  t0["spec"]\n'
        '  t1["api #91;failed#93;"]\n'
        '  t3["ship"]\n'
        '  subgraph w1 ["w"]\n'
        '    t2["ui"]\n'
        "  end\n"
        "  t0 --> t1\n"
        "  t0 --> t2\n"
        "  t1 --> t2\n"
        "  t2 --> t3\n"
        "  classDef failed fill:#ee6c4d\n"
        "  class t1 failed\n"
    )


def test_dot() -> None:
    """Lanes are clusters; every name is quoted."""
    text = dot(GRAPH, {"api": "failed"})
    assert '  "api" [label="api [failed]", fillcolor="#ee6c4d"];\n' in text
    assert '  subgraph cluster_1 {\n    label="w";\n    "ui" [label="ui", fillcolor="white"];\n  }\n' in text
    assert '  "spec" -> "api";\n' in text
    assert text.startswith('digraph "g" {\n')
    assert text.endswith("}\n")


def test_odd_ids() -> None:
    """Ids that no file can have break neither dot nor Mermaid."""
    assert '"x\\"];[\\\\" -> "y";' in dot(ODD)
    assert 't0["x#34;#93;#59;#91;#92;"]' in mermaid(ODD)
