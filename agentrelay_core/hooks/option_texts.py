"""What a framework's options are, in words for ``plugins doctor``: their names, types and defaults."""

from __future__ import annotations

import types
import typing
from collections import abc
from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from agentrelay_core.hooks.catalog import Catalog

_WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Any: "anything",
    types.NoneType: "nothing",
}


@attrs.frozen(kw_only=True)
class OptionText:
    """One option of a framework.

    Args:
        framework: The framework.
        provided_by: Name and version of the plugin that declares it.
        name: The key in a graph file.
        type: What it takes, in words.
        required: Whether it must be given.
        default: What it is where it is not given, as plain data; `None` for a required one.
        help: What its field says of it.
    """

    framework: str
    provided_by: str
    name: str
    type: str
    required: bool
    default: Any
    help: str

    @property
    def text(self) -> str:
        """The option in a few words, for example ``level: a whole number, default 10``."""
        said = f"{self.name}: {self.type}, {'required' if self.required else f'default {_shown(self.default)}'}"
        return f"{said} ({self.help})" if self.help else said


def option_texts(catalog: Catalog) -> Iterator[OptionText]:
    """The options of all frameworks that can be used, in the order of the frameworks' names and of their fields.

    Args:
        catalog: The plugins.
    """
    for name, framework in sorted(catalog.frameworks.items()):
        if framework.options is None:
            continue
        owners = [offer.plugin.title for offer in catalog.offers[f"framework:{name}"] if offer.record is framework]
        hints = _hints(framework.options)
        for field in attrs.fields(framework.options):
            if field.init:
                yield OptionText(
                    framework=name,
                    provided_by=", ".join(owners),
                    name=field.alias or field.name,
                    type=_type_words(hints.get(field.name, field.type)),
                    required=field.default is attrs.NOTHING,
                    default=_default(field.default),
                    help=str(field.metadata.get("help", "")),
                )


def _hints(cls: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(cls)
    except Exception:  # annotations that name what is not there; then they are shown as they stand
        return {}


def _default(value: Any) -> Any:
    if value is attrs.NOTHING:
        return None
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]  # attrs' stubs call the class a function
        return "computed" if value.takes_self else plain_value(value.factory())
    return plain_value(value)


def plain_value(value: Any) -> Any:
    """A default as JSON can hold it."""
    if isinstance(value, Enum):
        return plain_value(value.value)
    if attrs.has(type(value)):
        return {
            field.alias or field.name: plain_value(getattr(value, field.name)) for field in attrs.fields(type(value))
        }
    if isinstance(value, abc.Mapping):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain_value(item) for item in value]
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, str) else str(value)


def _type_words(annotation: Any) -> str:
    """A type in the words of a graph file."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type_words(arguments[0])
    if origin is typing.Literal:
        return " or ".join(repr(argument) for argument in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type_words(argument) for argument in arguments if argument is not types.NoneType)
    base = origin or annotation
    if isinstance(base, type):
        if issubclass(base, Enum):
            return " or ".join(repr(member.value) for member in base)
        if attrs.has(base):
            return f"a mapping with {', '.join(field.alias or field.name for field in attrs.fields(base))}"
        if issubclass(base, abc.Mapping):
            return "a mapping"
        if issubclass(base, abc.Iterable) and base is not str:
            return f"a list of {_type_words(arguments[0])}" if arguments else "a list"
    return _WORDS.get(base) or str(getattr(base, "__name__", base))
