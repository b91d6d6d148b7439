"""The JSON Schema of graph files, for editors; made from the very table that the reader uses."""

from agentrelay_core.graph.agents import agent_schema
from agentrelay_core.graph.building import GRAPH
from agentrelay_core.graph.catalogs import CatalogView
from agentrelay_core.graph.keys import TASK, WORKSTREAM
from agentrelay_core.graph.records import Record
from agentrelay_core.graph.scalars import JSONSchema

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def graph_schema(catalog: CatalogView | None = None) -> JSONSchema:
    """The JSON Schema (2020-12) of a graph file.

    Args:
        catalog: What is installed; its frameworks' options and its environments are described too.

    Returns:
        The schema as plain data. It knows shapes, not meanings: whether a dependency exists is for the reader to say.
    """
    graph = GRAPH.schema(catalog)
    graph["properties"]["tasks"] = {**graph["properties"]["tasks"], "minProperties": 1, "minItems": 1}
    graph["required"] = [*graph["required"], "tasks"]
    return {
        "$schema": DIALECT,
        "title": "agentrelay graph",
        **graph,
        "$defs": {
            "agent": agent_schema(catalog),
            "task": _without_required_id(TASK, catalog),
            "workstream": _without_required_id(WORKSTREAM, catalog),
        },
    }


def _without_required_id(record: Record, catalog: CatalogView | None) -> JSONSchema:
    """An entry of a mapping has its id as the key; a list's items ask for it themselves."""
    schema = record.schema(catalog)
    del schema["required"]
    return schema
