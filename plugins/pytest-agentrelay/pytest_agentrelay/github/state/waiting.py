"""Merges that take place later: auto-merge when all is in order, the merge queue when a script lets it go."""

from __future__ import annotations

from pytest_agentrelay.github.state.hub import Hub
from pytest_agentrelay.github.state.judging import judge
from pytest_agentrelay.github.state.merging import MergeOrder, merge
from pytest_agentrelay.github.state.noticing import leave_queue
from pytest_agentrelay.github.state.records import AutoMerge, PullRequest
from pytest_agentrelay.github.state.refusals import Refused
from pytest_agentrelay.github.state.repository import RepositoryState


def enable_auto_merge(
    hub: Hub, repository: RepositoryState, number: int, wanted: AutoMerge, expected: str | None = None
) -> PullRequest:
    """Switch auto-merge on; on a branch with a merge queue, what is in order enters the queue at once.

    Raises:
        Refused: It is switched off in the repository, or the pull request could be merged now.
    """
    pull = repository.pull(number)
    if not pull.open:
        raise Refused("Pull request is closed" if pull.state == "closed" else "Pull request is already merged")
    if expected is not None and expected != pull.head_sha:
        raise Refused("Head branch was modified. Review and try the merge again.", status=409)
    if pull.base in repository.queues:
        repository.change(number, auto_merge=wanted, updated_at=hub.clock())
        hub.happen("auto_merge", repository, wanted.by, number=number)
        settle(hub, repository)
        return repository.pull(number)
    if not repository.settings.auto_merge:
        raise Refused("Auto merge is not allowed for this repository")
    if judge(repository, pull).status in ("CLEAN", "UNSTABLE"):
        raise Refused("Pull request is in clean status")
    changed = repository.change(number, auto_merge=wanted, updated_at=hub.clock())
    hub.happen("auto_merge", repository, wanted.by, number=number)
    return changed


def disable_auto_merge(hub: Hub, repository: RepositoryState, number: int) -> PullRequest:
    """Switch auto-merge off."""
    repository.pull(number)
    return repository.change(number, auto_merge=None, updated_at=hub.clock())


def enqueue(hub: Hub, repository: RepositoryState, number: int, actor: str, expected: str | None = None) -> PullRequest:
    """Put a pull request into its base's merge queue.

    Raises:
        Refused: There is no queue, something stands against the merge, or it has not the head that was expected.
    """
    pull = repository.pull(number)
    if pull.base not in repository.queues:
        raise Refused("Merge queue is not enabled for this branch")
    if expected is not None and expected != pull.head_sha:
        raise Refused("Head branch was modified. Review and try the merge again.", status=409)
    verdict = judge(repository, pull)
    if not pull.open or pull.draft or verdict.mergeable != "MERGEABLE" or verdict.objections:
        raise Refused("Pull request is not mergeable")
    waiting = repository.queues[pull.base]
    if number in waiting:
        raise Refused("Pull request is already in the queue")
    waiting.append(number)
    hub.happen("enqueued", repository, actor, number=number)
    return repository.change(number, auto_merge=None, updated_at=hub.clock())


def dequeue(hub: Hub, repository: RepositoryState, number: int, actor: str) -> PullRequest:
    """Take a pull request out of its merge queue.

    Raises:
        Refused: It is in none.
    """
    if not leave_queue(repository, number):
        raise Refused("Pull request is not in the queue")
    hub.happen("dequeued", repository, actor, number=number)
    return repository.change(number, updated_at=hub.clock())


def release_queue(hub: Hub, repository: RepositoryState, branch: str, order: MergeOrder) -> list[int]:
    """Let a branch's merge queue go; the numbers that were merged. What cannot be merged leaves the queue."""
    merged = []
    for number in list(repository.queues[branch]):
        try:
            merge(hub, repository, number, "github-merge-queue[bot]", order)
        except Refused:
            dequeue(hub, repository, number, "github-merge-queue[bot]")
        else:
            merged.append(number)
    return merged


def settle(hub: Hub, repository: RepositoryState) -> None:
    """Do what auto-merge has waited for, where nothing stands against it any more."""
    for number in sorted(repository.pulls):
        pull = repository.pulls[number]
        if not pull.open or pull.auto_merge is None or judge(repository, pull).status not in ("CLEAN", "UNSTABLE"):
            continue
        wanted = pull.auto_merge
        if pull.base in repository.queues:
            enqueue(hub, repository, number, wanted.by)
        else:
            order = MergeOrder(method=wanted.method, title=wanted.title, message=wanted.message)
            merge(hub, repository, number, wanted.by, order)
