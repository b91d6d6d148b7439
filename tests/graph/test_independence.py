"""One mistake hides no other, also within one task."""

from agentrelay_core import Catalog
from agentrelay_core.graph import read_graph

GRAPH = """\
name: g
tasks:
  one: {description: x, dependencis: [two]}
  two: {description: [y], dependencies: [nobody]}
  two: {description: z}
"""


def test_mistakes_of_one_task_are_told_beside_each_other():
    """An unknown key, a wrong type and a missing agent do not hide each other, nor that an id is given twice."""
    found = [(item.line, item.code) for item in read_graph(GRAPH, catalog=Catalog.discover()).diagnostics]
    assert found == [
        (3, "AR205"),
        (3, "AR201"),
        (4, "AR205"),
        (4, "AR203"),
        (4, "AR306"),
        (5, "AR205"),
        (5, "AR302"),
    ]
