"""What a graph says of an agent of the framework ``claude_code``; what it may do is never left to a silent default."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

PERMISSIONS: Final[Mapping[str, str]] = {
    "ask": "default",
    "deny": "dontAsk",
    "accept_edits": "acceptEdits",
    "bypass": "bypassPermissions",
}
"""Claude Code's own permission mode by the option's value."""


def _permissions(value: Any) -> str:
    if value in PERMISSIONS:
        return str(value)
    raise ValueError(f"due is one of {', '.join(PERMISSIONS)}, not {value!r}")


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(isinstance(text, str) and text for text in value):
        return tuple(value)
    raise ValueError(f"due is a list of texts, not {value!r}")


def _count(value: Any) -> int | None:
    if value is None or (type(value) is int and value > 0):
        return value
    raise ValueError(f"due is a whole number above 0, not {value!r}")


def _amount(value: Any) -> float | None:
    if value is None or (type(value) in (int, float) and value > 0):
        return None if value is None else float(value)
    raise ValueError(f"due is a number above 0, not {value!r}")


@attrs.frozen(kw_only=True)
class ClaudeOptions:
    """Options of the framework ``claude_code``.

    Args:
        permissions: What the agent may do besides its ``allowed_tools``. ``deny`` refuses it and lets the agent go on;
            ``accept_edits`` does so too, but for edits in its worktree; ``ask`` waits for a person; ``bypass`` allows
            everything.
        allowed_tools: Tools that need no permission, in Claude Code's own notation: ``Edit``, ``Bash(git *)``.
        disallowed_tools: Tools that the agent does not have.
        max_turns: Most model turns in one go, `None` for no limit; without a terminal alone.
        max_budget_usd: Most that one go may cost, in US dollars; without a terminal alone.
        answer_within: Seconds that a person is given to answer a question in the terminal; then the task is parked.
    """

    permissions: str = attrs.field(converter=_permissions)
    allowed_tools: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    disallowed_tools: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    max_turns: int | None = attrs.field(default=None, converter=_count)
    max_budget_usd: float | None = attrs.field(default=None, converter=_amount)
    answer_within: float | None = attrs.field(default=3600.0, converter=_amount)
