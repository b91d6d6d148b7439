"""What an open pull request waits for before it may be merged: each state by its name, for people."""

from collections.abc import Sequence
from typing import Final

import attrs

from agentrelay_git_gh.github.checks import Verdict, instead
from agentrelay_git_gh.github.snapshots import Snapshot

# GitHub's merge states in which nothing of its own stands against a merge.
MERGEABLE: Final = frozenset({"CLEAN", "UNSTABLE", "HAS_HOOKS"})

_REVIEWS: Final = {"CHANGES_REQUESTED": "changes requested", "REVIEW_REQUIRED": "review required"}


@attrs.frozen(kw_only=True)
class Waiting:
    """Something that is waited for.

    Args:
        state: Its name.
        detail: What exactly.
        remedy: What a person can do when it takes too long.
    """

    state: str
    detail: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.state}: {self.detail}"


def waiting_for(snapshot: Snapshot, verdict: Verdict, rules: Sequence[str] = ()) -> Waiting | None:
    """What an open pull request, whose head is the verified one, waits for.

    Args:
        snapshot: The last look.
        verdict: What the policy makes of its checks.
        rules: What the target asks for besides checks and reviews, in words for people.

    Returns:
        The first thing that stands against a merge, `None` when nothing does.
    """
    url = snapshot.url
    if snapshot.draft:
        return Waiting(state="draft", detail="not ready for review", remedy=f"type `gh pr ready {url}`")
    if snapshot.queued is not None:
        place = f"position {snapshot.queued.position}, {snapshot.queued.state.replace('_', ' ')}"
        return Waiting(state="merge queue", detail=place, remedy=f"look with `gh pr view --web {url}`")
    if snapshot.merge_state == "BEHIND":
        return behind(snapshot)
    if not snapshot.complete or not verdict.passed:
        return _checks(snapshot, verdict)
    if snapshot.review in _REVIEWS:
        detail = _REVIEWS[snapshot.review]
        return Waiting(state="review", detail=detail, remedy=f"review it: `gh pr review --approve {url}`")
    # A target with a queue is blocked for everybody but the queue.
    if snapshot.merge_state == "BLOCKED" and not snapshot.has_queue:
        asked = f", which asks for {' and '.join(rules)}" if rules else ""
        return Waiting(
            state="protection",
            detail=f"blocked by branch protection of {snapshot.base}{asked}",
            remedy=f"look what is asked for with `gh pr view --web {url}`",
        )
    if snapshot.mergeable != "MERGEABLE" or not (snapshot.merge_state in MERGEABLE or snapshot.has_queue):
        return mergeability("GitHub still works out whether it can be merged", url)
    return None


def behind(snapshot: Snapshot) -> Waiting:
    """The target takes only what is up to date with it."""
    return Waiting(
        state="behind",
        detail=f"{snapshot.base} takes only what is up to date with it",
        remedy=f"type `gh pr update-branch {snapshot.url}`",
    )


def mergeability(detail: str, url: str) -> Waiting:
    """GitHub has not said, or we do not see, whether it can be merged."""
    return Waiting(state="mergeability", detail=detail, remedy=f"look with `gh pr view --web {url}`")


def _checks(snapshot: Snapshot, verdict: Verdict) -> Waiting:
    detail = str(verdict) if not verdict.passed else "GitHub still lists them"
    remedy = f"look with `gh pr checks {snapshot.url}`"
    if verdict.missing:
        remedy += f"; {instead(verdict)}; correct `checks:` in the graph, or what {snapshot.base} asks for"
    return Waiting(state="checks", detail=detail, remedy=remedy)
