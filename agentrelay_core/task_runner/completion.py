"""How an attempt ended, as a completion checker tells it."""

from collections.abc import Iterable
from typing import Literal

import attrs

# How an attempt ended (truth.md §1); what the outcome alone does not tell apart.
Ended = Literal["done", "failed", "died", "hung"]


def _concerns(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(value)


@attrs.frozen
class TaskCompletionSignal:
    """A terminal signal.

    Args:
        outcome: ``done`` or ``failed``; an agent that died or hung arrives as ``failed``.
        pr_url: URL of the pull request that the agent opened: a hint.
        error: Why it failed.
        concerns: What the agent wants people to know.
        ended: How the attempt ended, where the checker knows more than the outcome says.
    """

    outcome: Literal["done", "failed"] = attrs.field(validator=attrs.validators.in_(("done", "failed")))
    pr_url: str | None = None
    error: str | None = None
    concerns: tuple[str, ...] = attrs.field(default=(), converter=_concerns)
    ended: Ended | None = attrs.field(default=None, kw_only=True)
