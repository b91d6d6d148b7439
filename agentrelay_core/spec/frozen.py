"""Plain values made hashable, because a specification is a value: it can be a key, be compared, be shared.

A mapping becomes a sorted tuple of pairs, a list a tuple; `thaw` gives the plain value back.
"""

from collections.abc import Iterable, Mapping
from typing import Any


class FrozenMapping(tuple[tuple[str, Any], ...]):
    """A mapping kept as a sorted tuple of ``(key, value)`` pairs; equal to the bare tuple of the same pairs."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """The pairs as a dictionary, values still frozen."""
        return dict(self)


def freeze(value: Any) -> Any:
    """Make a plain value hashable.

    Args:
        value: Scalars, lists, tuples, sets and mappings, nested as deep as needed.

    Returns:
        The same content of tuples and `FrozenMapping`; anything else is returned as it is.
    """
    if value is None or isinstance(value, str | FrozenMapping):  # most values; and asking an ABC takes long
        return value
    if isinstance(value, Mapping):
        return FrozenMapping(sorted(((str(key), freeze(item)) for key, item in value.items()), key=_by_key))
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    if isinstance(value, set | frozenset):
        return tuple(sorted(freeze(item) for item in value))
    return value


def thaw(value: Any) -> Any:
    """Undo `freeze`: a `FrozenMapping` becomes a dictionary, any other tuple a list."""
    if isinstance(value, FrozenMapping):
        return {key: thaw(item) for key, item in value}
    if isinstance(value, tuple):
        return [thaw(item) for item in value]
    return value


def pairs(value: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> FrozenMapping:
    """Convert a mapping, or an iterable of pairs, into a `FrozenMapping` (an attrs converter)."""
    frozen: FrozenMapping = freeze(dict(value))
    return frozen


def names(value: Iterable[str]) -> tuple[str, ...]:
    """Convert names to a tuple (an attrs converter); a string alone, which would become its letters, is refused."""
    if isinstance(value, str):
        raise TypeError(f"expected names, got the string {value!r}; write ({value!r},)")
    return tuple(value)


def _by_key(pair: tuple[str, Any]) -> str:
    return pair[0]
