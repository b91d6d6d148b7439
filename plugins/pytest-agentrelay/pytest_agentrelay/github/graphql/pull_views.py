"""Pull requests, as GraphQL shows them. Most fields are worked out only when they are asked for."""

from __future__ import annotations

from typing import Any, Final

from pytest_agentrelay.github.graphql.check_views import rollup_view
from pytest_agentrelay.github.graphql.connections import connection, empty
from pytest_agentrelay.github.graphql.people import user
from pytest_agentrelay.github.graphql.repository_views import (
    branch_view,
    commit_view,
    head_repository,
    repository_view,
)
from pytest_agentrelay.github.state.asking import Asking, stamp
from pytest_agentrelay.github.state.bare import Commit
from pytest_agentrelay.github.state.judging import decide, judge
from pytest_agentrelay.github.state.merging import default_message
from pytest_agentrelay.github.state.records import Comment, PullRequest, Review
from pytest_agentrelay.github.state.repository import RepositoryState

CHANGE_TYPES: Final = {"A": "ADDED", "D": "DELETED", "M": "MODIFIED", "T": "CHANGED"}


def base_of(repository: RepositoryState, pull: PullRequest) -> str:
    """The base's tip for an open pull request; what it was for another one."""
    return repository.seen.get(pull.base, pull.base_sha) if pull.open else pull.base_sha


def commits_of(repository: RepositoryState, pull: PullRequest) -> list[Commit]:
    """The commits of a pull request."""
    return repository.bare.commits(base_of(repository, pull), pull.head_sha)


def files_of(repository: RepositoryState, pull: PullRequest) -> list[tuple[str, int, int, str]]:
    """What a pull request changes: status letter, lines added, lines deleted, path."""
    return repository.bare.changes(base_of(repository, pull), pull.head_sha)


def pull_view(asking: Asking, repository: RepositoryState, pull: PullRequest) -> dict[str, Any]:
    """A pull request."""
    hub, url = asking.hub, f"{asking.hub.web}/{repository.slug}/pull/{pull.number}"
    waiting = repository.queues.get(pull.base)
    queued = waiting is not None and pull.number in waiting

    def last_commit_first() -> list[dict[str, Any]]:
        return [
            {
                "id": f"PRC_{pull.number}_{one.sha}",
                "url": f"{url}/commits/{one.sha}",
                "commit": commit_view(asking, repository, one.sha),
            }
            for one in commits_of(repository, pull)
        ]

    def commits(info: object, *, first: int | None = None, last: int | None = None, **bounds: Any) -> Any:
        if last == 1 and first is None:  # what pollers ask; the head is known without listing anything
            head = {"id": f"PRC_{pull.number}", "url": url, "commit": commit_view(asking, repository, pull.head_sha)}
            return connection(lambda: [head])(info, last=1)
        return connection(last_commit_first)(info, first=first, last=last, **bounds)

    def text(position: int) -> Any:
        def resolve(_: object, mergeType: str = "MERGE") -> str:  # noqa: N803 - the API's name
            method = mergeType.lower()
            return default_message(pull, method, commits_of(repository, pull))[position]  # type: ignore[arg-type]  # the enum's

        return resolve

    return {
        "__typename": "PullRequest",
        "id": pull.node_id,
        "databaseId": pull.number,
        "fullDatabaseId": str(pull.number),
        "number": pull.number,
        "url": url,
        "permalink": url,
        "title": pull.title,
        "body": pull.body,
        "state": pull.state.upper(),
        "isDraft": pull.draft,
        "closed": not pull.open,
        "merged": pull.state == "merged",
        "locked": False,
        "mergeable": lambda _: judge(repository, pull).mergeable,
        "mergeStateStatus": lambda _: judge(repository, pull).status,
        "mergeCommit": lambda _: commit_view(asking, repository, pull.merge_commit),
        "potentialMergeCommit": None,
        "isInMergeQueue": queued,
        "isMergeQueueEnabled": waiting is not None,
        "mergeQueueEntry": lambda _: entry_view(asking, repository, pull),
        "mergeQueue": lambda _: queue_view(asking, repository, pull.base),
        "autoMergeRequest": lambda _: _auto_merge(asking, repository, pull),
        "repository": lambda _: repository_view(asking, repository),
        "baseRepository": lambda _: repository_view(asking, repository),
        "baseRef": lambda _: branch_view(asking, repository, pull.base),
        "baseRefName": pull.base,
        "baseRefOid": base_of(repository, pull),
        "headRef": lambda _: branch_view(asking, hub.repository(pull.head_repository), pull.head),
        "headRefName": pull.head,
        "headRefOid": pull.head_sha,
        "headRepository": lambda _: head_repository(asking, pull),
        "headRepositoryOwner": user(hub, pull.head_repository.partition("/")[0]),
        "isCrossRepository": pull.head_repository != repository.slug,
        "maintainerCanModify": False,
        "author": user(hub, pull.author),
        "mergedBy": user(hub, pull.merged_by) if pull.merged_by else None,
        "createdAt": stamp(pull.created_at),
        "updatedAt": stamp(pull.updated_at),
        "closedAt": stamp(pull.closed_at),
        "mergedAt": stamp(pull.merged_at),
        "additions": lambda _: sum(added for _, added, _, _ in files_of(repository, pull)),
        "deletions": lambda _: sum(deleted for _, _, deleted, _ in files_of(repository, pull)),
        "changedFiles": lambda _: len(files_of(repository, pull)),
        "reviewDecision": lambda _: decide(repository, pull),
        "statusCheckRollup": lambda _: rollup_view(asking, repository, pull.head_sha),
        "milestone": None,
        "reactionGroups": [],
        "viewerCanUpdate": True,
        "viewerCanEnableAutoMerge": repository.settings.auto_merge,
        "viewerMergeHeadlineText": text(0),
        "viewerMergeBodyText": text(1),
        "commits": commits,
        "files": connection(
            lambda: [
                {"path": path, "additions": added, "deletions": deleted, "changeType": CHANGE_TYPES[letter]}
                for letter, added, deleted, path in files_of(repository, pull)
            ]
        ),
        "reviews": connection(lambda: [review_view(asking, repository, url, one) for one in pull.reviews]),
        "latestReviews": connection(
            lambda: [
                review_view(asking, repository, url, one) for one in {one.author: one for one in pull.reviews}.values()
            ]
        ),
        "reviewRequests": empty(),
        "comments": connection(lambda: [comment_view(asking, url, one) for one in pull.comments]),
        "labels": empty(),
        "assignees": empty(),
        "assignedActors": empty(),
        "projectCards": empty(),
        "projectItems": empty(),
        "closingIssuesReferences": empty(),
    }


def _auto_merge(asking: Asking, repository: RepositoryState, pull: PullRequest) -> dict[str, Any] | None:
    wanted = pull.auto_merge
    if wanted is None:
        return None
    return {
        "enabledAt": stamp(wanted.at),
        "enabledBy": user(asking.hub, wanted.by),
        "mergeMethod": wanted.method.upper(),
        "commitHeadline": wanted.title,
        "commitBody": wanted.message,
        "authorEmail": None,
        "pullRequest": lambda _: pull_view(asking, repository, pull),
    }


def review_view(asking: Asking, repository: RepositoryState, url: str, review: Review) -> dict[str, Any]:
    """A review."""
    return {
        "__typename": "PullRequestReview",
        "id": f"PRR_{review.number}",
        "databaseId": review.number,
        "author": user(asking.hub, review.author),
        "authorAssociation": "MEMBER",
        "authorCanPushToRepository": True,
        "body": review.body,
        "state": review.state,
        "submittedAt": stamp(review.at),
        "commit": lambda _: commit_view(asking, repository, review.sha),
        "includesCreatedEdit": False,
        "reactionGroups": [],
        "url": f"{url}#pullrequestreview-{review.number}",
    }


def comment_view(asking: Asking, url: str, comment: Comment) -> dict[str, Any]:
    """A comment."""
    return {
        "__typename": "IssueComment",
        "id": f"IC_{comment.number}",
        "databaseId": comment.number,
        "author": user(asking.hub, comment.author),
        "authorAssociation": "MEMBER",
        "body": comment.body,
        "createdAt": stamp(comment.at),
        "includesCreatedEdit": False,
        "isMinimized": False,
        "minimizedReason": None,
        "reactionGroups": [],
        "url": f"{url}#issuecomment-{comment.number}",
        "viewerDidAuthor": comment.author == asking.login,
    }


def entry_view(asking: Asking, repository: RepositoryState, pull: PullRequest) -> dict[str, Any] | None:
    """A pull request's place in the merge queue; None where it is in none."""
    waiting = repository.queues.get(pull.base, [])
    if pull.number not in waiting:
        return None
    return {
        "__typename": "MergeQueueEntry",
        "id": f"MQE_{pull.node_id}",
        "state": "AWAITING_CHECKS",
        "position": waiting.index(pull.number) + 1,
        "enqueuedAt": stamp(pull.updated_at),
        "pullRequest": lambda _: pull_view(asking, repository, pull),
    }


def queue_view(asking: Asking, repository: RepositoryState, branch: str) -> dict[str, Any] | None:
    """A branch's merge queue; None where it has none."""
    if branch not in repository.queues:
        return None
    return {
        "__typename": "MergeQueue",
        "id": f"MQ_{repository.number}_{branch}",
        "url": f"{asking.hub.web}/{repository.slug}/queue/{branch}",
        "entries": connection(
            lambda: [entry_view(asking, repository, repository.pull(number)) for number in repository.queues[branch]]
        ),
    }
