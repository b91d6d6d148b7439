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
        turns: Answers of the model, those to sub-agents too where these are told.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    cost_usd: float = 0.0
    turns: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(**{name: value + getattr(other, name) for name, value in attrs.asdict(self).items()})

    def most(self, other: "Usage") -> "Usage":
        """Of each number the larger, where both are counts of the same."""
        return Usage(**{name: max(value, getattr(other, name)) for name, value in attrs.asdict(self).items()})

    def __bool__(self) -> bool:
        return self != Usage()

    def __str__(self) -> str:
        read = self.input_tokens + self.cache_creation_input_tokens + self.cache_read_input_tokens
        cost = f", ${self.cost_usd:.4f}" if self.cost_usd else ""
        return f"{read:,} tokens in, {self.output_tokens:,} out{cost}"


def message_usage(counted: Any) -> Usage:
    """Usage of one answer of the model; whatever is no number counts nothing.

    Args:
        counted: Its ``usage``.
    """
    given = counted if isinstance(counted, Mapping) else {}
    return Usage(**{name: int(_number(given.get(name))) for name in _TOKENS}, turns=1)


def result_usage(result: Mapping[str, Any]) -> Usage:
    """Usage by a result of the stream, that of its sub-agents included.

    Args:
        result: The result; ``modelUsage`` counts all, ``usage`` the main agent alone.
    """
    models = result.get("modelUsage")
    each = [model for model in models.values() if isinstance(model, Mapping)] if isinstance(models, Mapping) else []
    everybody = {name: sum(int(_number(model.get(_camel(name)))) for model in each) for name in _TOKENS}
    total = message_usage(result.get("usage")).most(Usage(**everybody))
    return attrs.evolve(
        total, cost_usd=dollars(result.get("total_cost_usd")), turns=int(_number(result.get("num_turns")))
    )


def dollars(value: Any) -> float:
    """An amount in US dollars; whatever is no number is none."""
    return round(_number(value), 6)


def _camel(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(word.capitalize() for word in more)


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12 else 0
