"""Which implementation of a step serves a task: a table keyed by framework and environment.

A lookup tries the exact key; the same framework with the environment's base classes, nearest first; any framework with
the environment and its base classes; the default. It is resolved once per key and remembered, so that it costs no more
than a dictionary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from types import FunctionType, MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar

from agentrelay_core.spec import AgentEnvironment

if TYPE_CHECKING:
    from agentrelay_core.runtime import TaskRuntime

ANY: Final = "*"

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Key: TypeAlias = tuple[str, type[AgentEnvironment]]
# An error is a value until someone needs its key: two providers for one key stand here as the conflict between them.
Entry: TypeAlias = "Callable[[TaskRuntime], T] | Exception"


class NoImplementationError(KeyError):
    """No entry of a table serves a key. Reads as a sentence, where a bare `KeyError` shows a repr."""

    def __str__(self) -> str:
        return str(self.args[0])


class StepDispatch(Generic[T_co]):
    """An immutable table from ``(framework, environment type)`` to factories of one step.

    Args:
        entries: Factories by key; a factory takes the runtime. An exception in a factory's place is raised when a task
            needs that key.
        default: Factory for every key that has no entry.
        step: What the step is called in messages, for example ``task_launcher``.
        suspects: Sentences about installed plugins that are broken and might have provided a missing key.
    """

    __slots__ = ("_default", "_entries", "_resolved", "_step", "_suspects")

    def __init__(
        self,
        entries: Mapping[Key, Entry[T_co]] | None = None,
        default: Callable[[TaskRuntime], T_co] | None = None,
        *,
        step: str = "",
        suspects: Iterable[str] = (),
    ) -> None:
        plain = {(_plain(framework), environment): entry for (framework, environment), entry in (entries or {}).items()}
        self._entries: Mapping[Key, Entry[T_co]] = MappingProxyType(plain)
        self._default = default
        self._step = step
        self._suspects = tuple(suspects)
        self._resolved: dict[Key, Callable[[TaskRuntime], T_co]] = {}

    @property
    def entries(self) -> Mapping[Key, Entry[T_co]]:
        """The table, read-only."""
        return self._entries

    @property
    def default(self) -> Callable[[TaskRuntime], T_co] | None:
        """The factory for keys without an entry."""
        return self._default

    def __call__(self, runtime: TaskRuntime) -> T_co:
        """Make the step for a task.

        Args:
            runtime: The task; its agent's framework and its environment's type are the key.

        Returns:
            What the factory returns.

        Raises:
            NoImplementationError: Nothing serves the key.
        """
        agent = runtime.task.primary_agent
        make = self._resolved.get((agent.framework, type(agent.environment)))
        if make is None:
            make = self.resolve(agent.framework, type(agent.environment))
        return make(runtime)

    def provider(self, runtime: TaskRuntime) -> str | None:
        """Name and version of the plugin whose factory serves a task, `None` where that is not known."""
        agent = runtime.task.primary_agent
        key = agent.framework, type(agent.environment)
        return getattr(self.resolve(*key), "provider", None) if key in self._resolved else None

    def resolve(self, framework: str, environment: type[AgentEnvironment]) -> Callable[[TaskRuntime], T_co]:
        """Find the factory for a key without calling it.

        Args:
            framework: The framework's slug.
            environment: The environment's type.

        Raises:
            NoImplementationError: Nothing serves the key.
            Exception: The error that stands in the key's place, for example a conflict of two plugins.
        """
        for key in lookup_order(framework, environment):
            entry = self._entries.get(key)
            if isinstance(entry, Exception):
                raise entry
            if entry is not None:
                break
        else:
            if self._default is None:
                raise NoImplementationError(self._miss(framework, environment))
            entry = self._default
        self._resolved[framework, environment] = _quick_to_call(entry)
        return entry

    def _miss(self, framework: str, environment: type[AgentEnvironment]) -> str:
        step = f" as {self._step}" if self._step else ""
        keys = sorted(f"({name}, {kind.__name__})" for name, kind in self._entries)
        provided = f"Provided are: {', '.join(keys)}." if keys else "Nothing is provided."
        asked = f"({_plain(framework)}, {environment.__name__})"
        return " ".join((f"No implementation registered for {asked}{step}.", provided, *self._suspects))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StepDispatch):
            return NotImplemented
        return self._entries == other._entries and self._default == other._default  # its own class

    def __hash__(self) -> int:
        return hash((frozenset(self._entries.items()), self._default))

    def __repr__(self) -> str:
        keys = ", ".join(f"({name}, {kind.__name__})" for name, kind in self._entries)
        return f"<StepDispatch {self._step} {keys} default={self._default is not None}>"


def lookup_order(framework: str, environment: type[AgentEnvironment]) -> Iterable[Key]:
    """The keys that are tried for a task, in order.

    Args:
        framework: The framework's slug.
        environment: The environment's type.
    """
    bases = [kind for kind in environment.__mro__ if isinstance(kind, type) and issubclass(kind, AgentEnvironment)]
    for name in (framework, ANY):
        for kind in bases:
            yield name, kind


def _plain(framework: Any) -> str:
    return str(framework.value) if isinstance(framework, Enum) else framework


def _quick_to_call(factory: Any) -> Any:
    """The method of an object that can be called, which costs half of what a call of the object does."""
    return factory if isinstance(factory, FunctionType) else factory.__call__
