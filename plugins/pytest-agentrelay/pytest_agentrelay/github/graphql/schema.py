"""The GraphQL schema, built once when the first request comes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

from graphql import GraphQLSchema, build_schema

_CONNECTED: Final = (
    *(
        "Assignee",
        "GitActor",
        "IssueComment",
        "Issue",
        "Label",
        "MergeQueueEntry",
        "Milestone",
        "Organization",
        "ProjectCard",
    ),
    *("ProjectV2", "ProjectV2Item", "PullRequest", "PullRequestChangedFile", "PullRequestCommit", "PullRequestReview"),
    *("ReviewRequest", "Team", "User"),
)
_CONNECTION: Final = """
type {name}Connection {{ edges: [{name}Edge], nodes: [{name}], pageInfo: PageInfo!, totalCount: Int! }}
type {name}Edge {{ cursor: String!, node: {name} }}
"""


@cache
def schema() -> GraphQLSchema:
    """GitHub's schema, as far as it is served."""
    written = (files(__package__) / "schema.graphql").read_text(encoding="utf-8")
    return build_schema(written + "".join(_CONNECTION.format(name=name) for name in _CONNECTED))
