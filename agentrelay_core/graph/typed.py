"""Reading a plugin's own attrs class: its fields are the keys, and their types say what each takes."""

import functools
import types
import typing
from collections import abc
from enum import Enum
from pathlib import Path
from typing import Any

import attrs

from agentrelay_core.graph.compound import Either, ListOf, MapOf, Plain
from agentrelay_core.graph.reading import UNSET
from agentrelay_core.graph.records import Key, Record
from agentrelay_core.graph.scalars import Choice, Converted, Flag, Kind, Number, Text, Whole
from agentrelay_core.spec import FrozenMapping

_LISTS = (list, tuple, set, frozenset, abc.Sequence, abc.Iterable, abc.Collection, abc.Set)
_MAPPINGS = (dict, abc.Mapping, abc.MutableMapping, FrozenMapping)
# Among the kinds that a scalar may be, text takes anything and so comes last.
_TRIED = (Flag, Whole, Number, Choice, Text)


@functools.cache
def record_of(cls: type, name: str) -> Record:
    """The keys of an attrs class.

    Args:
        cls: An attrs class; its annotations may be strings.
        name: What messages call it.
    """
    hints = _hints(cls)
    keys = {
        field.alias or field.name: Key(
            kind_of(hints.get(field.name, Any)),
            str(field.metadata.get("help", "")),
            required=field.default is attrs.NOTHING,
            default=_default(field.default),
        )
        for field in attrs.fields(cls)
        if field.init
    }
    return Record(name, keys, cls)


def _hints(cls: type) -> dict[str, Any]:
    """The types of fields; where a text names what is not there, that field takes anything its class accepts."""
    try:
        return typing.get_type_hints(cls)
    except Exception:  # a plugin's text may be any expression
        return {field.name: Any if isinstance(field.type, str) else field.type for field in attrs.fields(cls)}


def _default(value: Any) -> Any:
    """A field's default for the schema; one that is made anew for each instance is not said."""
    if value is attrs.NOTHING:
        return UNSET
    value = plain(value)
    said = value is None or isinstance(value, bool | int | float | str) or value == []
    return value if said else UNSET


def kind_of(annotation: Any) -> Kind:
    """What a type of a field takes; a type that is not known here takes any value."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    simple = _simple(annotation)
    if simple is not None:
        return simple
    if origin is typing.Annotated:
        return kind_of(arguments[0])
    if origin is typing.Literal:
        return Choice({str(value): value for value in arguments})
    if origin in (typing.Union, types.UnionType):
        return _union([argument for argument in arguments if argument is not type(None)])
    base = origin or annotation
    if base in _MAPPINGS:
        return MapOf(kind_of(arguments[1]) if len(arguments) > 1 else Plain())
    if base in _LISTS:
        return ListOf(kind_of(arguments[0]) if arguments else Plain())
    if isinstance(annotation, type) and attrs.has(annotation):
        return record_of(annotation, annotation.__name__)
    return Plain()


def _simple(annotation: Any) -> Kind | None:
    if not isinstance(annotation, type) or typing.get_origin(annotation) is not None:
        return None
    if issubclass(annotation, Enum):
        return Choice.of(annotation)
    if annotation is bool:
        return Flag()
    if annotation is int:
        return Whole()
    if annotation is float:
        return Number()
    if annotation is str:
        return Text()
    return Converted(Path) if issubclass(annotation, Path) else None


def _union(members: list[Any]) -> Kind:
    kinds = sorted((kind_of(member) for member in members), key=_when_tried)
    if len(kinds) == 1:
        return kinds[0]
    words = " or ".join(getattr(member, "__name__", str(member)) for member in members)
    return Either(*kinds, expected=words)


def _when_tried(kind: Kind) -> int:
    return next((position for position, cls in enumerate(_TRIED) if isinstance(kind, cls)), len(_TRIED))


def plain(value: Any) -> Any:
    """A value that was read by type as plain data again, for an agent's options."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Path):
        return str(value)
    if attrs.has(type(value)):
        return {field.alias or field.name: plain(getattr(value, field.name)) for field in attrs.fields(type(value))}
    if isinstance(value, abc.Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value
