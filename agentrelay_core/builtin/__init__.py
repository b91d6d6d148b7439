"""The embedded default: any command as the agent, in a local process. A plugin like anyone's, by the same hooks.

Only records are made here; each factory imports its implementation on first use, so that asking costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agentrelay_core.builtin.environment import ProcessEnvironment
from agentrelay_core.builtin.options import CommandOptions
from agentrelay_core.hooks import EnvironmentType, FrameworkType, Provider
from agentrelay_core.hooks import hookimpl as hookimpl

if TYPE_CHECKING:
    from agentrelay_core.builtin.checker import ComposedCompletionChecker
    from agentrelay_core.builtin.kickoff import ComposedKickoff
    from agentrelay_core.builtin.launcher import ComposedLauncher
    from agentrelay_core.hooks import EnvironmentHost, Framework, StepContext
    from agentrelay_core.spec import AgentEnvironment


@hookimpl
def agentrelay_environments() -> Iterator[EnvironmentType]:
    """``process``: a program on this machine."""
    yield EnvironmentType(name="process", cls=ProcessEnvironment, host=_process_host)


@hookimpl
def agentrelay_frameworks() -> Iterator[FrameworkType]:
    """``command``: any program, told what to do on its standard input."""
    yield FrameworkType(name="command", cls=_command_framework, default_environment="process", options=CommandOptions)


@hookimpl
def agentrelay_task_launcher() -> Iterator[Provider[ComposedLauncher]]:
    """Starts any framework's command in any environment's host."""
    yield Provider(factory=_launcher)


@hookimpl
def agentrelay_task_kickoff() -> Iterator[Provider[ComposedKickoff]]:
    """Hands an agent its instructions in the agent's own way."""
    yield Provider(factory=_kickoff)


@hookimpl
def agentrelay_task_completion_checker() -> Iterator[Provider[ComposedCompletionChecker]]:
    """Joins signal files with the end of the agent's program."""
    yield Provider(factory=_completion_checker)


def _process_host(environment: AgentEnvironment) -> EnvironmentHost:
    from agentrelay_core.builtin.host import ProcessHost

    limit = environment.memory_mib_per_process if isinstance(environment, ProcessEnvironment) else None
    return ProcessHost(memory_mib_per_process=limit)


def _command_framework() -> Framework:
    from agentrelay_core.builtin.framework import CommandFramework

    return CommandFramework()


def _launcher(context: StepContext) -> ComposedLauncher:
    from agentrelay_core.builtin.launcher import ComposedLauncher

    return ComposedLauncher(context)


def _kickoff(context: StepContext) -> ComposedKickoff:
    from agentrelay_core.builtin.kickoff import ComposedKickoff

    return ComposedKickoff()


def _completion_checker(context: StepContext) -> ComposedCompletionChecker:
    from agentrelay_core.builtin.checker import ComposedCompletionChecker

    return ComposedCompletionChecker(context)
