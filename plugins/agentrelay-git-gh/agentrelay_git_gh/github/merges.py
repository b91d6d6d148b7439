"""Merging one pull request, pinned to the commit that was verified.

Success is claimed only when GitHub shows the pull request as merged, with that commit and into that branch, whoever
merged it and how. What GitHub answers to the request itself only says what to do next.
"""

from collections.abc import Callable
from typing import Final, Literal

import attrs

from agentrelay_core.runtime import HeadMoved, IntegrationBoundary, Parked
from agentrelay_git_gh.failpoints import failpoint
from agentrelay_git_gh.git.merging import MergeMessage
from agentrelay_git_gh.github.command import GitHubApi
from agentrelay_git_gh.github.failures import Ambiguous, Refused
from agentrelay_git_gh.github.records import GitHubPullRequest

Method = Literal["merge", "squash", "rebase"]

MERGING_TRIES: Final = 5
LOOKS: Final = 4
_FIRST_PAUSE: Final = 1.0


@attrs.frozen(kw_only=True)
class Merge:
    """One merge.

    Args:
        api: The adapter.
        number: The pull request's number.
        look: Gets the pull request as it is now.
        head_sha: The commit to merge, full hash.
        base: The branch to merge into.
        message: What the merge commit says; GitHub takes none for ``rebase``.
        method: How it is merged.
    """

    api: GitHubApi
    number: int
    look: Callable[[], GitHubPullRequest]
    head_sha: str
    base: str
    message: MergeMessage
    method: Method

    def perform(self) -> str:
        """Merge it, or find that it is merged; see `PullRequests.merge`."""
        last = ""
        for number in range(MERGING_TRIES):
            merged = self.settled()
            if merged is not None:
                return merged
            failpoint("merge-asked")
            try:
                self.api.write("PUT", f"{self.api.site.path}/pulls/{self.number}/merge", self._fields())
                failpoint("merged")
            except Refused as failure:
                merged = self.settled()
                if merged is not None:
                    return merged
                if not _may_pass(failure):
                    raise
                last = failure.said
                self.wait(number)
                continue
            except Ambiguous as failure:
                last = str(failure)
            else:
                last = "GitHub answered that it is merged, and shows it open"
            merged = self._seen_merged()
            if merged is not None:
                return merged
        raise _parked(
            f"{self.look().url} is not merged after {MERGING_TRIES} tries; the last: {last}; "
            "look there, then type `agentrelay run`"
        )

    def _seen_merged(self) -> str | None:
        """Look until it shows as merged; `None` when it goes on to show as open."""
        for number in range(LOOKS):
            merged = self.settled()
            if merged is not None:
                return merged
            self.wait(number)
        return None

    def settled(self) -> str | None:
        """The merge, if it is merged as it should be; `None` while it is open.

        Raises:
            Parked: It cannot be merged any more, or should not be.
        """
        found = self.look()
        if found.base != self.base:
            raise wrong_target(found, self.head_sha, self.base)
        if found.state == "merged" and found.head_sha != self.head_sha:
            raise _parked(
                f"{found.url} was merged at {found.head_sha}, and {self.head_sha} was verified; "
                f"look at what is in {self.base} now, then type `agentrelay run`"
            )
        if found.state == "closed":
            raise _parked(
                f"{found.url} was closed and is not merged; reopen it (`gh pr reopen {found.url}`), "
                "then type `agentrelay run`"
            )
        if found.head_sha != self.head_sha:
            raise HeadMoved(
                f"{found.url} stands at {found.head_sha}, and {self.head_sha} was verified; it was not merged. "
                "Look at what was pushed, then type `agentrelay run` to have it verified",
                boundary=IntegrationBoundary.PULL_REQUEST,
            )
        return found.merge_sha

    def _fields(self) -> dict[str, object]:
        fields: dict[str, object] = {"sha": self.head_sha, "merge_method": self.method}
        if self.method != "rebase":
            title, _, rest = str(self.message).partition("\n")
            fields |= {"commit_title": title, "commit_message": rest.strip()}
        return fields

    def wait(self, number: int) -> None:
        """Pause between two tries, the longer the more there were."""
        self.api.pause(self.api.jitter(_FIRST_PAUSE * 2**number))


def wrong_target(found: GitHubPullRequest, head_sha: str | None, base: str) -> Parked:
    """A pull request has another target than it was opened with, or was merged into another one.

    Args:
        found: The pull request as it is.
        head_sha: What was to be merged, full hash.
        base: The branch that it belongs into.
    """
    if found.state == "merged":
        return _parked(
            f"{found.url} was merged into {found.base} as {found.merge_sha}, and {head_sha} belongs into {base}; "
            f"merge it there too, then type `agentrelay run`"
        )
    return _parked(
        f"{found.url} goes into {found.base} (at {found.base_sha}) now, and {head_sha} belongs into {base}; "
        f"change its target back (`gh pr edit {found.url} --base {base}`), then type `agentrelay run`"
    )


def _may_pass(failure: Refused) -> bool:
    """Whether GitHub only says that a branch moved at that very moment; the source was looked at after that."""
    return failure.status == 409 or "base branch was modified" in failure.said.lower()


def _parked(message: str) -> Parked:
    return Parked(message, boundary=IntegrationBoundary.PULL_REQUEST)
