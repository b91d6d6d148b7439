"""Which key's value a plugin's own check refuses, so that the message stands at that value.

A class tells with its error what is wrong, not of which field. What is certain is found out by trying; where nothing
is, the whole object is to blame.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import attrs


def blamed_key(build: Callable[..., Any], values: Mapping[str, Any], error: Exception) -> str | None:
    """The key whose value is to blame.

    Args:
        build: The class whose making failed.
        values: What it was made of, by key.
        error: What it raised.

    Returns:
        The key; `None` where more than one could be meant.
    """
    guilty = [key for key, convert in _converters(build).items() if key in values and _raises(convert, values[key])]
    if not guilty:
        guilty = [key for key in values if not _raises(build, **{k: v for k, v in values.items() if k != key})]
    if len(guilty) != 1:
        words = set(re.findall(r"\w+", str(error)))
        guilty = [key for key in values if key in words] or list(values)
    return guilty[0] if len(guilty) == 1 else None


def _converters(build: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    if not isinstance(build, type) or not attrs.has(build):
        return {}
    fields = attrs.fields(build)
    return {
        field.alias or field.name: field.converter
        for field in fields
        if field.converter is not None and not isinstance(field.converter, attrs.Converter)
    }


def _raises(function: Callable[..., Any], *args: Any, **named: Any) -> bool:
    try:
        function(*args, **named)
    except Exception:  # a plugin's check may raise anything
        return True
    return False
