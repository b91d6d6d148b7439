"""The environment ``tmux`` as a graph names it: data alone, so that reading a graph starts nothing."""

import re
from typing import Any

import attrs

from agentrelay_core.builtin.environment import sensible
from agentrelay_core.spec import AgentEnvironment

# What neither a target nor a format of tmux gives a meaning to.
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")


def session_name(value: str) -> str:
    """Check the name of a session.

    Raises:
        ValueError: tmux would take it for something else.
    """
    if not _SAFE.fullmatch(value):
        raise ValueError(
            f"due is the name of a tmux session, of letters, digits, '_' and '-' (64 at most), not {value!r}"
        )
    return value


def _optional_name(instance: Any, attribute: "attrs.Attribute[str | None]", value: Any) -> None:
    if value is not None:
        session_name(str(value))


@attrs.frozen(kw_only=True)
class TmuxEnvironment(AgentEnvironment):
    """The agent runs in a window of tmux that is named after its task. ``environment: tmux`` in a graph file.

    Args:
        session: A session of your own tmux server, made where it is missing; `None` means the run's ``tmux_session``,
            and without that a server that the run has for itself.
        memory_mib_per_process: MiB of memory of its own that each of the agent's processes may have; `None` leaves
            that to the machine.
    """

    session: str | None = attrs.field(default=None, validator=_optional_name)
    memory_mib_per_process: int | None = attrs.field(default=None, validator=sensible)
