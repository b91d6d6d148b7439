"""Claude Code as an agent, and tmux windows to run any agent in, declared as a plugin.

Nothing is imported before it is needed: asking what this plugin provides costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentrelay_core.hooks import EnvironmentType, FrameworkType, Provider, hookimpl
from agentrelay_core.lazy import lazy_names
from agentrelay_tmux_claude.claude.options import ClaudeOptions
from agentrelay_tmux_claude.tmux.environment import TmuxEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentrelay_core.hooks import EnvironmentHost, Framework, RunInfo, StepContext
    from agentrelay_core.hooks.doctor import Finding
    from agentrelay_core.spec import TaskGraph
    from agentrelay_core.task_runner import TaskCompletionChecker, TaskKickoff, TaskLauncher
    from agentrelay_core.task_runner.repairs import EnvironmentRepairs
    from agentrelay_tmux_claude.tmux.delivery import deliver as deliver
    from agentrelay_tmux_claude.tmux.errors import KickoffError as KickoffError
    from agentrelay_tmux_claude.tmux.host import TmuxHost as TmuxHost

# For those who build a step of their own for agents in a terminal.
__getattr__, __all__ = lazy_names(
    __name__,
    {
        "agentrelay_tmux_claude.tmux.delivery": "deliver",
        "agentrelay_tmux_claude.tmux.environment": "TmuxEnvironment",
        "agentrelay_tmux_claude.tmux.errors": "KickoffError",
        "agentrelay_tmux_claude.tmux.host": "TmuxHost",
    },
)


@hookimpl
def agentrelay_environments() -> Iterable[EnvironmentType]:
    """``tmux``: a window in tmux."""
    yield EnvironmentType(
        name="tmux",
        cls=TmuxEnvironment,
        host=_tmux_host,
        honours=("tmux_session",),
        needs=("tmux",),
        findings=_tmux_findings,
        obstacles=_tmux_obstacles,
        repairs=_tmux_repairs,
    )


@hookimpl
def agentrelay_frameworks() -> Iterable[FrameworkType]:
    """``claude_code``: Claude Code."""
    yield FrameworkType(
        name="claude_code",
        cls=_claude_framework,
        default_environment="tmux",
        options=ClaudeOptions,
        honours=("model", "tools", "anthropic_credential"),
        needs=("claude",),
        findings=_claude_findings,
        obstacles=_claude_obstacles,
        protocol_files=("turn-*.md", "claude-events/*"),
    )


@hookimpl
def agentrelay_task_launcher() -> Iterable[Provider[TaskLauncher]]:
    """Starts Claude Code: a session of turns without a terminal, or one in a window of tmux."""
    yield Provider(framework="claude_code", factory=_claude_launcher)
    yield Provider(framework="claude_code", environment=TmuxEnvironment, factory=_tmux_launcher)


@hookimpl
def agentrelay_task_kickoff() -> Iterable[Provider[TaskKickoff]]:
    """Knows that Claude Code in tmux has its instructions."""
    yield Provider(framework="claude_code", environment=TmuxEnvironment, factory=_tmux_kickoff)


@hookimpl
def agentrelay_task_completion_checker() -> Iterable[Provider[TaskCompletionChecker]]:
    """Reads how Claude Code's turns end."""
    yield Provider(framework="claude_code", factory=_claude_checker)
    yield Provider(framework="claude_code", environment=TmuxEnvironment, factory=_tmux_checker)


def _tmux_host(environment: TmuxEnvironment) -> EnvironmentHost:
    from agentrelay_tmux_claude.tmux.host import TmuxHost

    return TmuxHost(environment)


def _tmux_findings() -> Iterable[Finding]:
    from agentrelay_tmux_claude.tmux.doctor import findings

    return findings()


def _tmux_obstacles(graph: TaskGraph) -> Iterable[str]:
    from agentrelay_tmux_claude.tmux.obstacles import obstacles

    return obstacles(graph)


def _tmux_repairs(run: RunInfo) -> EnvironmentRepairs:
    from agentrelay_tmux_claude.tmux.repairs import TmuxRepairs

    return TmuxRepairs(run)


def _claude_framework() -> Framework:
    from agentrelay_tmux_claude.claude.framework import ClaudeFramework

    return ClaudeFramework()


def _claude_findings() -> Iterable[Finding]:
    from agentrelay_tmux_claude.claude.doctor import findings

    return findings()


def _claude_obstacles(graph: TaskGraph) -> Iterable[str]:
    from agentrelay_tmux_claude.claude.credential import obstacles

    return obstacles(graph)


def _claude_launcher(context: StepContext) -> TaskLauncher:
    from agentrelay_tmux_claude.claude.turns import ClaudeLauncher

    return ClaudeLauncher(context)


def _claude_checker(context: StepContext) -> TaskCompletionChecker:
    from agentrelay_tmux_claude.claude.checker import ClaudeCompletionChecker

    return ClaudeCompletionChecker(context)


def _tmux_launcher(context: StepContext) -> TaskLauncher:
    from agentrelay_tmux_claude.claude.terminal import TmuxTaskLauncher

    return TmuxTaskLauncher(context)


def _tmux_kickoff(context: StepContext) -> TaskKickoff:
    from agentrelay_tmux_claude.claude.terminal_kickoff import TmuxTaskKickoff

    return TmuxTaskKickoff(context)


def _tmux_checker(context: StepContext) -> TaskCompletionChecker:
    from agentrelay_tmux_claude.claude.terminal_checker import TmuxCompletionChecker

    return TmuxCompletionChecker(context)
