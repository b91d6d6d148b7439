"""Lists that are read page by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from pytest_agentrelay.github.state.refusals import Refused

_MOST: Final = 100  # of a page


def page(nodes: Sequence[Any], first: int | None, after: str | None, last: int | None, before: str | None) -> Any:
    """A page of a list, with its cursors.

    Raises:
        Refused: It says not how much, or too much.
    """
    amount = first if first is not None else last
    if amount is None:
        raise Refused(
            "You must provide a `first` or `last` value to properly paginate.", kind="MISSING_PAGINATION_BOUNDARIES"
        )
    if not 0 <= amount <= _MOST:
        raise Refused(f"Requesting {amount} records exceeds the limit of {_MOST} records.", kind="EXCESSIVE_PAGINATION")
    start = int(after) if after else 0
    end = int(before) - 1 if before else len(nodes)
    if first is not None:
        end = min(end, start + first)
    if last is not None:
        start = max(start, end - last)
    shown = nodes[start:end]
    return {
        "totalCount": len(nodes),
        "nodes": shown,
        "edges": [{"cursor": str(start + index + 1), "node": node} for index, node in enumerate(shown)],
        "pageInfo": {
            "hasNextPage": end < len(nodes),
            "hasPreviousPage": start > 0,
            "startCursor": str(start + 1) if shown else None,
            "endCursor": str(end) if shown else None,
        },
    }


def connection(make: Callable[[], Sequence[Any]], **extra: Any) -> Callable[..., Any]:
    """A field that is a list in pages; `extra` holds further fields of it.

    A list whose length alone is asked needs no bounds, and is read as a whole.
    """

    def resolve(
        _: object,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        **__: Any,
    ) -> Any:
        if first is None and last is None:
            first = _MOST
        return {**page(make(), first, after, last, before), **extra}

    return resolve


def empty() -> Callable[..., Any]:
    """A list of what there never is any of."""
    return connection(list)
