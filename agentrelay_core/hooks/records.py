"""The small typed records that hooks return: hooks declare, steps act.

All are frozen, keyword-only and grow fields without breaking a plugin. A factory imports what it needs inside itself,
so that asking a plugin what it provides imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import attrs

from agentrelay_core.spec.environment import AgentEnvironment
from agentrelay_core.task_runner.dispatch import ANY

if TYPE_CHECKING:
    from pathlib import Path

    from agentrelay_core.hooks.contexts import EnvironmentHost, Forge, Framework, RunInfo, StepContext
    from agentrelay_core.hooks.doctor import Finding
    from agentrelay_core.spec import RunSettings, TaskGraph
    from agentrelay_core.task_runner import Workspace
    from agentrelay_core.task_runner.repairs import EnvironmentRepairs

T_co = TypeVar("T_co", covariant=True)


def names_of(value: Sequence[str]) -> tuple[str, ...]:
    """Convert names to a tuple (an attrs converter); a string alone, which would become its letters, is refused."""
    if isinstance(value, str):
        raise TypeError(f"expected a tuple of names, got the string {value!r}; write ({value!r},)")
    return tuple(value)


@attrs.frozen(kw_only=True)
class Provider(Generic[T_co]):
    """One implementation of one step, for one key.

    Args:
        factory: Makes the step for a task.
        framework: The framework's slug; the default means any.
        environment: The environment's type; the base class means anywhere.
        needs: Programs that must be on PATH.
    """

    factory: Callable[[StepContext], T_co]
    framework: str = ANY
    environment: type[AgentEnvironment] = AgentEnvironment
    needs: tuple[str, ...] = attrs.field(default=(), converter=names_of)


@attrs.frozen(kw_only=True)
class EnvironmentType:
    """An environment: a place where programs run.

    Args:
        name: What graph files call it.
        cls: Its data class; the fields are the keys of ``environment:``.
        host: Makes the host for an environment.
        honours: Graph keys that it acts on beyond those of the core.
        needs: Programs that must be on PATH.
        findings: Looks at the machine for ``agentrelay doctor``; `None` where there is nothing to look at.
        obstacles: Given a graph that uses it, with the settings in force, says what keeps it from running here, a
            sentence each; a `ValueError` is a mistake in the graph. Asked before the first task; it starts nothing.
        repairs: Finds what a graph's runs left in it, for ``agentrelay clean``; `None` where nothing is left.
    """

    name: str
    cls: type[AgentEnvironment]
    host: Callable[[Any], EnvironmentHost]
    honours: tuple[str, ...] = attrs.field(default=(), converter=names_of)
    needs: tuple[str, ...] = attrs.field(default=(), converter=names_of)
    findings: Callable[[], Iterable[Finding]] | None = None
    obstacles: Callable[[TaskGraph], Iterable[str]] | None = None
    repairs: Callable[[RunInfo], EnvironmentRepairs] | None = None


@attrs.frozen(kw_only=True)
class FrameworkType:
    """A framework: a kind of agent.

    Args:
        name: What graph files call it.
        cls: Called without arguments, gives a `Framework`.
        default_environment: Name of the environment of agents that name none.
        options: attrs class of its options, `None` for a framework without.
        honours: Graph keys that it acts on beyond those of the core.
        needs: Programs that must be on PATH.
        findings: Looks at the machine for ``agentrelay doctor``; `None` where there is nothing to look at.
        obstacles: Given a graph that uses it, with the settings in force, says what keeps it from running here, a
            sentence each; a `ValueError` is a mistake in the graph. Asked before the first task; it starts nothing.
        protocol_files: Patterns of files that it has in an attempt's directory beside those of the protocol, relative
            to that, for example ``notes/*.json``; `agentrelay clean` removes them with it.
    """

    name: str
    cls: Callable[[], Framework]
    default_environment: str
    options: type | None = None
    honours: tuple[str, ...] = attrs.field(default=(), converter=names_of)
    needs: tuple[str, ...] = attrs.field(default=(), converter=names_of)
    findings: Callable[[], Iterable[Finding]] | None = None
    obstacles: Callable[[TaskGraph], Iterable[str]] | None = None
    protocol_files: tuple[str, ...] = attrs.field(default=(), converter=names_of)


@attrs.frozen(kw_only=True)
class WorkspaceProvider:
    """A kind of repository that runs can work in.

    Args:
        name: For messages.
        factory: Makes the workspace of a run.
        honours: Graph keys that it acts on beyond those of the core.
        needs: Programs that must be on PATH.
    """

    name: str
    factory: Callable[[RunInfo], Workspace]
    honours: tuple[str, ...] = attrs.field(default=(), converter=names_of)
    needs: tuple[str, ...] = attrs.field(default=(), converter=names_of)


@attrs.frozen(kw_only=True)
class ForgeProvider:
    """A kind of forge, chosen by name.

    Args:
        name: What ``forge:`` calls it.
        recognises: Whether a remote's URL is this forge's, for ``forge: auto``; it may ask a program of ``needs``.
        factory: Makes the forge of a run.
        needs: Programs that must be on PATH.
        findings: Looks at a repository for ``agentrelay doctor``, by its path and the settings of a run: the remote,
            the login, what a run would do with them; `None` where there is nothing to look at.
        has_server: Whether its pull requests live on a server, so that the forge cannot be checked without one.
    """

    name: str
    recognises: Callable[[str], bool]
    factory: Callable[[RunInfo], Forge]
    needs: tuple[str, ...] = attrs.field(default=(), converter=names_of)
    findings: Callable[[Path, RunSettings], Iterable[Finding]] | None = None
    has_server: bool = False
