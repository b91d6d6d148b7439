"""Which hooks a module or object implements, and what is wrong with the way it does.

pluggy passes over what it does not know: a misspelt hook, or one without the marker, would simply never be asked.
Here such a function is a mistake, told with what was probably meant.
"""

import inspect
from collections.abc import Callable
from typing import Any, Final

from agentrelay_core.hooks.blame import function_place
from agentrelay_core.hooks.specs import PREFIX, PROJECT, RECORDS
from agentrelay_core.spec.suggestions import closest

MARK: Final = f"{PROJECT}_impl"


class HookProblem(Exception):
    """What is wrong with a plugin, as a clause that follows its name; never leaves the loader."""


def intended(item: object) -> frozenset[str]:
    """The hooks that a module or object implements or means to, misspelt ones by what they are closest to."""
    names = (closest(hook, RECORDS) if hook not in RECORDS else hook for hook, _, _ in _functions(item))
    return frozenset(name for name in names if name is not None)


def implemented(item: object) -> dict[str, Callable[..., Any]]:
    """The functions of a module or object that implement hooks, by the hook's name.

    Raises:
        HookProblem: One is unknown, lacks the marker, takes arguments that the hook does not have, or is async.
    """
    found = {}
    for hook, function, options in _functions(item):
        where = function_place(function)
        if hook not in RECORDS:
            match = closest(hook, RECORDS) or closest(f"{PREFIX}{hook}", RECORDS)
            hint = f"did you mean {match}?" if match else f"hooks are {', '.join(RECORDS)}"
            raise HookProblem(f"there is no hook {hook}{where}; {hint}")
        if options is None:
            raise HookProblem(f"{hook} lacks the marker{where}; write @hookimpl above it (agentrelay_core.hookimpl)")
        if options.get("wrapper") or options.get("hookwrapper"):
            raise HookProblem(f"{hook} is a wrapper{where}; hooks only declare: write @hookimpl without arguments")
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise HookProblem(f"{hook} is async{where}; hooks only declare: write `def {hook}()`")
        unknown = [name for name, parameter in _parameters(item, function) if parameter.default is parameter.empty]
        if unknown:
            raise HookProblem(
                f"{hook} takes {', '.join(unknown)}{where}, which the hook does not have; write `def {hook}()`"
            )
        found[hook] = function
    return found


def _functions(item: object) -> list[tuple[str, Callable[..., Any], dict[str, Any] | None]]:
    """Hook name, function and marker's options of all that is marked as a hook, or is called like one."""
    found: list[tuple[str, Callable[..., Any], dict[str, Any] | None]] = []
    for name in dir(item):
        static = inspect.getattr_static(item, name, None)
        function = static.__func__ if isinstance(static, staticmethod | classmethod) else static
        if not inspect.isroutine(function):
            continue
        options = getattr(static, MARK, None) or getattr(function, MARK, None)
        if options is not None or name.startswith(PREFIX):
            found.append(((options or {}).get("specname") or name, function, options))
    return found


def _parameters(item: object, function: Callable[..., Any]) -> list[tuple[str, inspect.Parameter]]:
    parameters = list(inspect.signature(function).parameters.items())
    is_method = not inspect.ismodule(item) and "." in function.__qualname__ and parameters[:1]
    bound = is_method and parameters[0][0] in ("self", "cls")
    return parameters[1:] if bound else parameters
