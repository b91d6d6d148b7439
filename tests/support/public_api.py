"""The public API as text, to be compared with what was released: whoever changes it says so by changing the file.

``python tests/support/public_api.py --write`` writes ``tests/public_api.txt`` anew.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import attrs

import agentrelay_core
from agentrelay_core import task_runner
from agentrelay_core.hooks import discovery, specs

FILE = Path(__file__).parents[1] / "public_api.txt"
HEAD = """\
# What plugins and hosts may rely on. A change here is a change for them: it needs a newsfragment, and what takes
# something away, or asks for more, waits for the next major version of the contract (see CONTRIBUTING.md).
# Written by: python tests/support/public_api.py --write
"""
_MODULE = re.compile(r"\b(?:[a-z_][\w]*\.)+(?=[A-Za-z_])")
_FACTORY = "…"


def public_api() -> str:
    """The whole of it, with a newline at the end."""
    return "\n".join([HEAD, *_lines()]) + "\n"


def _lines() -> Iterator[str]:
    yield f"entry-point group {discovery.GROUP}"
    yield ""
    for hook, record in specs.RECORDS.items():
        function = getattr(specs, hook)
        options = {name: value for name, value in function.agentrelay_spec.items() if value}
        yield f"hook {hook}{_signature(function)} of {record.__name__}{f' {options}' if options else ''}"
    for name in sorted(agentrelay_core.__all__):
        yield ""
        yield from _entry(name, getattr(agentrelay_core, name))
    yield ""
    yield f"also in agentrelay_core.task_runner: {', '.join(sorted(set(task_runner.__all__)))}"


def _entry(name: str, value: Any) -> Iterator[str]:
    if not isinstance(value, type):
        yield from _member(name, value) if inspect.isfunction(value) else [f"{name} = {_shown(value)}"]
        return
    bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
    yield f"class {name}({bases})" if bases else f"class {name}"
    if issubclass(value, Enum):
        yield from (f"    {member.name} = {member.value!r}" for member in value)
        return
    if attrs.has(value):
        frozen = value.__setattr__ is not object.__setattr__
        yield f"    # {'frozen ' if frozen else ''}data"
        yield from (f"    {_field(field)}" for field in attrs.fields(value) if not field.name.startswith("_"))
    elif _is_ours(value.__init__) and not getattr(value, "_is_protocol", False):
        yield f"    def __init__{_signature(value.__init__)}"
    members: dict[str, Any] = {}
    for kind in reversed(value.__mro__):
        # What a base has that can be imported stands there.
        if kind is value or kind.__name__.startswith("_"):
            members |= vars(kind)
    for member, item in sorted(members.items()):
        if not member.startswith("_") or member == "__call__":
            yield from (f"    {line}" for line in _member(member, item))


def _is_ours(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).startswith("agentrelay_core")


def _member(name: str, item: Any) -> Iterator[str]:
    function = item.__func__ if isinstance(item, classmethod | staticmethod) else item
    if isinstance(item, property):
        yield f"property {name}{_signature(item.fget)}"
    elif inspect.isfunction(function):
        kind = "async def" if inspect.iscoroutinefunction(function) else "def"
        yield f"{'@classmethod ' if isinstance(item, classmethod) else ''}{kind} {name}{_signature(function)}"


def _field(field: Any) -> str:
    default = field.default
    if isinstance(default, attrs.Factory):
        made = not default.takes_self and isinstance(default.factory, type)
        shown = f" = {_shown(default.factory()) if made else _FACTORY}"
    else:
        shown = "" if default is attrs.NOTHING else f" = {_shown(default)}"
    return f"{'' if field.kw_only or not field.init else 'positional '}{field.name}: {_type(field.type)}{shown}"


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    parts, keyword_only = [], False
    for parameter in signature.parameters.values():
        text = str(parameter.replace(annotation=inspect.Parameter.empty, default=inspect.Parameter.empty))
        if parameter.kind is parameter.VAR_POSITIONAL:
            keyword_only = True
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            parts.append("*")
            keyword_only = True
        if parameter.annotation is not parameter.empty:
            text += f": {_type(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            text += f" = {_shown(parameter.default)}"
        parts.append(text)
    returns = signature.return_annotation
    return f"({', '.join(parts)})" + ("" if returns is signature.empty else f" -> {_type(returns)}")


def _type(annotation: Any) -> str:
    if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        return annotation.__name__
    return _MODULE.sub("", annotation if isinstance(annotation, str) else repr(annotation))


def _shown(value: Any) -> str:
    if isinstance(value, type) or inspect.isfunction(value):
        return value.__name__
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if attrs.has(type(value)):
        return f"{type(value).__name__}(…)"
    return re.sub(r" at 0x[0-9a-f]+", "", _MODULE.sub("", repr(value)))


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        FILE.write_text(public_api())
    else:
        sys.stdout.write(public_api())
