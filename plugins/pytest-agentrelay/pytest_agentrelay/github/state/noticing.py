"""What follows when branches move: pull requests get new heads, are merged by a push, or lose their branch.

Branches move by pushes that no API call announces, so they are looked at whenever somebody asks anything.
"""

from __future__ import annotations

from pytest_agentrelay.github.state.bare import HEADS
from pytest_agentrelay.github.state.hub import Hub
from pytest_agentrelay.github.state.records import PullRequest
from pytest_agentrelay.github.state.repository import RepositoryState

SOMEBODY = "somebody"


def notice(hub: Hub, repository: RepositoryState, *, actor: str = SOMEBODY, own: frozenset[str] = frozenset()) -> None:
    """See which branches moved, and let what follows happen.

    Args:
        hub: The memory.
        repository: The repository.
        actor: Who is taken to have pushed.
        own: Branches that the caller moved itself, which are no pushes.
    """
    before, now = repository.seen, repository.bare.branches()
    repository.seen = now
    for branch in sorted(before.keys() | now.keys()):
        if before.get(branch) != now.get(branch) and branch not in own:
            kind = "pushed" if branch in now else "deleted"
            hub.happen(kind, repository, actor, branch=branch, sha=now.get(branch))
    for number in sorted(repository.pulls):
        pull = repository.pulls[number]
        if pull.open:
            _follow(hub, repository, pull, actor, base_moved=before.get(pull.base) != now.get(pull.base))
    for fork in hub.repositories.values():
        if before != now and any(
            pull.open and pull.head_repository == repository.slug and fork.slug != repository.slug
            for pull in fork.pulls.values()
        ):
            notice(hub, fork, actor=actor)


def _follow(hub: Hub, repository: RepositoryState, pull: PullRequest, actor: str, *, base_moved: bool) -> None:
    source = hub.repositories[pull.head_repository]
    if source is not repository:
        source.seen = source.bare.branches()
    head = source.seen.get(pull.head)
    if head is None:
        close(hub, repository, pull, actor)
        return
    if head != pull.head_sha:
        keep_head(repository, source, pull.number, pull.head, head)
        pull = repository.change(pull.number, head_sha=head, updated_at=hub.clock())
    base = repository.seen.get(pull.base)
    if base is None:
        close(hub, repository, pull, actor)
    elif (base_moved or head == base) and repository.bare.is_ancestor(head, base):
        if base_moved:
            _merged_by_push(hub, repository, pull, actor, base)
        else:
            close(hub, repository, pull, actor)


def _merged_by_push(hub: Hub, repository: RepositoryState, pull: PullRequest, actor: str, base: str) -> None:
    path = repository.bare.git("rev-list", "--ancestry-path", "--first-parent", "--reverse", f"{pull.head_sha}..{base}")
    commit = path.partition("\n")[0] or base
    now = hub.clock()
    repository.change(
        pull.number,
        state="merged",
        closed_at=now,
        merged_at=now,
        updated_at=now,
        merged_by=actor,
        merge_commit=commit,
        merge_method="push",
        auto_merge=None,
    )
    hub.happen("merged", repository, actor, number=pull.number, sha=commit, method="push", branch=pull.base)


def close(hub: Hub, repository: RepositoryState, pull: PullRequest, actor: str) -> PullRequest:
    """Close a pull request, whoever wants it."""
    leave_queue(repository, pull.number)
    now = hub.clock()
    changed = repository.change(pull.number, state="closed", closed_at=now, updated_at=now, auto_merge=None)
    hub.happen("closed", repository, actor, number=pull.number)
    return changed


def leave_queue(repository: RepositoryState, number: int) -> bool:
    """Take a pull request out of the merge queue; whether it was in one."""
    for waiting in repository.queues.values():
        if number in waiting:
            waiting.remove(number)
            return True
    return False


def keep_head(base: RepositoryState, source: RepositoryState, number: int, branch: str, sha: str) -> None:
    """Let the base's repository hold a pull request's head, as ``refs/pull/N/head``."""
    if source is not base:
        base.bare.git(
            "fetch", "--quiet", "--no-tags", str(source.bare.path), f"+{HEADS}{branch}:refs/pull/{number}/head"
        )
    base.bare.update(f"refs/pull/{number}/head", sha)
