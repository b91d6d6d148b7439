"""What Claude Code used, in tokens and US dollars, by its own count."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

_TOKENS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)


@attrs.frozen(kw_only=True)
class Usage:
    """What was used.

    Args:
        input_tokens: Tokens read, without those from or for the cache.
        output_tokens: Tokens written.
        cache_creation_input_tokens: Tokens read and put into the cache.
        cache_read_input_tokens: Tokens read from the cache.
        cost_usd: What it cost in US dollars, 0 where that is not told.
        turns: Turns of the model.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    cost_usd: float = 0.0
    turns: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(**{name: value + getattr(other, name) for name, value in attrs.asdict(self).items()})

    def __bool__(self) -> bool:
        return self != Usage()

    def __str__(self) -> str:
        read = self.input_tokens + self.cache_creation_input_tokens + self.cache_read_input_tokens
        cost = f", ${self.cost_usd:.4f}" if self.cost_usd else ""
        return f"{read:,} tokens in, {self.output_tokens:,} out{cost}"


def usage_from(counted: Any, *, cost: Any = 0.0, turns: Any = 0) -> Usage:
    """Usage from Claude Code's words; whatever is no number counts nothing.

    Args:
        counted: Its ``usage``.
        cost: Its ``total_cost_usd``.
        turns: Its ``num_turns``.
    """
    given = counted if isinstance(counted, Mapping) else {}
    tokens = {name: int(_number(given.get(name))) for name in _TOKENS}
    return Usage(**tokens, cost_usd=round(_number(cost), 6), turns=int(_number(turns)))


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12 else 0
