"""The facts of a repository on the emulated GitHub: frozen records, replaced when something happens to them."""

from __future__ import annotations

from typing import Literal

import attrs

MergeMethod = Literal["merge", "squash", "rebase"]
METHODS: tuple[MergeMethod, ...] = ("merge", "squash", "rebase")


@attrs.frozen(kw_only=True)
class Review:
    """A review of a pull request.

    Args:
        number: Its database id.
        author: Who reviewed.
        state: ``APPROVED``, ``CHANGES_REQUESTED`` or ``COMMENTED``.
        body: What was said.
        sha: The head that was reviewed.
        at: When, in seconds since the epoch.
    """

    number: int
    author: str
    state: str
    body: str
    sha: str
    at: float


@attrs.frozen(kw_only=True)
class Comment:
    """A comment on a pull request; `at` is in seconds since the epoch."""

    number: int
    author: str
    body: str
    at: float


@attrs.frozen(kw_only=True)
class AutoMerge:
    """A merge that takes place once nothing stands against it any more."""

    method: MergeMethod
    by: str
    at: float
    title: str | None = None
    message: str | None = None


@attrs.frozen(kw_only=True)
class PullRequest:
    """A pull request.

    Args:
        number: Its number in the repository.
        node_id: Its id in GraphQL.
        title: Its title.
        body: Its text.
        author: Who opened it.
        base: The branch that it goes into.
        head: The branch that it comes from.
        head_repository: ``owner/name`` of the head's repository; another one for a fork.
        head_sha: The last commit of the head that was seen; it stays when the pull request is closed.
        base_sha: The base's tip when it was opened or merged.
        created_at: When it was opened, in seconds since the epoch; the other times are as well.
        updated_at: When something last happened to it.
        state: Whether it is open, closed or merged.
        draft: Whether it is a draft.
        reopened: How often it was opened again.
        closed_at: When it was closed or merged.
        merged_at: When it was merged.
        merged_by: Who merged it.
        merge_commit: The commit that the base got.
        merge_method: How it was merged; ``push`` when its commits were pushed to the base.
        auto_merge: The merge that is to take place later.
        reviews: Its reviews, oldest first.
        comments: Its comments, oldest first.
        hidden_looks: How often a list still leaves it out.
    """

    number: int
    node_id: str
    title: str
    body: str
    author: str
    base: str
    head: str
    head_repository: str
    head_sha: str
    base_sha: str
    created_at: float
    updated_at: float
    state: Literal["open", "closed", "merged"] = "open"
    draft: bool = False
    reopened: int = 0
    closed_at: float | None = None
    merged_at: float | None = None
    merged_by: str | None = None
    merge_commit: str | None = None
    merge_method: str | None = None
    auto_merge: AutoMerge | None = None
    reviews: tuple[Review, ...] = ()
    comments: tuple[Comment, ...] = ()
    hidden_looks: int = 0

    @property
    def open(self) -> bool:
        """Whether it is open."""
        return self.state == "open"


@attrs.frozen(kw_only=True)
class Protection:
    """What a branch asks of a pull request before it is merged.

    Args:
        checks: The checks that must have passed.
        reviews: How many approvals are needed.
        strict: Whether the head must have the base's tip in it.
        methods: The merge methods that are allowed.
        form: Whether it is told as a classic protection or as a ruleset.
        closed: Whether pushes to the branch are refused.
    """

    checks: tuple[str, ...] = ()
    reviews: int = 0
    strict: bool = False
    methods: tuple[MergeMethod, ...] = METHODS
    form: Literal["classic", "ruleset"] = "classic"
    closed: bool = False


@attrs.frozen(kw_only=True)
class Settings:
    """The settings of a repository.

    Args:
        methods: The merge methods that are allowed.
        auto_merge: Whether auto-merge may be switched on.
        delete_branch_on_merge: Whether a merged head is deleted.
        private: Whether only those with rights see it.
        archived: Whether nothing may be changed any more.
    """

    methods: tuple[MergeMethod, ...] = METHODS
    auto_merge: bool = True
    delete_branch_on_merge: bool = False
    private: bool = True
    archived: bool = False
