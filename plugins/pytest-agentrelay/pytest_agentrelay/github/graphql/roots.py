"""What a query or a mutation begins with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_agentrelay.github.graphql.connections import connection
from pytest_agentrelay.github.graphql.people import user
from pytest_agentrelay.github.graphql.pull_views import comment_view, entry_view, pull_view, review_view
from pytest_agentrelay.github.graphql.repository_views import repository_view
from pytest_agentrelay.github.state import pulls
from pytest_agentrelay.github.state.accounts import Right
from pytest_agentrelay.github.state.asking import Asking, stamp
from pytest_agentrelay.github.state.merging import MergeOrder, merge
from pytest_agentrelay.github.state.records import AutoMerge, PullRequest
from pytest_agentrelay.github.state.refusals import not_found
from pytest_agentrelay.github.state.repository import RepositoryState
from pytest_agentrelay.github.state.waiting import dequeue, disable_auto_merge, enable_auto_merge, enqueue

_EVENTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
Input = dict[str, Any]


def query_root(asking: Asking, cost: int) -> dict[str, Any]:
    """The fields of a query; `cost` is what it takes from the quota."""
    hub = asking.hub

    def node(_: object, id: str) -> Any:  # the API's name
        repository, pull = hub.by_node_id(id)
        repository = asking.see(repository.slug)
        return (
            repository_view(asking, repository)
            if pull is None
            else pull_view(asking, repository, repository.pull(pull.number))
        )

    def limit(_: object, **__: Any) -> dict[str, Any]:
        budget = hub.quota.budget("graphql")
        return {
            "cost": cost,
            "limit": budget.limit,
            "nodeCount": 0,
            "remaining": budget.remaining,
            "resetAt": stamp(budget.resets_at),
            "used": budget.used,
        }

    def search(info: object, *, query: str, type: str, **bounds: Any) -> Any:  # the API's names
        found = _searched(asking, query)
        return {**connection(lambda: found)(info, **bounds), "issueCount": len(found), "repositoryCount": 0}

    return {
        "viewer": user(hub, asking.login),
        "rateLimit": limit,
        "repository": lambda _, owner, name, **__: repository_view(asking, asking.see(f"{owner}/{name}")),
        "repositoryOwner": lambda _, login: user(hub, login),
        "user": lambda _, login: user(hub, login),
        "organization": lambda _, login: None,
        "node": node,
        "nodes": lambda _, ids: [node(_, one) for one in ids],
        "search": search,
    }


def _searched(asking: Asking, query: str) -> list[dict[str, Any]]:
    """Pull requests by the words that gh makes of its options: repo, state, is, head, base, author, draft."""
    words = [word.partition(":")[::2] for word in query.split()]
    wanted = {key: value.strip('"') for key, value in words if value and key not in ("is", "state", "type")}
    states = {value for key, value in words if key in ("is", "state")} & {"open", "closed", "merged"}
    if "repo" not in wanted:
        return []
    repository = asking.see(wanted["repo"])
    return [
        pull_view(asking, repository, pull)
        for pull in repository.listed()
        if (not states or pull.state in states or ("closed" in states and pull.state == "merged"))
        and wanted.get("head", pull.head) == pull.head
        and wanted.get("base", pull.base) == pull.base
        and wanted.get("author", pull.author).replace("@me", asking.login) == pull.author
        and wanted.get("draft", str(pull.draft).lower()) == str(pull.draft).lower()
    ]


def mutation_root(asking: Asking) -> dict[str, Any]:
    """The fields of a mutation."""
    hub, login = asking.hub, asking.login

    def of(given: Input, right: Right, deed: str) -> tuple[RepositoryState, PullRequest]:
        repository, pull = hub.by_node_id(given.get("pullRequestId") or given.get("subjectId") or given["id"])
        if pull is None:
            raise not_found(f"Could not resolve to a PullRequest node with the global id of '{repository.node_id}'.")
        repository = asking.see(repository.slug)
        asking.demand(repository, right, deed)
        return repository, repository.pull(pull.number)

    def changing(
        deed: str, right: Right, do: Callable[[RepositoryState, PullRequest, Input], object], key: str = "pullRequest"
    ) -> Callable[..., Any]:
        def resolve(_: object, input: Input) -> dict[str, Any]:  # the API's name
            repository, pull = of(input, right, deed)
            made = do(repository, pull, input)
            shown = made if key != "pullRequest" else pull_view(asking, repository, repository.pull(pull.number))
            return {"clientMutationId": input.get("clientMutationId"), "actor": user(hub, login), key: shown}

        return resolve

    def create(_: object, input: Input) -> dict[str, Any]:  # the API's name
        repository, _pull = hub.by_node_id(input["repositoryId"])
        repository = asking.see(repository.slug)
        asking.demand(repository, "read", "CreatePullRequest")
        source = hub.by_node_id(input["headRepositoryId"])[0].slug if input.get("headRepositoryId") else None
        wanted = pulls.Opening(
            title=input["title"],
            head=input["headRefName"],
            base=input["baseRefName"],
            body=input.get("body") or "",
            draft=bool(input.get("draft")),
            head_repository=source,
        )
        pull = pulls.open_pull(hub, repository, login, wanted)
        return {"clientMutationId": input.get("clientMutationId"), "pullRequest": pull_view(asking, repository, pull)}

    def auto(given: Input) -> AutoMerge:
        return AutoMerge(
            method=given["mergeMethod"].lower(),
            by=login,
            at=hub.clock(),
            title=given.get("commitHeadline"),
            message=given.get("commitBody"),
        )

    def order(given: Input) -> MergeOrder:
        return MergeOrder(
            method=given["mergeMethod"].lower(),
            title=given.get("commitHeadline"),
            message=given.get("commitBody"),
            expected=given.get("expectedHeadOid"),
        )

    def update(repository: RepositoryState, pull: PullRequest, given: Input) -> None:
        names = {"title": "title", "body": "body", "baseRefName": "base"}
        fields = {name: given[key] for key, name in names.items() if given.get(key) is not None}
        if fields:
            pulls.edit(hub, repository, pull.number, login, **fields)
        if given.get("state") == "CLOSED" and pull.open:
            pulls.close(hub, repository, repository.pull(pull.number), login)
        elif given.get("state") == "OPEN":
            pulls.reopen(hub, repository, pull.number, login)

    def queued(repository: RepositoryState, pull: PullRequest, given: Input) -> Any:
        changed = enqueue(hub, repository, pull.number, login, given.get("expectedHeadOid"))
        return entry_view(asking, repository, changed)

    def commented(repository: RepositoryState, pull: PullRequest, given: Input) -> Any:
        made = pulls.comment(hub, repository, pull.number, login, given["body"])
        return {"cursor": "1", "node": comment_view(asking, f"{hub.web}/{repository.slug}/pull/{pull.number}", made)}

    def reviewed(repository: RepositoryState, pull: PullRequest, given: Input) -> Any:
        state = _EVENTS[given.get("event") or "COMMENT"]
        made = pulls.review(hub, repository, pull.number, login, state, given.get("body") or "")
        return review_view(asking, repository, f"{hub.web}/{repository.slug}/pull/{pull.number}", made)

    return {
        "createPullRequest": create,
        "mergePullRequest": changing(
            "MergePullRequest",
            "write",
            lambda repository, pull, given: merge(hub, repository, pull.number, login, order(given)),
        ),
        "updatePullRequest": changing("UpdatePullRequest", "write", update),
        "closePullRequest": changing(
            "ClosePullRequest", "write", lambda repository, pull, _: pulls.close(hub, repository, pull, login)
        ),
        "reopenPullRequest": changing(
            "ReopenPullRequest", "write", lambda repository, pull, _: pulls.reopen(hub, repository, pull.number, login)
        ),
        "markPullRequestReadyForReview": changing(
            "MarkPullRequestReadyForReview",
            "write",
            lambda repository, pull, _: pulls.set_draft(hub, repository, pull.number, login, draft=False),
        ),
        "convertPullRequestToDraft": changing(
            "ConvertPullRequestToDraft",
            "write",
            lambda repository, pull, _: pulls.set_draft(hub, repository, pull.number, login, draft=True),
        ),
        "enablePullRequestAutoMerge": changing(
            "EnablePullRequestAutoMerge",
            "write",
            lambda repository, pull, given: enable_auto_merge(
                hub, repository, pull.number, auto(given), given.get("expectedHeadOid")
            ),
        ),
        "disablePullRequestAutoMerge": changing(
            "DisablePullRequestAutoMerge",
            "write",
            lambda repository, pull, _: disable_auto_merge(hub, repository, pull.number),
        ),
        "enqueuePullRequest": changing("EnqueuePullRequest", "write", queued, key="mergeQueueEntry"),
        "dequeuePullRequest": changing(
            "DequeuePullRequest",
            "write",
            lambda repository, pull, _: dequeue(hub, repository, pull.number, login) and None,
            key="mergeQueueEntry",
        ),
        "addComment": changing("AddComment", "read", commented, key="commentEdge"),
        "addPullRequestReview": changing("AddPullRequestReview", "read", reviewed, key="pullRequestReview"),
    }
