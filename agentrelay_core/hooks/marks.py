"""Which hooks a module or object implements, and what is wrong with the way it does.

pluggy passes over what it does not know: a misspelt hook, or one without the marker, would simply never be asked.
Here such a function is a mistake, told with what was probably meant.
"""

import inspect
from collections.abc import Callable, Iterable
from types import FunctionType, MethodType
from typing import Any, Final

import attrs

from agentrelay_core.hooks import specs
from agentrelay_core.hooks.blame import function_place
from agentrelay_core.hooks.specs import PREFIX, PROJECT, RECORDS
from agentrelay_core.spec.suggestions import closest

MARK: Final = f"{PROJECT}_impl"


class HookProblem(Exception):
    """What is wrong with a plugin, as a clause that follows its name; never leaves the loader."""


@attrs.frozen(eq=False)
class Found:
    """A function that is marked as a hook, or is called like one.

    Args:
        attribute: Its name on the module or object.
        hook: The hook that it means to implement.
        function: The function.
        options: The marker's options, `None` without the marker.
    """

    attribute: str
    hook: str
    function: Callable[..., Any]
    options: dict[str, Any] | None


def find(item: object) -> tuple[Found, ...]:
    """All functions of a module or object that are marked as hooks, or called like one."""
    if inspect.ismodule(item):
        members = list(vars(item).items())
    else:
        members = [(name, inspect.getattr_static(item, name, None)) for name in dir(item)]
    found = []
    for name, static in members:
        function = static.__func__ if isinstance(static, staticmethod | classmethod) else static
        if not isinstance(function, FunctionType | MethodType):
            continue
        options = getattr(static, MARK, None) or getattr(function, MARK, None)
        if options is not None or name.startswith(PREFIX):
            found.append(Found(name, (options or {}).get("specname") or name, function, options))
    return tuple(found)


def intended(found: Iterable[Found]) -> frozenset[str]:
    """The hooks that functions implement or mean to, misspelt ones by what they are closest to."""
    names = (item.hook if item.hook in RECORDS else closest(item.hook, RECORDS) for item in found)
    return frozenset(name for name in names if name is not None)


def implemented(found: Iterable[Found]) -> dict[str, Callable[..., Any]]:
    """The functions that implement hooks, by the hook's name.

    Raises:
        HookProblem: One is unknown, lacks the marker, takes arguments that the hook does not have, or is async.
    """
    for item in found:
        problem = _problem(item)
        if problem:
            raise HookProblem(problem)
    return {item.hook: item.function for item in found}


def _problem(item: Found) -> str | None:
    hook, function = item.hook, item.function
    where = function_place(function)
    if hook not in RECORDS:
        match = closest(hook, RECORDS) or closest(f"{PREFIX}{hook}", RECORDS)
        hint = f"did you mean {match}?" if match else f"hooks are {', '.join(RECORDS)}"
        return f"there is no hook {hook}{where}; {hint}"
    if item.options is None:
        return f"{hook} lacks the marker{where}; write @hookimpl above it (agentrelay_core.hookimpl)"
    if item.options.get("wrapper") or item.options.get("hookwrapper"):
        return f"{hook} is a wrapper{where}; hooks only declare: write @hookimpl without arguments"
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        return f"{hook} is async{where}; hooks only declare: write `def {hook}()`"
    unknown = [name for name in _required(function) if name not in arguments_of(hook)]
    if unknown:
        return f"{hook} takes {', '.join(unknown)}{where}, which the hook does not have; write `def {hook}()`"
    return None


def arguments_of(hook: str) -> tuple[str, ...]:
    """The arguments of a hook; a plugin names those that it wants."""
    code = getattr(specs, hook).__code__
    names: tuple[str, ...] = code.co_varnames[: code.co_argcount]
    return names


def _required(function: Callable[..., Any]) -> list[str]:
    """Parameters without a default; one with a default may be an argument that later versions of the hook have."""
    code = inspect.unwrap(function).__code__
    if not code.co_argcount + code.co_kwonlyargcount:
        return []  # the usual case; a signature is dear
    parameters = list(inspect.signature(function).parameters.items())
    if "." in function.__qualname__ and parameters and parameters[0][0] in ("self", "cls"):
        parameters = parameters[1:]
    return [
        name
        for name, parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
