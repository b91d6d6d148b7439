"""The state of one reading: where findings go, what is installed, and what later parts need of earlier ones."""

import copy
from typing import Any

from agentrelay_core.graph.catalogs import CatalogView
from agentrelay_core.graph.nodes import Node
from agentrelay_core.graph.source import Findings
from agentrelay_core.spec.suggestions import Advisor


class Fields:
    """The keys of one object as they were read.

    Args:
        node: The object's node, `None` where there is none.
        values: By key; a key without a value is ``UNSET``.
        failed: Keys whose values are wrong, which has been said.
    """

    __slots__ = ("failed", "node", "values")

    def __init__(self, node: Node | None = None) -> None:
        self.node = node
        self.values: dict[str, Any] = {}
        self.failed: set[str] = set()

    def given(self) -> dict[str, Any]:
        """The keys that have a value."""
        return {name: value for name, value in self.values.items() if value is not UNSET}


UNSET: Any = object()


class Reading:
    """What is known while one file is read.

    Args:
        findings: Takes what is wrong.
        catalog: What is installed, `None` where that is of no interest.
    """

    def __init__(self, findings: Findings, catalog: CatalogView | None) -> None:
        self.findings = findings
        self.catalog = catalog
        self.agents: dict[str, Any] = {}
        self.agent_advisor = Advisor(self.agents)
        self.agent_nodes: dict[str, Node] = {}
        self.defaults = Fields()
        self.tasks: list[tuple[Node, Node]] = []
        self.workstreams: list[tuple[Node, Node]] = []
        self.incomplete: set[str] = set()
        self.given_settings: frozenset[str] = frozenset()

    def silent(self) -> "Reading":
        """The same reading with findings that nobody sees, to try whether a value fits."""
        other = copy.copy(self)
        other.findings = Findings(self.findings.name, "")
        return other
