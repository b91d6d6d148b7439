"""Repositories, branches and commits, as GraphQL shows them."""

from __future__ import annotations

from typing import Any

from pytest_agentrelay.github.graphql.check_views import rollup_view
from pytest_agentrelay.github.graphql.connections import connection, empty
from pytest_agentrelay.github.graphql.people import user
from pytest_agentrelay.github.state.asking import Asking
from pytest_agentrelay.github.state.bare import HEADS
from pytest_agentrelay.github.state.records import PullRequest
from pytest_agentrelay.github.state.repository import RepositoryState


def repository_view(asking: Asking, repository: RepositoryState) -> dict[str, Any]:
    """A repository."""
    # Pull requests and repositories show each other; whichever module is loaded first, both are by then.
    from pytest_agentrelay.github.graphql.pull_views import pull_view, queue_view

    settings, base = repository.settings, f"{asking.hub.web}/{repository.slug}"
    right = asking.right(repository)
    allowed = [method for method in ("merge", "squash", "rebase") if method in settings.methods]

    def listed(
        states: list[str] | None, head: str | None, onto: str | None, order: dict[str, str] | None
    ) -> list[dict[str, Any]]:
        found = [
            pull
            for pull in repository.listed()
            if (not states or pull.state.upper() in states)
            and (head is None or pull.head == head)
            and (onto is None or pull.base == onto)
        ]
        if order is None or order["direction"] == "ASC":
            found.reverse()
        return [pull_view(asking, repository, pull) for pull in found]

    def pulls(
        info: object,
        *,
        states: list[str] | None = None,
        headRefName: str | None = None,  # noqa: N803 - the API's name
        baseRefName: str | None = None,  # noqa: N803 - the API's name
        orderBy: dict[str, str] | None = None,  # noqa: N803 - the API's name
        labels: list[str] | None = None,
        **bounds: Any,
    ) -> Any:
        found = [] if labels else listed(states, headRefName, baseRefName, orderBy)
        return connection(lambda: found)(info, **bounds)

    def queue(_: object, branch: str | None = None) -> Any:
        return queue_view(asking, repository, branch or repository.bare.default_branch)

    parent = repository.parent
    return {
        "__typename": "Repository",
        "id": repository.node_id,
        "databaseId": repository.number,
        "name": repository.name,
        "nameWithOwner": repository.slug,
        "owner": user(asking.hub, repository.owner),
        "url": base,
        "sshUrl": f"git@{asking.hub.host}:{repository.slug}.git",
        "description": "",
        "homepageUrl": None,
        "isPrivate": settings.private,
        "visibility": "PRIVATE" if settings.private else "PUBLIC",
        "isFork": parent is not None,
        "isArchived": settings.archived,
        "isEmpty": not repository.seen,
        "isInOrganization": False,
        "hasIssuesEnabled": True,
        "hasWikiEnabled": False,
        "hasProjectsEnabled": False,
        "viewerPermission": None if right == "none" else right.upper(),
        "viewerCanAdminister": right == "admin",
        "viewerDefaultMergeMethod": allowed[0].upper(),
        "viewerDefaultCommitEmail": f"{asking.login}@users.noreply.github.com",
        "viewerPossibleCommitEmails": [f"{asking.login}@users.noreply.github.com"],
        "mergeCommitAllowed": "merge" in allowed,
        "squashMergeAllowed": "squash" in allowed,
        "rebaseMergeAllowed": "rebase" in allowed,
        "autoMergeAllowed": settings.auto_merge,
        "deleteBranchOnMerge": settings.delete_branch_on_merge,
        "parent": lambda _: repository_view(asking, asking.hub.repository(parent)) if parent else None,
        "defaultBranchRef": lambda _: branch_view(asking, repository, repository.bare.default_branch),
        "ref": lambda _, qualifiedName: branch_view(asking, repository, qualifiedName.removeprefix(HEADS)),  # noqa: N803 - the API's name
        "object": lambda _, oid=None, expression=None: commit_view(
            asking, repository, repository.bare.commit_of(oid or expression)
        ),
        "mergeQueue": queue,
        "pullRequest": lambda _, number: pull_view(asking, repository, repository.pull(number)),
        "issueOrPullRequest": lambda _, number: pull_view(asking, repository, repository.pull(number)),
        "pullRequests": pulls,
        "pullRequestTemplates": [],
        "issueTemplates": [],
        "labels": empty(),
        "milestones": empty(),
        "assignableUsers": connection(lambda: [user(asking.hub, asking.login)]),
        "projectsV2": empty(),
    }


def branch_view(asking: Asking, repository: RepositoryState, branch: str) -> dict[str, Any] | None:
    """A branch; None where there is none."""
    sha = repository.seen.get(branch)
    if sha is None:
        return None
    protection = repository.protections.get(branch)
    rule = None
    if protection is not None and protection.form == "classic":
        rule = {
            "id": f"BPR_{branch}",
            "pattern": branch,
            "requiredApprovingReviewCount": protection.reviews,
            "requiredStatusCheckContexts": list(protection.checks),
            "requiresStrictStatusChecks": protection.strict,
            "requiresApprovingReviews": protection.reviews > 0,
            "requiresStatusChecks": bool(protection.checks),
        }
    return {
        "__typename": "Ref",
        "id": f"REF_{repository.number}_{branch}",
        "name": branch,
        "prefix": HEADS,
        "target": lambda _: commit_view(asking, repository, sha),
        "branchProtectionRule": rule,
    }


def commit_view(asking: Asking, repository: RepositoryState, sha: str | None) -> dict[str, Any] | None:
    """A commit; None where there is none."""
    if sha is None:
        return None
    made = repository.bare.commit(sha)
    author = {"name": made.author[0], "email": made.author[1], "date": made.date, "user": None}
    return {
        "__typename": "Commit",
        "id": f"C_{sha}",
        "oid": sha,
        "abbreviatedOid": sha[:7],
        "message": made.message,
        "messageHeadline": made.subject,
        "messageBody": made.body,
        "committedDate": made.date,
        "authoredDate": made.date,
        "url": f"{asking.hub.web}/{repository.slug}/commit/{sha}",
        "author": author,
        "authors": connection(lambda: [author]),
        "statusCheckRollup": lambda _: rollup_view(asking, repository, sha),
    }


def head_repository(asking: Asking, pull: PullRequest) -> dict[str, Any]:
    """The repository that a pull request comes from."""
    return repository_view(asking, asking.hub.repository(pull.head_repository))
