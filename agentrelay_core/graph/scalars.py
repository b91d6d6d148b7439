"""The kinds of single values that keys take: how each is read, and how a JSON Schema describes it.

Reading and schema stand side by side, so that they cannot drift apart. The strings of a file are strings: ``no``,
``12:30:45`` and dates stay as they were written, and numbers and truth values exist only where a key wants them.
"""

# ruff: noqa: D102  read and schema are explained by Kind

import math
import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol

from agentrelay_core.graph import codes
from agentrelay_core.graph import nodes as yaml_nodes
from agentrelay_core.graph.catalogs import CatalogView
from agentrelay_core.graph.nodes import Node, Refused, Scalar, Sequence
from agentrelay_core.spec.suggestions import did_you_mean, listing

if TYPE_CHECKING:
    from agentrelay_core.graph.reading import Reading

JSONSchema = dict[str, Any]

# Compiled on first use, as few files need it.
_CONTROL = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]"
WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
NUMBER = re.compile(r"[-+]?(?:[0-9]{1,18}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,3})?")
LONG_NUMBER = r"[-+]?[0-9][0-9.eE+-]*"
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)([smh]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class Unreadable:
    """What reading gives where the value is wrong, which has been said; ``rest`` is what can be used of it."""

    __slots__ = ("rest",)

    def __init__(self, rest: Any = None) -> None:
        self.rest = rest


FAILED: Final = Unreadable()


class Kind(Protocol):
    """A kind of value; ``takes`` names the nodes that can be one."""

    @property
    def takes(self) -> frozenset[type]:
        """Classes of nodes."""

    def read(self, node: Node, reading: "Reading") -> Any:
        """The value of a node; `Unreadable` where it is wrong, which is then among the findings."""

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        """The JSON Schema of what `read` takes."""


def wrong_type(node: Node, expected: str, reading: "Reading", hint: str | None = None) -> Unreadable:
    """Say that something of another type was expected."""
    if node.__class__ is not Refused:
        message = f"expected {expected}, found {described(node)}"
        reading.findings.error(codes.WRONG_TYPE, message, node, hint)
    return FAILED


def described(node: Node) -> str:
    """A node for a message."""
    if node.__class__ is Scalar:
        if yaml_nodes.is_null(node):
            return "nothing"
        value: str = node.value
        return f"'{value}'" if len(value) <= 60 else f"'{value[:57]}...'"
    return "a list" if node.__class__ is Sequence else "a mapping"


class ScalarKind:
    """A kind of value that is one scalar."""

    takes = frozenset((Scalar,))


class Text(ScalarKind):
    """Text, taken as it was written.

    Args:
        pattern: What the whole of it must match, or `None`.
        meaning: What such text is called in messages.
    """

    def __init__(self, pattern: str | None = None, meaning: str = "text") -> None:
        self.pattern = pattern
        self.meaning = meaning
        self._matches = re.compile(pattern).fullmatch if pattern else None

    def read(self, node: Node, reading: "Reading") -> Any:
        if node.__class__ is not Scalar:
            return wrong_type(node, self.meaning, reading)
        value: str = node.value
        if not node.style:
            if not value:
                return wrong_type(node, self.meaning, reading)
        elif node.style == '"' and re.search(_CONTROL, value):
            reading.findings.error(codes.BAD_VALUE, "control characters are not allowed", node, "take them out")
            return FAILED
        if self._matches is not None and not self._matches(value):
            return wrong_type(node, self.meaning, reading)
        return value

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        if self.pattern is not None:
            return {"type": "string", "pattern": f"^(?:{self.pattern})$"}
        return {"type": ["string", "number", "boolean"]}  # YAML editors see 12 and true where we see text


class Converted(Text):
    """Text that becomes a value of another type, such as a path."""

    def __init__(self, convert: Callable[[str], Any]) -> None:
        super().__init__()
        self._convert = convert

    def read(self, node: Node, reading: "Reading") -> Any:
        value = super().read(node, reading)
        return value if isinstance(value, Unreadable) else self._convert(value)


class Flag(ScalarKind):
    """``true`` or ``false``."""

    def read(self, node: Node, reading: "Reading") -> Any:
        if node.__class__ is Scalar and not node.style and node.value in TRUTH:
            return TRUTH[node.value]
        return wrong_type(node, "true or false", reading, "write true or false, without quotes")

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        return {"type": "boolean"}


class Whole(ScalarKind):
    """A whole number, of at least ``least``."""

    def __init__(self, least: int | None = None) -> None:
        self.least = least
        self.meaning = "a whole number" if least is None else f"a whole number of {least} or more"

    def read(self, node: Node, reading: "Reading") -> Any:
        if node.__class__ is not Scalar or node.style or not WHOLE.fullmatch(node.value):
            return wrong_type(node, self.meaning, reading)
        value = int(node.value)
        if self.least is not None and value < self.least:
            reading.findings.error(codes.BAD_VALUE, f"expected {self.meaning}, found {value}", node)
            return FAILED
        return value

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        return {"type": "integer"} if self.least is None else {"type": "integer", "minimum": self.least}


class Number(ScalarKind):
    """A finite number, of at least ``least``."""

    def __init__(self, least: float | None = None) -> None:
        self.least = least
        self.meaning = "a number" if least is None else f"a number of {least:g} or more"

    def read(self, node: Node, reading: "Reading") -> Any:
        if node.__class__ is not Scalar or node.style or not NUMBER.fullmatch(node.value):
            return wrong_type(node, self.meaning, reading)
        value = float(node.value)
        if not math.isfinite(value) or (self.least is not None and value < self.least):
            reading.findings.error(codes.BAD_VALUE, f"expected {self.meaning}, found {node.value}", node)
            return FAILED
        return value

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        return {"type": "number"} if self.least is None else {"type": "number", "minimum": self.least}


class Duration(ScalarKind):
    """A time in seconds: a number, or a number with ``s``, ``m`` or ``h``; zero only where ``zero`` allows it."""

    def __init__(self, *, zero: bool = False) -> None:
        self.zero = zero

    def read(self, node: Node, reading: "Reading") -> Any:
        found = _DURATION.fullmatch(node.value) if node.__class__ is Scalar else None
        if found is None:
            return wrong_type(node, "a time", reading, "write seconds, or 90s, 15m, 4h")
        seconds = float(found[1]) * _SECONDS[found[2]]
        if not seconds and not self.zero:
            reading.findings.error(codes.BAD_VALUE, "expected a time of more than 0 seconds", node)
            return FAILED
        return seconds

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        bound = {"minimum": 0} if self.zero else {"exclusiveMinimum": 0}
        return {"anyOf": [{"type": "number", **bound}, {"type": "string", "pattern": f"^{_DURATION.pattern}$"}]}


class Choice(ScalarKind):
    """One of a few words.

    Args:
        values: What each word stands for.
        also: Further spellings that are accepted.
    """

    def __init__(self, values: Mapping[str, Any], also: Mapping[str, Any] | None = None) -> None:
        self.words = tuple(values)
        self._values = {**(also or {}), **values}

    @classmethod
    def of(cls, enum: type[Enum]) -> "Choice":
        """The values of an enum; its names, in capitals, are accepted too."""
        return cls({str(item.value): item for item in enum}, {item.name: item for item in enum})

    def read(self, node: Node, reading: "Reading") -> Any:
        if node.__class__ is not Scalar:
            return wrong_type(node, f"one of {listing(self.words)}", reading)
        if node.value not in self._values:
            message = f"expected one of {listing(self.words)}, found {described(node)}"
            reading.findings.error(codes.BAD_VALUE, message, node, did_you_mean(node.value, self.words))
            return FAILED
        return self._values[node.value]

    def schema(self, catalog: CatalogView | None) -> JSONSchema:
        return {"enum": list(self._values)}


def any_of(words: Iterable[str]) -> Choice:
    """A choice among words that stand for themselves."""
    return Choice({word: word for word in words})
