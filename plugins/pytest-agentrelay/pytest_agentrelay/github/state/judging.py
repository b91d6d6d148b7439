"""Whether a pull request can be merged, and what stands against it."""

from __future__ import annotations

from typing import Literal

import attrs

from pytest_agentrelay.github.state.checks import rollup
from pytest_agentrelay.github.state.records import PullRequest
from pytest_agentrelay.github.state.repository import RepositoryState

Mergeable = Literal["MERGEABLE", "CONFLICTING", "UNKNOWN"]
Status = Literal["CLEAN", "DIRTY", "BLOCKED", "BEHIND", "DRAFT", "UNSTABLE", "UNKNOWN"]
Decision = Literal["APPROVED", "CHANGES_REQUESTED", "REVIEW_REQUIRED"]


@attrs.frozen(kw_only=True)
class Judgement:
    """What is true of an open pull request now.

    Args:
        mergeable: Whether its commits merge without conflicts.
        status: What GitHub calls its merge state.
        tree: The tree of the merge, if there are no conflicts.
        objections: What the base branch still asks, in GitHub's words.
    """

    mergeable: Mergeable
    status: Status
    tree: str | None = None
    objections: tuple[str, ...] = ()


def judge(repository: RepositoryState, pull: PullRequest) -> Judgement:
    """Work out the merge state of a pull request; it is unknown once it is not open."""
    base = repository.seen.get(pull.base)
    if not pull.open or base is None:
        return Judgement(mergeable="UNKNOWN", status="UNKNOWN")
    tree = repository.merged_tree(base, pull.head_sha)
    if tree is None:
        return Judgement(mergeable="CONFLICTING", status="DIRTY")
    objections = _objections(repository, pull)
    status: Status
    if pull.draft:
        status = "DRAFT"
    elif objections:
        status = "BLOCKED"
    elif repository.protection(pull.base).strict and not repository.bare.is_ancestor(base, pull.head_sha):
        status = "BEHIND"
    elif rollup(repository.checks.now(pull.head_sha)) in ("FAILURE", "PENDING"):
        status = "UNSTABLE"
    else:
        status = "CLEAN"
    return Judgement(mergeable="MERGEABLE", status=status, tree=tree, objections=objections)


def _objections(repository: RepositoryState, pull: PullRequest) -> tuple[str, ...]:
    protection = repository.protection(pull.base)
    checks = repository.checks.now(pull.head_sha)
    missing = []
    for name in protection.checks:
        found = [check for check in checks if check.name == name]
        if not found:
            missing.append(f'Required status check "{name}" is expected.')
        elif any(check.pending for check in found):
            missing.append(f'Required status check "{name}" is in progress.')
        elif not all(check.passed for check in found):
            missing.append(f'Required status check "{name}" is failing.')
    if decide(repository, pull) == "CHANGES_REQUESTED":
        missing.append("Changes have been requested.")
    elif protection.reviews > _approvals(pull):
        count = protection.reviews
        noun = "review is" if count == 1 else "reviews are"
        missing.append(f"At least {count} approving {noun} required by reviewers with write access.")
    return tuple(missing)


def decide(repository: RepositoryState, pull: PullRequest) -> Decision | None:
    """GitHub's review decision; None where the base asks for no review."""
    needed = repository.protection(pull.base).reviews
    if not needed:
        return None
    if "CHANGES_REQUESTED" in latest(pull).values():
        return "CHANGES_REQUESTED"
    return "APPROVED" if _approvals(pull) >= needed else "REVIEW_REQUIRED"


def latest(pull: PullRequest) -> dict[str, str]:
    """The last verdict of each reviewer; a mere comment is none."""
    return {review.author: review.state for review in pull.reviews if review.state != "COMMENTED"}


def _approvals(pull: PullRequest) -> int:
    return sum(1 for state in latest(pull).values() if state == "APPROVED")
