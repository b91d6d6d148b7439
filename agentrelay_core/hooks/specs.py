"""The ten hooks, all of which return records. A plugin implements those it needs; each is asked once."""

from collections.abc import Iterable
from typing import Final

import pluggy

from agentrelay_core.hooks.records import (
    EnvironmentType,
    ForgeProvider,
    FrameworkType,
    Provider,
    WorkspaceProvider,
)
from agentrelay_core.task_runner import (
    TaskCompletionChecker,
    TaskKickoff,
    TaskLauncher,
    TaskMerger,
    TaskPreparer,
    TaskTeardown,
)

PROJECT: Final = "agentrelay"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def agentrelay_task_preparer() -> Iterable[Provider[TaskPreparer]]:
    """Steps that make a task's branch, worktree and protocol files."""
    return ()


@hookspec
def agentrelay_task_launcher() -> Iterable[Provider[TaskLauncher]]:
    """Steps that start a task's agent."""
    return ()


@hookspec
def agentrelay_task_kickoff() -> Iterable[Provider[TaskKickoff]]:
    """Steps that give an agent its instructions."""
    return ()


@hookspec
def agentrelay_task_completion_checker() -> Iterable[Provider[TaskCompletionChecker]]:
    """Steps that wait for the end of an agent's work."""
    return ()


@hookspec
def agentrelay_task_merger() -> Iterable[Provider[TaskMerger]]:
    """Steps that merge a task's pull request."""
    return ()


@hookspec
def agentrelay_task_teardown() -> Iterable[Provider[TaskTeardown]]:
    """Steps that end what is left of a task."""
    return ()


@hookspec
def agentrelay_environments() -> Iterable[EnvironmentType]:
    """Places where programs run."""
    return ()


@hookspec
def agentrelay_frameworks() -> Iterable[FrameworkType]:
    """Kinds of agents."""
    return ()


@hookspec
def agentrelay_workspace() -> Iterable[WorkspaceProvider]:
    """Kinds of repositories that runs can work in."""
    return ()


@hookspec
def agentrelay_forges() -> Iterable[ForgeProvider]:
    """Kinds of forges, where pull requests live."""
    return ()
