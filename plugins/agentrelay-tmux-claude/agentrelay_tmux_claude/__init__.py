"""Claude Code as an agent, and tmux windows to run any agent in, declared as a plugin.

Nothing is imported before it is needed: asking what this plugin provides costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentrelay_core.hooks import EnvironmentType, hookimpl
from agentrelay_core.lazy import lazy_names
from agentrelay_tmux_claude.tmux.environment import TmuxEnvironment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agentrelay_core.hooks import EnvironmentHost
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
    yield EnvironmentType(name="tmux", cls=TmuxEnvironment, host=_tmux_host, honours=("tmux_session",), needs=("tmux",))


def _tmux_host(environment: TmuxEnvironment) -> EnvironmentHost:
    from agentrelay_tmux_claude.tmux.host import TmuxHost

    return TmuxHost(environment)
