"""What one look shows of pull requests: the text of a question about many of them, and what its answer says.

One GraphQL query asks about up to fifty pull requests of a repository; checks beyond the first hundred of each are
asked for by further queries, again for all of them at once.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Literal

import attrs

from agentrelay_git_gh.github.checks import Check
from agentrelay_git_gh.github.limits import Budget

AT_ONCE: Final = 50
"""Pull requests that one query asks about."""

_PULL_REQUEST: Final = """
    number url state isDraft mergeable mergeStateStatus headRefOid baseRefName reviewDecision isMergeQueueEnabled
    mergeQueueEntry { state position }
"""
# The last commit is asked for by name, so that what its checks say is never taken for another one's.
_CHECKS: Final = """
    commits(last: 1) { nodes { commit { oid statusCheckRollup { contexts(first: 100%(after)s) {
      pageInfo { hasNextPage endCursor }
      nodes {
        __typename
        ... on CheckRun {
          databaseId name status conclusion detailsUrl title isRequired(pullRequestNumber: %(number)d)
          checkSuite { app { slug databaseId } }
        }
        ... on StatusContext { context state targetUrl description isRequired(pullRequestNumber: %(number)d) }
      }
    } } } } }
"""
_QUESTION: Final = """
query Looks($owner: String!, $name: String!) {
  rateLimit { limit remaining resetAt }
  repository(owner: $owner, name: $name) { %s }
}
"""


@attrs.frozen(kw_only=True)
class QueuePlace:
    """Where a pull request stands in a merge queue.

    Args:
        state: What GitHub calls it, in lower case, as ``awaiting_checks``.
        position: Its place, from 1.
    """

    state: str
    position: int


@attrs.frozen(kw_only=True)
class Snapshot:
    """A pull request as one look showed it.

    Args:
        number: Its number in the repository.
        url: Its URL.
        state: Whether it is open, merged or closed.
        draft: Whether its author says that it is not ready.
        mergeable: ``MERGEABLE``, ``CONFLICTING`` or ``UNKNOWN``.
        merge_state: What GitHub calls its merge state, as ``CLEAN`` or ``BLOCKED``.
        head_sha: The tip of its source, full hash.
        base: Its target branch.
        review: ``APPROVED``, ``CHANGES_REQUESTED``, ``REVIEW_REQUIRED``; empty where the target asks for none.
        queued: Its place in the target's merge queue, while it has one.
        has_queue: Whether the target is merged into by a queue alone.
        checks: All checks of its last commit.
        complete: Whether ``checks`` are all that there are.
    """

    number: int
    url: str
    state: Literal["open", "merged", "closed"]
    draft: bool = False
    mergeable: str = "UNKNOWN"
    merge_state: str = "UNKNOWN"
    head_sha: str = ""
    base: str = ""
    review: str = ""
    queued: QueuePlace | None = None
    has_queue: bool = False
    checks: tuple[Check, ...] = ()
    complete: bool = True


def question(numbers: Iterable[int]) -> str:
    """The query about pull requests, with the variables ``owner`` and ``name``."""
    return _QUESTION % " ".join(
        f"p{number}: pullRequest(number: {number}) {{ {_PULL_REQUEST} {_CHECKS % {'number': number, 'after': ''}} }}"
        for number in numbers
    )


def further_question(cursors: Mapping[int, str]) -> str:
    """The query about further checks of pull requests, by number, each after the cursor of its last answer."""
    asked = []
    for number, cursor in cursors.items():
        after = f", after: {json.dumps(cursor)}"  # a string of JSON is one of GraphQL
        asked.append(f"p{number}: pullRequest(number: {number}) {{ {_CHECKS % {'number': number, 'after': after}} }}")
    return _QUESTION % " ".join(asked)


def read_budget(answer: Mapping[str, Any]) -> Budget | None:
    """What an answer says of the budget that it was paid from; `None` where a server keeps none."""
    found = answer.get("rateLimit")
    if not found:
        return None
    reset = datetime.fromisoformat(found["resetAt"])
    return Budget(limit=found["limit"], remaining=found["remaining"], resets_at=reset.timestamp())


def read_snapshot(number: int, answer: Mapping[str, Any]) -> tuple[Snapshot | None, str | None]:
    """A pull request from an answer, with the cursor of its further checks if there are any.

    Returns:
        `None` for the pull request where GitHub shows none of that number.
    """
    found = (answer.get("repository") or {}).get(f"p{number}")
    if found is None:
        return None, None
    checks, cursor = _checks(found)
    place = found["mergeQueueEntry"]
    snapshot = Snapshot(
        number=found["number"],
        url=found["url"],
        state=found["state"].lower(),
        draft=found["isDraft"],
        mergeable=found["mergeable"],
        merge_state=found["mergeStateStatus"],
        head_sha=found["headRefOid"],
        base=found["baseRefName"],
        review=found["reviewDecision"] or "",
        queued=QueuePlace(state=place["state"].lower(), position=place["position"]) if place else None,
        has_queue=found["isMergeQueueEnabled"],
        checks=checks,
        complete=cursor is None,
    )
    return snapshot, cursor


def with_further(snapshot: Snapshot, answer: Mapping[str, Any]) -> tuple[Snapshot, str | None]:
    """A pull request with the checks of a further answer, and the cursor of those beyond.

    Where the pull request's last commit is another one meanwhile, it stays incomplete: the next look tells.
    """
    found = (answer.get("repository") or {}).get(f"p{snapshot.number}")
    checks, cursor = _checks(found) if found is not None else ((), None)
    same = bool(checks) and {check.commit for check in checks} == {check.commit for check in snapshot.checks}
    if not same:
        return snapshot, None
    return attrs.evolve(snapshot, checks=snapshot.checks + checks, complete=cursor is None), cursor


def _checks(found: Mapping[str, Any]) -> tuple[tuple[Check, ...], str | None]:
    commits = found["commits"]["nodes"]
    commit = commits[-1]["commit"] if commits else {}
    rollup = commit.get("statusCheckRollup")
    if not rollup:
        return (), None
    page = rollup["contexts"]["pageInfo"]
    nodes = [node for node in rollup["contexts"]["nodes"] if node]
    return tuple(_check(commit["oid"], node) for node in nodes), page["endCursor"] if page["hasNextPage"] else None


def _check(commit: str, node: Mapping[str, Any]) -> Check:
    if node["__typename"] == "StatusContext":
        state = node["state"].lower()
        return Check(
            name=node["context"],
            commit=commit,
            conclusion="" if state in ("pending", "expected") else state,
            url=node["targetUrl"] or "",
            title=node["description"] or "",
            required=node["isRequired"],
        )
    app = (node["checkSuite"] or {}).get("app") or {}
    return Check(
        name=node["name"],
        commit=commit,
        conclusion=(node["conclusion"] or "").lower() if node["status"] == "COMPLETED" else "",
        app=app.get("slug") or "",
        app_id=app.get("databaseId"),
        number=node["databaseId"] or 0,
        url=node["detailsUrl"] or "",
        title=node["title"] or "",
        required=node["isRequired"],
    )
