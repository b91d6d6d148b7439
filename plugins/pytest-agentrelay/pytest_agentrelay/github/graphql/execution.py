"""Execution: what was read is validated against the schema and answered, errors in GitHub's form."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from graphql import (
    ExecutionResult,
    GraphQLError,
    OverlappingFieldsCanBeMergedRule,
    execute_sync,
    specified_rules,
    validate,
)

from pytest_agentrelay.github.graphql.reading import Operation, parsed
from pytest_agentrelay.github.graphql.roots import mutation_root, query_root
from pytest_agentrelay.github.graphql.schema import schema
from pytest_agentrelay.github.state.asking import Asking
from pytest_agentrelay.github.state.refusals import Refused

# GitHub lets `... on User {name} ... on Team {name}` pass, though only one of them may be null; gh relies on it.
_RULES: Final = [rule for rule in specified_rules if rule is not OverlappingFieldsCanBeMergedRule]


def run(asking: Asking, operation: Operation) -> tuple[dict[str, Any], dict[str, str]]:
    """Answer an operation.

    Returns:
        The body of the answer, and headers that a refusal adds.
    """
    wrong = _problems(operation.text)
    if wrong:
        return {"errors": [_invalid(error) for error in wrong]}, {}
    root = mutation_root(asking) if operation.kind == "mutation" else query_root(asking, operation.cost)
    done = execute_sync(schema(), parsed(operation.text), root_value=root, variable_values=operation.variables)
    assert isinstance(done, ExecutionResult)
    body: dict[str, Any] = {"data": done.data}
    headers: dict[str, str] = {}
    if done.errors:
        body["errors"] = [_told(error) for error in done.errors]
        for error in done.errors:
            if isinstance(error.original_error, Refused):
                headers.update(error.original_error.headers)
    return body, headers


def refused(refusal: Refused) -> dict[str, Any]:
    """The body of an answer to what was refused before it was executed."""
    if refusal.status == 200:
        return {"errors": [{"type": refusal.kind, "message": refusal.message}]}
    return {"message": refusal.message, "documentation_url": "https://docs.github.com/graphql"}


@lru_cache(maxsize=64)
def _problems(text: str) -> tuple[GraphQLError, ...]:
    """What is wrong with a document, found out once: this is the slow part of a long query."""
    return tuple(validate(schema(), parsed(text), _RULES))


def _invalid(error: GraphQLError) -> dict[str, Any]:
    places = [{"line": place.line, "column": place.column} for place in error.locations or ()]
    return {"message": error.message, "locations": places, "extensions": {"code": "invalidQuery"}}


def _told(error: GraphQLError) -> dict[str, Any]:
    original = error.original_error
    if original is not None and not isinstance(original, Refused):
        raise original  # a fault of the emulator is no answer of GitHub
    told: dict[str, Any] = {"path": error.path or [], "locations": [], "message": error.message}
    if isinstance(original, Refused):
        told = {"type": original.kind, **told, "message": original.message}
        if "X-GitHub-SSO" in original.headers:
            told["extensions"] = {"saml_failure": True}
    return told
