"""Objects with known keys: one table of keys gives the reader and the JSON Schema."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from agentrelay_core.graph import codes
from agentrelay_core.graph.blaming import blamed_key
from agentrelay_core.graph.catalogs import CatalogView
from agentrelay_core.graph.compound import duplicate_key
from agentrelay_core.graph.nodes import Mapping as MappingNode
from agentrelay_core.graph.nodes import Node, Scalar, is_null, pairs_of
from agentrelay_core.graph.reading import UNSET, Fields, Reading
from agentrelay_core.graph.scalars import FAILED, JSONSchema, Kind, Unreadable, described, wrong_type
from agentrelay_core.graph.source import Marked
from agentrelay_core.spec.suggestions import closest, listing

Pairs = Iterable[tuple[Node, Node]]


@attrs.frozen(eq=False)
class Key:
    """A key of an object.

    Args:
        kind: What it takes.
        meaning: A sentence for the schema.
        required: Whether it must be there.
        default: What it is where it is not there, as plain data, for the schema; ``UNSET`` where that is not said.
    """

    kind: Kind
    meaning: str = ""
    required: bool = attrs.field(default=False, kw_only=True)
    default: Any = attrs.field(default=UNSET, kw_only=True)


class Record:
    """An object with known keys.

    A key without a value (or ``null``) has the default of its field.

    Args:
        name: What messages call it, for example ``a task``.
        keys: Its keys; they are read in the order of the text.
        build: Makes the value of the fields; `None` for a record that is only read by `fields`.
        synonyms: Words that people try, and the keys that they mean.
        otherwise: A hint for unknown keys that are like no other; default all keys there are.
    """

    takes = frozenset((MappingNode,))

    def __init__(
        self,
        name: str,
        keys: Mapping[str, Key],
        build: Callable[..., Any] | None = None,
        synonyms: Mapping[str, str] | None = None,
        otherwise: str | None = None,
    ) -> None:
        self.name = name
        self.keys = keys
        self._build = build
        self._synonyms = synonyms or {}
        self._otherwise = otherwise
        self._required = [name for name, key in keys.items() if key.required]
        self._readers = {name: key.kind.read for name, key in keys.items()}

    def read(self, node: Node, reading: Reading) -> Any:
        """The record that a mapping describes."""
        if node.__class__ is not MappingNode:
            return wrong_type(node, f"{self.name}, a mapping", reading, f"its keys are {listing(self.keys)}")
        fields = self.fields(node, pairs_of(node), reading)
        return self.built(fields, node, pairs_of(node), reading)

    def built(self, fields: Fields, node: Marked, pairs: Pairs, reading: Reading) -> Any:
        """What ``build`` makes of fields; a plugin's own checks may refuse them."""
        if fields.failed or self._build is None:
            return FAILED
        values = fields.given()
        try:
            return self._build(**values)
        except Exception as error:  # a plugin's validator may raise anything
            key = blamed_key(self._build, values, error)
            place = next((value for name, value in pairs if name.__class__ is Scalar and name.value == key), node)
            reading.findings.error(codes.BAD_VALUE, f"{self.name}: {error}", place)
            return FAILED

    def fields(
        self, node: Marked, pairs: Pairs, reading: Reading, *, also: Iterable[str] = (), optional: bool = False
    ) -> Fields:
        """Read the keys of a mapping.

        Args:
            node: Where a missing key is reported.
            pairs: Keys and values.
            reading: The reading.
            also: Further keys that would be right here, for "did you mean".
            optional: Whether required keys may be missing.
        """
        fields = Fields(node if node.__class__ is MappingNode else None)
        values, failed, readers = fields.values, fields.failed, self._readers
        excused: set[str] = set()
        for key_node, value_node in pairs:
            name: Any = key_node.value if key_node.__class__ is Scalar else None
            read = readers.get(name)
            if read is None or name in values or name in failed:
                self._odd_key(key_node, value_node, reading, also, excused)
                continue
            if value_node.__class__ is Scalar and is_null(value_node):
                if name in self._required:
                    wrong_type(key_node, f"a value for '{name}'", reading)
                    failed.add(name)
                else:
                    values[name] = UNSET
                continue
            value = read(value_node, reading)
            if value.__class__ is Unreadable:
                failed.add(name)
                value = value.rest
                if value is None:
                    continue
            values[name] = value
        if excused:
            failed |= excused - values.keys()
        if not optional:
            for name in self._required:
                if name not in values and name not in failed:
                    message = f"{self.name} needs the key '{name}'"
                    reading.findings.error(codes.MISSING_KEY, message, node, self.keys[name].meaning or None)
                    fields.failed.add(name)
        return fields

    def _odd_key(
        self, key_node: Node, value_node: Node, reading: Reading, also: Iterable[str], excused: set[str]
    ) -> None:
        """Refuse a key that is no text, not known or given before; what it was meant to be is then not missing."""
        if key_node.__class__ is not Scalar:
            wrong_type(key_node, "a key", reading)
        elif key_node.value in self.keys:
            duplicate_key(key_node.value, key_node, reading)
            self.keys[key_node.value].kind.read(value_node, reading)
        else:
            meant = self._unknown(key_node, reading, also)
            if meant is not None:
                excused.add(meant)

    def _unknown(self, node: Node, reading: Reading, also: Iterable[str]) -> str | None:
        """Refuse a key that is not known; the one it was meant to be, which is then not reported as missing."""
        name = node.value
        if reading.findings.is_full:
            reading.findings.error(codes.UNKNOWN_KEY, "", node)
            return None
        known = [*self.keys, *also]
        meant = self._synonyms.get(name) or closest(name, known)
        if meant is not None:
            hint = f"did you mean '{meant}'?"
        else:
            hint = self._otherwise or (f"its keys are {listing(known, 40)}" if known else "it takes none")
        reading.findings.error(codes.UNKNOWN_KEY, f"{self.name} has no key {described(node)}", node, hint)
        return meant

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        """The JSON Schema of the record."""
        schema: JSONSchema = {
            "type": "object",
            "properties": {name: key_schema(key, catalog) for name, key in self.keys.items()},
            "additionalProperties": False,
        }
        if self._required:
            schema["required"] = list(self._required)
        return schema


def key_schema(key: Key, catalog: CatalogView | None) -> JSONSchema:
    """What a key takes; one that is not required may be without a value."""
    schema = key.kind.schema(catalog)
    if schema and not key.required:
        schema = {"anyOf": [*(schema["anyOf"] if list(schema) == ["anyOf"] else [schema]), {"type": "null"}]}
    if key.meaning:
        schema = {**schema, "description": key.meaning}
    return schema if key.default is UNSET else {**schema, "default": key.default}
