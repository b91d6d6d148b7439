"""Import a plugin and ask its hooks, in quarantine: whatever it does wrong becomes a reason, never a crash.

Each plugin is asked by a pluggy manager of its own, each hook once, and its records count all together or not at all,
so that a broken plugin can neither half-register nor take another one down.
"""

import inspect
from collections.abc import Callable, Collection, Iterable, Sequence
from importlib import import_module
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

import attrs
import pluggy

from agentrelay_core.hooks import specs
from agentrelay_core.hooks.blame import function_place, place, raise_interrupt
from agentrelay_core.hooks.checking import doubled, record_problem
from agentrelay_core.hooks.deprecation import deprecations
from agentrelay_core.hooks.discovery import GROUP, Candidate
from agentrelay_core.hooks.marks import Found, HookProblem, find, implemented, intended
from agentrelay_core.hooks.plugins import Plugin, PluginReport
from agentrelay_core.hooks.specs import PROJECT, RECORDS

# More records than any plugin has; a generator that never ends is stopped here.
MOST_RECORDS: Final = 1000
_MEND: Final = 'Repair or upgrade it (`pip install --upgrade {name}`), or disable it: [plugins] disable = ["{name}"]'


def load(candidate: Candidate, core_version: str = "") -> Plugin:
    """Import a candidate and ask it what it provides.

    Args:
        candidate: A distribution that declares a plugin.
        core_version: The version of agentrelay-core that runs; empty when it is not known.

    Returns:
        The plugin: active with all of its records, or incompatible or broken with a reason and none.
    """
    report = _report(candidate)
    if candidate.problem:
        return _unusable(report, "broken", candidate.problem)
    if not candidate.entry_points:
        groups = ", ".join(candidate.other_groups)
        reason = f"it is made for another version of the contract: its entry points are in {groups}; due is {GROUP}"
        return _unusable(report, "incompatible", reason)
    if _older(core_version, candidate.requires_core):
        reason = f"it requires agentrelay-core {candidate.requires_core} or newer; this is {core_version}"
        return _unusable(report, "incompatible", reason, mend="pip install --upgrade agentrelay-core")
    objects = []
    for _, value in candidate.entry_points:
        try:
            objects.append(resolve(value))
        except BaseException as error:
            raise_interrupt(error)
            return _import_failed(report, value, error, core_version)
    plugin = register(report, objects)
    if plugin.active and candidate.other_groups:
        note = f"also has entry points in {', '.join(candidate.other_groups)}, which this version does not use"
        note = "; ".join(filter(None, (plugin.report.reason, note)))
        return attrs.evolve(plugin, report=attrs.evolve(plugin.report, reason=note))
    return plugin


def disabled(candidate: Candidate) -> Plugin:
    """A candidate that the configuration disables; it is not imported."""
    name = candidate.name
    report = attrs.evolve(
        _report(candidate),
        status="disabled",
        reason="disabled by the configuration: [plugins] disable",
        mend=f'To use it, take "{name}" out of [plugins] disable, or run `agentrelay plugins enable {name}`',
    )
    return Plugin(report=report)


def register(report: PluginReport, objects: Sequence[object]) -> Plugin:
    """Ask modules or objects with hook implementations, which together are one plugin, for their records.

    Args:
        report: Who the plugin is.
        objects: What to ask.

    Returns:
        The plugin: active with all records, or broken with a reason and none.
    """
    hooks: frozenset[str] | None = None  # not known until the objects could be looked at
    try:
        found = {id(item): (item, find(item)) for item in objects}
        hooks = frozenset().union(*(intended(functions) for _, functions in found.values()))
        records = {hook: tuple(given) for hook, given in _ask(found.values()).items()}
        problem = doubled(records)
        if problem:
            raise HookProblem(problem)
    except HookProblem as error:
        return attrs.evolve(_unusable(report, "broken", str(error)), hooks=hooks)
    except BaseException as error:
        raise_interrupt(error)
        return attrs.evolve(_unusable(report, "broken", f"{_said(error)}{place(error)}"), hooks=hooks)
    note = "; ".join(deprecations(function for _, functions in found.values() for function in functions))
    if not hooks:
        note = "it implements none of the hooks"
    return Plugin(report=attrs.evolve(report, reason=note), records=MappingProxyType(records), hooks=hooks)


class _Manager(pluggy.PluginManager):
    """Looks only at what can be a hook; pluggy alone would inspect every attribute of every module."""

    def __init__(self, attributes: Collection[str]) -> None:
        super().__init__(PROJECT)
        self._attributes = attributes
        self.add_hookspecs(specs)

    def parse_hookspec_opts(self, module_or_class: Any, name: str) -> Any:
        return super().parse_hookspec_opts(module_or_class, name) if name in RECORDS else None

    def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
        return super().parse_hookimpl_opts(plugin, name) if name in self._attributes else None


def _ask(found: Iterable[tuple[object, tuple[Found, ...]]]) -> dict[str, list[Any]]:
    found = list(found)
    manager = _Manager({function.attribute for _, given in found for function in given})
    functions: dict[str, Callable[..., Any]] = {}
    for item, given in found:
        functions.update(implemented(given))
        try:
            manager.register(item)
        except pluggy.PluginValidationError as error:
            raise HookProblem(" ".join(str(error).split())) from None
    return {hook: _records(hook, functions[hook], manager) for hook in RECORDS if hook in functions}


def _records(hook: str, function: Callable[..., Any], manager: pluggy.PluginManager) -> list[Any]:
    """Ask one hook, once."""
    where = function_place(function)
    due = f"an iterable of {RECORDS[hook].__name__} records"
    caller: pluggy.HookCaller = getattr(manager.hook, hook)
    try:
        answers = caller()
    except BaseException as error:
        raise_interrupt(error)
        raise HookProblem(f"{hook} raised {_said(error)}{place(error) or where}; due is {due}") from None
    if len(answers) < len(caller.get_hookimpls()):  # pluggy leaves out every None
        raise HookProblem(f"{hook} returned None{where}; due is {due}: yield them, or return a list")
    found: list[Any] = []
    for answer in answers:
        if isinstance(answer, RECORDS[hook]):
            raise HookProblem(f"{hook} returned one record{where}; due is {due}: yield it, or return a list with it")
        try:
            given = list(islice(answer, MOST_RECORDS + 1))
        except BaseException as error:
            raise_interrupt(error)
            if isinstance(error, TypeError) and not hasattr(answer, "__iter__"):
                if inspect.iscoroutine(answer):
                    answer.close()
                raise HookProblem(f"{hook} returned {type(answer).__name__}{where}; due is {due}") from None
            raise HookProblem(f"{hook} raised {_said(error)}{place(error) or where}; due is {due}") from None
        if len(given) > MOST_RECORDS:
            raise HookProblem(f"{hook} gave more than {MOST_RECORDS} records{where}")
        for record in given:
            problem = record_problem(hook, record)
            if problem:
                raise HookProblem(f"{hook} {problem}{where}")
        found += given
    return found


def resolve(value: str) -> object:
    """What an entry point names: a module, or an attribute of one.

    Args:
        value: ``module`` or ``module:attribute``.

    Raises:
        Exception: Whatever importing it raises.
    """
    module, _, path = value.partition("[")[0].partition(":")
    item: object = import_module(module.strip())
    for name in filter(None, path.strip().split(".")):
        item = getattr(item, name)
    if item is None:
        raise TypeError(f"{value} is None; due is a module, or an object with hooks")
    return item


def _import_failed(report: PluginReport, value: str, error: BaseException, core_version: str) -> Plugin:
    reason = f"importing {value} raised {_said(error)}{place(error)}"
    if isinstance(error, ImportError) and (error.name or "").partition(".")[0] == "agentrelay_core":
        running = f"agentrelay-core {core_version}".strip()
        reason = f"it is made for another version of agentrelay-core than this ({running}): {reason}"
        return _unusable(report, "incompatible", reason)
    return _unusable(report, "broken", reason)


def _report(candidate: Candidate) -> PluginReport:
    points = ", ".join(name for name, _ in candidate.entry_points)
    return PluginReport(name=candidate.name, version=candidate.version, entry_point=points)


def _unusable(report: PluginReport, status: Any, reason: str, mend: str = "") -> Plugin:
    mend = mend or _MEND.format(name=report.name)
    return Plugin(report=attrs.evolve(report, status=status, reason=f"{report.title}: {reason}", mend=mend))


def _said(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _older(running: str, required: str) -> bool:
    """Whether a version is surely lower than another; what cannot be read as numbers is not."""
    try:
        return bool(running and required) and _numbers(running) < _numbers(required)
    except ValueError:
        return False


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
