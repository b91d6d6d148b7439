"""A framework's options, from the plain values of a graph to an instance of the class that its plugin declares."""

import contextlib
from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

import attrs

from agentrelay_core.hooks.records import FrameworkType
from agentrelay_core.runtime import IntegrationBoundary, UserError
from agentrelay_core.spec import AgentConfig, thaw
from agentrelay_core.spec.suggestions import did_you_mean

if TYPE_CHECKING:
    import cattrs


def structure_options(framework: FrameworkType | None, agent: AgentConfig) -> Any:
    """Make the options that a step of this agent is given.

    Args:
        framework: The record of the agent's framework; `None` where no plugin declares it.
        agent: The agent.

    Returns:
        An instance of the framework's ``options`` class; a plain dictionary where there is none.

    Raises:
        UserError: An option is unknown, missing or wrong; the text names the framework, the option and what is due.
    """
    given: dict[str, Any] = thaw(agent.options)
    if framework is None:
        return given
    kind = framework.options
    if kind is None:
        if given:
            raise _error(framework, [f"it has no option '{name}'; it has none at all" for name in given])
        return given
    names = [field.name for field in attrs.fields(kind)]
    problems = [f"it has no option '{name}'; {_hint(name, names)}" for name in given if name not in names]
    if problems:
        raise _error(framework, problems)
    if all(field.init and field.converter is not None for field in attrs.fields(kind) if field.name in given):
        # They check what they are given themselves, so that nothing is left for cattrs, whose import is dear.
        with contextlib.suppress(Exception):  # cattrs meets the same mistake, and tells in which option it is
            return kind(**{field.alias: given[field.name] for field in attrs.fields(kind) if field.name in given})
    try:
        return _converter().structure(given, kind)
    except Exception as error:
        raise _error(framework, list(_told(error))) from None


def _hint(name: str, names: list[str]) -> str:
    return did_you_mean(name, names) or f"its options are {', '.join(names)}"


def _error(framework: FrameworkType, problems: list[str]) -> UserError:
    text = f"The options of framework '{framework.name}' are wrong: {'; '.join(problems)}"
    return UserError(text if text.endswith("?") else f"{text}.", boundary=IntegrationBoundary.AGENT_LAUNCH)


def _told(error: BaseException, path: str = "") -> Iterator[str]:
    """Every single mistake of what cattrs raised, each with the option's name."""
    for note in getattr(error, "__notes__", ()):  # cattrs notes where it was, innermost first
        name = getattr(note, "name", None)
        if name is not None:
            path = f"{path}.{name}" if path else name
        elif not callable(getattr(note, "index", len)):  # a plain note is a text, whose index is a method
            path = f"{path}[{note.index!r}]"
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _told(inner, path)
    elif isinstance(error, KeyError):
        yield f"option '{path or error.args[0]}' is missing"
    else:
        text = " ".join(str(error).split())
        yield f"option '{path}': {text}" if path else text


@cache
def _converter() -> "cattrs.Converter":
    """A converter that takes no value for another: cattrs alone makes True of "no", and letters of a string."""
    import cattrs
    from cattrs.strategies import configure_union_passthrough

    converter = cattrs.Converter(forbid_extra_keys=True, prefer_attrib_converters=True, detailed_validation=True)
    configure_union_passthrough(bool | int | float | str | None, converter)
    for kind in (bool, int, float, str):
        converter.register_structure_hook(kind, _exactly)
    plain = converter.get_structure_hook

    @converter.register_structure_hook_factory(_is_sequence)
    def sequence(kind: Any) -> Any:
        item = (get_args(kind) or (Any,))[0]
        inner = plain(item) if item is not Any else None
        make = get_origin(kind) or kind

        def structure(value: Any, _: Any) -> Any:
            if not isinstance(value, list | tuple):
                raise TypeError(f"due is a list, not {value!r}")
            return make(inner(entry, item) if inner else entry for entry in value)

        return structure

    return converter


def _is_sequence(kind: Any) -> bool:
    if get_origin(kind) in (Union, UnionType):
        return False
    arguments = get_args(kind)
    if (get_origin(kind) or kind) is tuple:
        return not arguments or arguments[-1] is Ellipsis
    return (get_origin(kind) or kind) in (list, set, frozenset)


def _exactly(value: Any, kind: Any) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TypeError(f"due is {_WORDS[kind]}, not {value!r}")
    return value


_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
