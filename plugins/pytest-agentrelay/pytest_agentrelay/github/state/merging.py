"""The merge button: by merge, squash or rebase, pinned or not, refused in GitHub's words."""

from __future__ import annotations

import attrs

from pytest_agentrelay.github.state.bare import HEADS, Commit
from pytest_agentrelay.github.state.hub import Hub
from pytest_agentrelay.github.state.judging import Judgement, judge
from pytest_agentrelay.github.state.noticing import leave_queue, notice
from pytest_agentrelay.github.state.records import MergeMethod, PullRequest
from pytest_agentrelay.github.state.refusals import Refused, not_mergeable
from pytest_agentrelay.github.state.repository import RepositoryState

_NAMES: dict[MergeMethod, str] = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}


@attrs.frozen(kw_only=True)
class MergeOrder:
    """How a pull request is to be merged.

    Args:
        method: The method.
        title: The first line of the commit; GitHub's own if it is None.
        message: The rest of the commit; GitHub's own if it is None.
        expected: The head that it must have.
        by_queue: Whether the merge queue does it, which needs no leave of the queue.
    """

    method: MergeMethod = "merge"
    title: str | None = None
    message: str | None = None
    expected: str | None = None
    by_queue: bool = False


def merge(hub: Hub, repository: RepositoryState, number: int, actor: str, order: MergeOrder) -> PullRequest:
    """Merge a pull request.

    Raises:
        Refused: It cannot be merged so.
    """
    pull = repository.pull(number)
    if pull.state == "merged":
        raise not_mergeable("Pull Request is already merged")
    if pull.state == "closed":
        raise not_mergeable("Pull Request is closed")
    if order.expected is not None and order.expected != pull.head_sha:
        raise Refused("Head branch was modified. Review and try the merge again.", status=409)
    verdict = judge(repository, pull)
    _object(repository, pull, verdict, order)
    base = repository.seen[pull.base]
    commit = _commit(hub, repository, pull, verdict, order, base)
    if not repository.bare.update(HEADS + pull.base, commit, base):
        raise not_mergeable("Base branch was modified. Review and try the merge again.")
    leave_queue(repository, number)
    now = hub.clock()
    merged = repository.change(
        number,
        state="merged",
        closed_at=now,
        merged_at=now,
        updated_at=now,
        merged_by=actor,
        merge_commit=commit,
        merge_method=order.method,
        base_sha=base,
        auto_merge=None,
    )
    hub.happen("merged", repository, actor, number=number, sha=commit, method=order.method, branch=pull.base)
    own = {pull.base}
    if repository.settings.delete_branch_on_merge and pull.head_repository == repository.slug:
        repository.bare.delete(HEADS + pull.head)
        own.add(pull.head)
        hub.happen("deleted", repository, actor, branch=pull.head)
    notice(hub, repository, actor=actor, own=frozenset(own))
    return merged


def update_branch(hub: Hub, repository: RepositoryState, number: int, actor: str, expected: str | None) -> None:
    """Merge the base into a pull request's head, as the button "Update branch" does.

    Raises:
        Refused: It is closed or up to date, its head is another one, or the two conflict.
    """
    pull = repository.pull(number)
    base = repository.seen.get(pull.base)
    if expected is not None and expected != pull.head_sha:
        raise Refused("expected head sha didn\N{RIGHT SINGLE QUOTATION MARK}t match current head ref.")
    if not pull.open or base is None or repository.bare.is_ancestor(base, pull.head_sha):
        raise Refused("There are no new commits on the base branch.")
    tree = repository.merged_tree(base, pull.head_sha)
    if tree is None:
        raise Refused("merge conflict between base and head")
    commit = repository.bare.write_commit(
        tree=tree,
        parents=(pull.head_sha, base),
        message=f"Merge branch '{pull.base}' into {pull.head}\n",
        author=(actor, f"{actor}@users.noreply.github.com"),
        at=hub.clock(),
    )
    repository.bare.update(HEADS + pull.head, commit, pull.head_sha)
    notice(hub, repository, actor=actor)


def _object(repository: RepositoryState, pull: PullRequest, verdict: Judgement, order: MergeOrder) -> None:
    allowed = repository.protection(pull.base).methods
    if order.method not in repository.settings.methods or order.method not in allowed:
        raise not_mergeable(f"{_NAMES[order.method]} are not allowed on this repository.")
    if pull.draft:
        raise not_mergeable("Pull Request is still a draft")
    if verdict.mergeable != "MERGEABLE":
        raise not_mergeable()
    if verdict.objections:
        raise not_mergeable("Repository rule violations found\n\n" + "\n\n".join(verdict.objections))
    if verdict.status == "BEHIND":
        raise not_mergeable("Repository rule violations found\n\nHead branch is not up to date with the base branch.")
    if pull.base in repository.queues and not order.by_queue:
        raise not_mergeable("Repository rule violations found\n\nChanges must be made through the merge queue")


def _commit(
    hub: Hub, repository: RepositoryState, pull: PullRequest, verdict: Judgement, order: MergeOrder, base: str
) -> str:
    assert verdict.tree is not None
    commits = repository.bare.commits(base, pull.head_sha)
    if order.method == "rebase":
        return _rebased(hub, repository, commits, base)
    title, message = default_message(pull, order.method, commits)
    text = f"{title if order.title is None else order.title}\n\n{message if order.message is None else order.message}"
    squash = order.method == "squash"
    return repository.bare.write_commit(
        tree=verdict.tree,
        parents=(base,) if squash else (base, pull.head_sha),
        message=text.strip() + "\n",
        author=commits[0].author if squash and commits else (pull.author, f"{pull.author}@users.noreply.github.com"),
        at=hub.clock(),
    )


def default_message(pull: PullRequest, method: MergeMethod, commits: list[Commit]) -> tuple[str, str]:
    """GitHub's own title and message of a merge."""
    if method == "merge":
        owner = pull.head_repository.partition("/")[0]
        return f"Merge pull request #{pull.number} from {owner}/{pull.head}", pull.title
    if len(commits) == 1:
        return f"{commits[0].subject} (#{pull.number})", commits[0].body
    return f"{pull.title} (#{pull.number})", "\n\n".join(f"* {commit.message}" for commit in commits)


def _rebased(hub: Hub, repository: RepositoryState, commits: list[Commit], base: str) -> str:
    """Each commit on top of the last one; merges are left out, as GitHub does."""
    bare, tip = repository.bare, base
    for commit in commits:
        if len(commit.parents) != 1:
            continue
        # This git's merge-tree takes no merge base, so the tip's tree is written as a child of the commit's parent.
        stand_in = bare.write_commit(
            tree=bare.git("rev-parse", f"{tip}^{{tree}}"),
            parents=commit.parents,
            message="stand-in",
            author=commit.author,
            at=hub.clock(),
        )
        tree = bare.merged_tree(stand_in, commit.sha)
        if tree is None:
            raise not_mergeable("This branch can't be rebased")
        tip = bare.write_commit(
            tree=tree,
            parents=(tip,),
            message=commit.message + "\n",
            author=commit.author,
            at=hub.clock(),
            author_date=commit.date,
        )
    return tip
