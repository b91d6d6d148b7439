"""Environments by name: those that a plugin declares are read into its class, others keep their data until one does."""

from typing import Any

from agentrelay_core.graph.catalogs import CatalogView
from agentrelay_core.graph.compound import PLAIN_MAPPING
from agentrelay_core.graph.nodes import Mapping, Node, Scalar, pairs_of
from agentrelay_core.graph.reading import Reading
from agentrelay_core.graph.records import Key, Pairs, Record
from agentrelay_core.graph.scalars import FAILED, JSONSchema, Text, Unreadable, wrong_type
from agentrelay_core.graph.typed import record_of
from agentrelay_core.spec import AgentEnvironment, UnknownEnvironment

_TYPE = Key(Text(), "Name of the environment.", required=True)


class EnvironmentKind:
    """The value of ``environment:``, a name or a mapping with ``type``."""

    takes = frozenset((Scalar, Mapping))

    def read(self, node: Node, reading: Reading) -> Any:
        """The environment: an instance of the plugin's class, or an `UnknownEnvironment`."""
        if node.__class__ is Scalar:
            name = _TYPE.kind.read(node, reading)
            return name if isinstance(name, Unreadable) else _environment(name, node, (), reading)
        if node.__class__ is not Mapping:
            return wrong_type(node, "an environment, a name or a mapping with 'type'", reading)
        kinds = [(key, value) for key, value in pairs_of(node) if key.__class__ is Scalar and key.value == "type"]
        others = [(key, value) for key, value in pairs_of(node) if key.__class__ is not Scalar or key.value != "type"]
        fields = Record("the environment", {"type": _TYPE}).fields(node, kinds, reading)
        if fields.failed:
            return FAILED
        return _environment(fields.values["type"], node, others, reading)

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        """A name, or an object whose other keys follow from its ``type``."""
        known = {} if catalog is None else catalog.environments
        cases = []
        for name, record in known.items():
            keys = _record(name, record.cls).schema(catalog)
            keys["properties"] = {"type": True, **keys["properties"]}
            cases.append({"if": {"properties": {"type": {"const": name}}, "required": ["type"]}, "then": keys})
        mapping: JSONSchema = {"type": "object", "properties": {"type": {"type": "string"}}, "required": ["type"]}
        if cases:
            mapping["allOf"] = cases
        text: JSONSchema = {"type": "string"}
        if known:
            text["examples"] = sorted(known)
        return {"anyOf": [text, mapping]}


def default_environment(framework: str, catalog: CatalogView | None) -> AgentEnvironment:
    """The environment of agents that name none: their framework's default, where it is installed."""
    if catalog is not None and framework in catalog.frameworks:
        record = catalog.environments.get(catalog.frameworks[framework].default_environment)
        if record is not None and not any(key.required for key in _record("", record.cls).keys.values()):
            return record.cls()
    return AgentEnvironment()


def _record(name: str, cls: Any) -> Record:
    return record_of(cls, f"the environment '{name}'")


def _environment(name: str, node: Node, others: Pairs, reading: Reading) -> Any:
    known = None if reading.catalog is None else reading.catalog.environments.get(name)
    if known is None:
        fields = PLAIN_MAPPING.read_pairs(others, reading)
        return fields if isinstance(fields, Unreadable) else UnknownEnvironment(type_name=name, fields=fields)
    record = _record(name, known.cls)
    return record.built(record.fields(node, others, reading), node, others, reading)
