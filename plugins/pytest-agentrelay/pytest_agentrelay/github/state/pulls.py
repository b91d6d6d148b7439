"""What can be done to a pull request beside merging it: open, edit, close, reopen, review, comment."""

from __future__ import annotations

import attrs

from pytest_agentrelay.github.state.hub import Hub
from pytest_agentrelay.github.state.noticing import close as close
from pytest_agentrelay.github.state.noticing import keep_head
from pytest_agentrelay.github.state.records import Comment, PullRequest, Review
from pytest_agentrelay.github.state.refusals import Refused, invalid
from pytest_agentrelay.github.state.repository import RepositoryState
from pytest_agentrelay.github.state.waiting import settle


@attrs.frozen(kw_only=True)
class Opening:
    """A pull request that is to be opened; the head is ``branch`` or ``owner:branch``."""

    title: str
    head: str
    base: str
    body: str = ""
    draft: bool = False
    head_repository: str | None = None


def open_pull(hub: Hub, repository: RepositoryState, actor: str, wanted: Opening) -> PullRequest:
    """Open a pull request.

    Raises:
        Refused: A branch is missing, there is nothing to merge, or one is open for that head and base.
    """
    source, branch = _head(hub, repository, wanted)
    head, base = source.seen.get(branch), repository.seen.get(wanted.base)
    if base is None:
        raise _invalid_field("base", "Base ref must be a branch")
    if head is None:
        raise _invalid_field("head", "Head sha can't be blank, Head ref must be a branch")
    for pull in repository.pulls.values():
        if pull.open and (pull.head_repository, pull.head, pull.base) == (source.slug, branch, wanted.base):
            raise invalid(f"A pull request already exists for {source.owner}:{branch}.")
    number = max(repository.pulls, default=0) + 1
    keep_head(repository, source, number, branch, head)
    if repository.bare.is_ancestor(head, base):
        repository.bare.delete(f"refs/pull/{number}/head")
        raise invalid(f"No commits between {wanted.base} and {wanted.head}")
    if not wanted.title.strip():
        raise Refused(
            "Validation Failed", errors=({"resource": "PullRequest", "code": "missing_field", "field": "title"},)
        )
    now = hub.clock()
    pull = PullRequest(
        number=number,
        node_id=f"PR_kwDO{repository.number:04}{number:06}",
        title=wanted.title,
        body=wanted.body,
        author=actor,
        base=wanted.base,
        head=branch,
        head_repository=source.slug,
        head_sha=head,
        base_sha=base,
        created_at=now,
        updated_at=now,
        draft=wanted.draft,
        hidden_looks=repository.hide_next,
    )
    repository.hide_next = 0
    repository.pulls[number] = pull
    hub.happen("opened", repository, actor, number=number, branch=branch, sha=head)
    return pull


def _head(hub: Hub, repository: RepositoryState, wanted: Opening) -> tuple[RepositoryState, str]:
    owner, colon, branch = wanted.head.rpartition(":")
    if wanted.head_repository is not None:
        return hub.repository(wanted.head_repository), branch
    if not colon or owner.lower() == repository.owner.lower():
        return repository, branch
    for other in hub.repositories.values():
        if other.owner.lower() == owner.lower() and other.parent == repository.slug:
            return other, branch
    raise _invalid_field("head", "Head sha can't be blank, Head repository can't be blank")


def _invalid_field(field: str, message: str) -> Refused:
    problem = {"resource": "PullRequest", "field": field, "code": "invalid"}
    return Refused(message, errors=(problem,), plain="Validation Failed")


def edit(hub: Hub, repository: RepositoryState, number: int, actor: str, **fields: str) -> PullRequest:
    """Change the title, the body or the base of a pull request.

    Raises:
        Refused: The new base is no branch.
    """
    repository.pull(number)
    if "base" in fields and fields["base"] not in repository.seen:
        raise _invalid_field("base", "Base ref must be a branch")
    if "base" in fields:
        fields["base_sha"] = repository.seen[fields["base"]]
    changed = repository.change(number, updated_at=hub.clock(), **fields)
    hub.happen("edited", repository, actor, number=number)
    return changed


def reopen(hub: Hub, repository: RepositoryState, number: int, actor: str) -> PullRequest:
    """Open a closed pull request again.

    Raises:
        Refused: It is merged, its branch is gone, or another one is open for that head.
    """
    pull = repository.pull(number)
    if pull.open:
        return pull
    source = hub.repositories[pull.head_repository]
    others = [one for one in repository.pulls.values() if one.open and one.number != number]
    if pull.state == "merged":
        raise invalid("Could not open the pull request.")
    if pull.head not in source.seen:
        raise invalid(f"The {pull.head} branch has been deleted.")
    if any((one.head, one.head_repository, one.base) == (pull.head, pull.head_repository, pull.base) for one in others):
        raise invalid(f"A pull request already exists for {source.owner}:{pull.head}.")
    head = source.seen[pull.head]
    keep_head(repository, source, number, pull.head, head)
    changed = repository.change(
        number, state="open", closed_at=None, head_sha=head, reopened=pull.reopened + 1, updated_at=hub.clock()
    )
    hub.happen("reopened", repository, actor, number=number)
    return changed


def set_draft(hub: Hub, repository: RepositoryState, number: int, actor: str, *, draft: bool) -> PullRequest:
    """Make a pull request a draft, or ready for review."""
    repository.pull(number)
    changed = repository.change(number, draft=draft, updated_at=hub.clock())
    hub.happen("draft" if draft else "ready", repository, actor, number=number)
    settle(hub, repository)
    return changed


def review(hub: Hub, repository: RepositoryState, number: int, actor: str, state: str, body: str = "") -> Review:
    """Review a pull request: ``APPROVED``, ``CHANGES_REQUESTED`` or ``COMMENTED``.

    Raises:
        Refused: People do not approve their own.
    """
    pull = repository.pull(number)
    if actor == pull.author and state != "COMMENTED":
        raise invalid("Can not approve your own pull request", "PullRequestReview")
    made = Review(number=hub.next_number(), author=actor, state=state, body=body, sha=pull.head_sha, at=hub.clock())
    repository.change(number, reviews=(*pull.reviews, made), updated_at=made.at)
    hub.happen("reviewed", repository, actor, number=number)
    settle(hub, repository)
    return made


def comment(hub: Hub, repository: RepositoryState, number: int, actor: str, body: str) -> Comment:
    """Comment on a pull request."""
    pull = repository.pull(number)
    made = Comment(number=hub.next_number(), author=actor, body=body, at=hub.clock())
    repository.change(number, comments=(*pull.comments, made), updated_at=made.at)
    hub.happen("commented", repository, actor, number=number)
    return made
