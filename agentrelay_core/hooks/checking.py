"""Whether the records that a plugin declares are what the hook asks for.

A wrong record is found when the plugin is asked, not in the middle of a task, and the message says what stands there
and what would be right.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from agentrelay_core.hooks.pins import pin_key, provider_key
from agentrelay_core.hooks.records import EnvironmentType, ForgeProvider, FrameworkType, Provider, WorkspaceProvider
from agentrelay_core.hooks.specs import RECORDS
from agentrelay_core.spec import AgentEnvironment
from agentrelay_core.task_runner import ANY


def record_problem(hook: str, record: Any) -> str | None:
    """Say what is wrong with one record of a hook.

    Args:
        hook: The hook's name.
        record: What the plugin declared.

    Returns:
        A clause that follows the hook's name ("gave …"), or `None` when the record is good.
    """
    due = RECORDS[hook]
    if not isinstance(record, due):
        hint = f"; due are records of type {due.__name__}"
        return f"gave {_shown(record)}{hint}"
    for field, is_right, right in _RULES[due]:
        value = getattr(record, field)
        if not is_right(value):
            return f"gave a {due.__name__} whose {field} is {_shown(value)}; due is {right}"
    return None


def doubled(records: Mapping[str, Iterable[Any]]) -> str | None:
    """Say which key one plugin provides twice, so that nothing could choose between the two; `None` if none."""
    for hook, given in records.items():
        seen: set[Any] = set()
        for record in given:
            key = provider_key(record) if isinstance(record, Provider) else pin_key(hook, record)
            if key in seen:
                return f"{hook} gave {pin_key(hook, record)} twice; due is one record for each key"
            seen.add(key)
    return None


def _shown(value: Any) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and ":" not in value and not any(sign.isspace() for sign in value)


def _is_own_name(value: Any) -> bool:
    return _is_name(value) and value != ANY


def _is_environment(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, AgentEnvironment)


def _is_own_environment(value: Any) -> bool:
    return _is_environment(value) and value is not AgentEnvironment


def _is_options(value: Any) -> bool:
    return value is None or (isinstance(value, type) and "__attrs_attrs__" in vars(value))


def _are_names(value: Any) -> bool:
    return all(isinstance(item, str) and item for item in value)


_Rule = tuple[str, Callable[[Any], bool], str]
_NAME: _Rule = ("name", _is_own_name, "a word without spaces and colons")
_FACTORY: _Rule = ("factory", callable, "a function")
_NEEDS: _Rule = ("needs", _are_names, "a tuple of programs' names")
_HONOURS: _Rule = ("honours", _are_names, "a tuple of graph keys")
_SUBCLASS = "a subclass of AgentEnvironment"
_RULES: dict[type, tuple[_Rule, ...]] = {
    Provider: (
        _FACTORY,
        ("framework", _is_name, "a framework's name, or ANY"),
        ("environment", _is_environment, _SUBCLASS),
        _NEEDS,
    ),
    EnvironmentType: (
        _NAME,
        ("cls", _is_own_environment, _SUBCLASS),
        ("host", callable, "a function"),
        _HONOURS,
        _NEEDS,
    ),
    FrameworkType: (
        _NAME,
        ("cls", callable, "a class or function that takes no arguments"),
        ("default_environment", _is_own_name, "an environment's name"),
        ("options", _is_options, "an attrs class, or None"),
        _HONOURS,
        _NEEDS,
    ),
    WorkspaceProvider: (_NAME, _FACTORY, _HONOURS, _NEEDS),
    ForgeProvider: (_NAME, ("recognises", callable, "a function"), _FACTORY, _NEEDS),
}
