"""Tasks and workstreams: mappings by id, or lists of objects with ``id``; both mean the same."""

from typing import Any

import attrs

from agentrelay_core.graph import codes
from agentrelay_core.graph.catalogs import CatalogView
from agentrelay_core.graph.nodes import Mapping, Node, Sequence, is_null, pairs_of, value_of
from agentrelay_core.graph.reading import Fields, Reading
from agentrelay_core.graph.records import Record
from agentrelay_core.graph.scalars import JSONSchema, Text, Unreadable, wrong_type

MOST_ENTRIES = 20_000

_ID = Text()


@attrs.frozen(eq=False)
class Entry:
    """One task or workstream as it was read.

    Args:
        id: Its id.
        at: The node of the id.
        fields: Its other keys.
        broken: Whether it is no object at all, which has been said.
    """

    id: str
    at: Node
    fields: Fields
    broken: bool = False


class Entries:
    """The value of ``tasks:`` and of ``workstreams:``.

    Args:
        plural: The key itself, for messages and for ``incomplete``.
        record: The keys of one entry, ``id`` among them.
        definition: The name of the record in the JSON Schema.
    """

    takes = frozenset((Mapping, Sequence))

    def __init__(self, plural: str, record: Record, definition: str) -> None:
        self.plural = plural
        self.record = record
        self.definition = definition

    def read(self, node: Node, reading: Reading) -> Any:
        """The entries in the order of the file; where an id is not known, the reading is marked incomplete."""
        if node.__class__ is Mapping:
            pairs = list(pairs_of(node))
        elif node.__class__ is Sequence:
            pairs = [(None, item) for item in node.parts]
        else:
            reading.incomplete.add(self.plural)
            return wrong_type(node, f"{self.plural}, a mapping by id or a list", reading)
        if len(pairs) > MOST_ENTRIES:
            reading.incomplete.add(self.plural)
            message = f"{len(pairs):,} {self.plural}; {MOST_ENTRIES:,} are allowed"
            reading.findings.error(codes.TOO_MANY, message, node, "split the graph")
            return Unreadable()
        entries = [self._entry(key, value, reading) for key, value in pairs]
        if None in entries:
            reading.incomplete.add(self.plural)
        return [entry for entry in entries if entry is not None]

    def _entry(self, key: Node | None, node: Node, reading: Reading) -> Entry | None:
        name = None if key is None else _ID.read(key, reading)
        if node.__class__ is Mapping:
            fields = self.record.fields(node, pairs_of(node), reading, optional=key is not None)
            broken = False
        else:
            fields = Fields()
            broken = key is None or not is_null(node)
            if broken:
                wrong_type(node, f"{self.record.name}, a mapping", reading)
        inner: Any = fields.values.get("id")
        if key is None:
            return Entry(inner, value_of(node, "id"), fields) if isinstance(inner, str) else None
        if isinstance(name, Unreadable):
            return None
        if isinstance(inner, str) and inner != name:
            message = f"the id '{inner}' is not the key '{name}'"
            reading.findings.error(codes.KEYS_EXCLUDE, message, value_of(node, "id"), "leave 'id' out")
        return Entry(str(name), key, fields, broken)

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        """A mapping by id, or a list."""
        reference = {"$ref": f"#/$defs/{self.definition}"}
        return {
            "anyOf": [
                {"type": "object", "additionalProperties": {"anyOf": [reference, {"type": "null"}]}},
                {"type": "array", "items": {**reference, "required": ["id"]}},
            ]
        }
