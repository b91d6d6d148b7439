"""The kinds of values that are made of others: lists, mappings, choices among kinds, and plain values."""

# ruff: noqa: D102  read and schema are explained by Kind

import math
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from agentrelay_core.graph import codes
from agentrelay_core.graph.catalogs import CatalogView
from agentrelay_core.graph.nodes import Mapping, Node, Refused, Scalar, Sequence, is_null, pairs_of
from agentrelay_core.graph.scalars import (
    FAILED,
    LONG_NUMBER,
    NUMBER,
    TRUTH,
    WHOLE,
    JSONSchema,
    Kind,
    Text,
    Unreadable,
    wrong_type,
)

if TYPE_CHECKING:
    from agentrelay_core.graph.reading import Reading


class ListOf:
    """A list.

    Args:
        item: The kind of its items.
        stand_in: Takes the place of an item that is wrong, so that the others keep their positions; `None`
            leaves such an item out.
        single: Whether one item alone is taken as a list of one.
    """

    def __init__(self, item: Kind, *, stand_in: Any = None, single: bool = False) -> None:
        self.takes = frozenset((Sequence, *(item.takes if single else ())))
        self.item = item
        self._read = item.read
        self._takes_any_text = item.__class__ is Text and item.pattern is None
        self.stand_in = stand_in
        self.single = single

    def read(self, node: Node, reading: "Reading") -> Any:
        if node.__class__ is not Sequence:
            if node.__class__ not in self.takes:
                return wrong_type(node, "a list", reading)
            items = [node]
        else:
            items = node.parts
        if self._takes_any_text:
            texts = [item.value for item in items if item.__class__ is Scalar and item.value and not item.style]
            if len(texts) == len(items):  # not quoted, as nearly all are, so that there is nothing to look for in them
                return texts
        read = self._read
        values = [read(item, reading) for item in items]
        for value in values:
            if value.__class__ is Unreadable:
                return self._usable(values)
        return values

    def _usable(self, values: list[Any]) -> Unreadable:
        good = [self.stand_in if value.__class__ is Unreadable else value for value in values]
        return Unreadable([value for value in good if value is not None])

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        items = self.item.schema(catalog)
        return (
            {"anyOf": [{"type": "array", "items": items}, items]} if self.single else {"type": "array", "items": items}
        )


class MapOf:
    """A mapping with keys of the user's choice.

    Args:
        value: The kind of its values.
        key: The kind of its keys.
    """

    takes = frozenset((Mapping,))

    def __init__(self, value: Kind, key: Text | None = None) -> None:
        self.value = value
        self.key = key or Text()

    def read(self, node: Node, reading: "Reading") -> Any:
        if node.__class__ is not Mapping:
            return wrong_type(node, "a mapping", reading)
        return self.read_pairs(pairs_of(node), reading)

    def read_pairs(self, pairs: Iterable[tuple[Node, Node]], reading: "Reading") -> Any:
        """The dictionary of some pairs of nodes."""
        values: dict[str, Any] = {}
        wrong = False
        for key_node, value_node in pairs:
            name = self.key.read(key_node, reading)
            value = self.value.read(value_node, reading)
            if name.__class__ is Unreadable or value.__class__ is Unreadable:
                wrong = True
            elif name in values:
                duplicate_key(name, key_node, reading)
                wrong = True
            else:
                values[name] = value
        return FAILED if wrong else values

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        schema: JSONSchema = {"type": "object", "additionalProperties": self.value.schema(catalog)}
        if self.key.pattern is not None:
            schema["propertyNames"] = {"pattern": f"^(?:{self.key.pattern})$"}
        return schema


class Either:
    """The first of several kinds that can hold the node: lists, mappings and scalars are told apart by their shape.

    Args:
        kinds: Kinds for scalars first to last as they are tried; a list's and a mapping's kind where they are allowed.
        expected: What is expected, for the message.
    """

    def __init__(self, *kinds: Kind, expected: str) -> None:
        self.kinds = kinds
        self.expected = expected
        self.takes = frozenset().union(*(kind.takes for kind in kinds))

    def read(self, node: Node, reading: "Reading") -> Any:
        fitting = [kind for kind in self.kinds if node.__class__ in kind.takes]
        if not fitting:
            return wrong_type(node, self.expected, reading)
        for kind in fitting[:-1]:
            value = kind.read(node, reading.silent())
            if value.__class__ is not Unreadable:
                return value
        return fitting[-1].read(node, reading)

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        return {"anyOf": [kind.schema(catalog) for kind in self.kinds]}


class Plain:
    """Any value, for what a plugin reads: plain scalars are what YAML 1.2 says, everything in quotes is text."""

    takes = frozenset((Scalar, Sequence, Mapping))

    def read(self, node: Node, reading: "Reading") -> Any:
        if node.__class__ is Scalar:
            return self._scalar(node, reading)
        if node.__class__ is Sequence:
            return _LIST_OF_PLAIN.read(node, reading)
        if node.__class__ is Refused:
            return FAILED
        return PLAIN_MAPPING.read(node, reading)

    def _scalar(self, node: Node, reading: "Reading") -> Any:
        value: str = node.value
        if node.style:
            return _TEXT.read(node, reading)
        if is_null(node):
            return None
        if value in TRUTH:
            return TRUTH[value]
        if WHOLE.fullmatch(value):
            return int(value)
        if NUMBER.fullmatch(value):
            number = float(value)
            return number if math.isfinite(number) else value
        if len(value) > 40 and re.fullmatch(LONG_NUMBER, value):
            reading.findings.error(codes.BAD_VALUE, "the number has too many digits", node, "put it into quotes")
            return FAILED
        return value

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        return {}


_TEXT = Text()
_LIST_OF_PLAIN = ListOf(Plain())
PLAIN_MAPPING = MapOf(Plain())


def duplicate_key(name: str, node: Node, reading: "Reading") -> None:
    """Say that a key stands twice in one mapping."""
    reading.findings.error(codes.DUPLICATE_KEY, f"the key '{name}' is given twice", node, "keep one of them")


def list_of_names(stand_in: str | None = None) -> ListOf:
    """A list of names; one name alone stands for a list of one."""
    return ListOf(Text(), stand_in=stand_in, single=True)
