"""What a GraphQL request is, before anything is done: its operation, its first fields, and what it costs."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, Final

import attrs
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    parse,
)

_PER_POINT: Final = 100  # requests that GitHub counts as one point


@attrs.frozen(kw_only=True)
class Operation:
    """A GraphQL request that was read.

    Args:
        text: What was sent.
        variables: Its variables.
        name: The operation's name, "" without one.
        kind: ``query`` or ``mutation``.
        fields: The names of the first fields, each once.
        cost: What GitHub's formula makes of it.
    """

    text: str
    variables: dict[str, Any]
    name: str
    kind: str
    fields: tuple[str, ...]
    cost: int

    @property
    def label(self) -> str:
        """How faults and the log name it: ``graphql mutation PullRequestMerge mergePullRequest``."""
        return " ".join(filter(None, ["graphql", self.kind, self.name, ",".join(self.fields)]))


@lru_cache(maxsize=64)
def parsed(text: str) -> DocumentNode:
    """A document, read once however often a poller sends it.

    Raises:
        GraphQLError: It is not GraphQL.
    """
    return parse(text, no_location=True)


def read(body: dict[str, Any]) -> Operation:
    """Read a request's body.

    Raises:
        GraphQLError: It is not GraphQL.
    """
    text = body.get("query") or ""
    document = parsed(text)
    variables = body.get("variables") or {}
    wanted = body.get("operationName")
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    chosen = [one for one in operations if not wanted or (one.name and one.name.value == wanted)]
    if len(chosen) != 1:
        raise GraphQLError("An operation name is required" if not wanted else f'No operation named "{wanted}"')
    [operation] = chosen
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    first = [one.name.value for one in operation.selection_set.selections if isinstance(one, FieldNode)]
    requests = _requests(operation.selection_set, variables, fragments, 1)
    return Operation(
        text=text,
        variables=variables,
        name=operation.name.value if operation.name else "",
        kind=operation.operation.value,
        fields=tuple(dict.fromkeys(first)),
        cost=max(1, math.ceil(requests / _PER_POINT)),
    )


def _requests(
    selected: SelectionSetNode | None,
    variables: dict[str, Any],
    fragments: dict[str, FragmentDefinitionNode],
    times: int,
) -> int:
    """How many requests GitHub counts: one for each list, of each parent that there may be."""
    total = 0
    for one in selected.selections if selected else ():
        if isinstance(one, FragmentSpreadNode):
            fragment = fragments.get(one.name.value)
            total += _requests(fragment.selection_set, variables, fragments, times) if fragment else 0
        elif isinstance(one, FieldNode):
            amount = _amount(one, variables)
            total += times if amount is not None else 0
            total += _requests(one.selection_set, variables, fragments, times * (amount or 1))
        else:
            total += _requests(one.selection_set, variables, fragments, times)  # type: ignore[attr-defined]  # an inline fragment
    return total


def _amount(field: FieldNode, variables: dict[str, Any]) -> int | None:
    """How many of a list are asked for; None for what is no list."""
    for argument in field.arguments or ():
        if argument.name.value in ("first", "last"):
            value = argument.value
            if isinstance(value, IntValueNode):
                return int(value.value)
            if isinstance(value, VariableNode):
                given = variables.get(value.name.value)
                return given if isinstance(given, int) else None
    return None
