"""Pull requests on GitHub, identified by their branches in our own repository and by what we noted of them.

What an agent says of a pull request is a hint. A change that may or may not have happened is looked up before it is
asked for again; GitHub itself opens no second one for the same two branches, and merges none twice.
"""

from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.runtime import IntegrationBoundary, Parked, ProtocolViolation
from agentrelay_git_gh.failpoints import failpoint
from agentrelay_git_gh.git.merging import MergeMessage
from agentrelay_git_gh.github.answers import Answer
from agentrelay_git_gh.github.command import GitHubApi
from agentrelay_git_gh.github.failures import Ambiguous, Refused
from agentrelay_git_gh.github.merge_queue import enqueue
from agentrelay_git_gh.github.merges import Merge, Method, wrong_target
from agentrelay_git_gh.github.records import GitHubPullRequest, Notes
from agentrelay_git_gh.github.sites import pull_request_of
from agentrelay_git_gh.github.upkeep import bring_up_to_date
from agentrelay_git_gh.locks import lock_of

OPENING_TRIES: Final = 5
_FIRST_PAUSE: Final = 1.0
_SHOWN: Final = 10


class PullRequests:
    """The pull requests of one graph. Methods block, and may be called from several threads at once.

    Args:
        api: The adapter.
        records_directory: Where notes of what is ours are kept.
    """

    def __init__(self, api: GitHubApi, records_directory: Path) -> None:
        self._api = api
        self._site = api.site
        self._notes = Notes(records_directory)
        self._looked: dict[int, tuple[Answer, GitHubPullRequest]] = {}

    def find(self, head: str, base: str) -> GitHubPullRequest | None:
        """The pull request of a source and a target branch of our repository; `None` without one.

        That is the one that we noted, unless it is closed and another one is open; else the one that is open, and is
        noted now; else the newest.

        Raises:
            Parked: The noted one has another target now, or several are open and none of them was noted.
        """
        note = self._notes.of(head, base)
        listed = self._listed(head, base)
        noted = None
        if note is not None:
            noted = next((one for one in listed if one.node_id == note.node_id), None)
            noted = noted or self._noted(note.number, head, base)
            if noted.state != "closed":
                return noted
        opened = self._only_open(listed, head, base)
        if opened is not None:
            self._notes.keep(opened)
        return opened or noted or max(listed, key=lambda one: one.number, default=None)

    def open(self, head: str, base: str, title: str, body: str) -> GitHubPullRequest:
        """Open a pull request; one that is open already is returned.

        Raises:
            Refused: GitHub takes none for these branches.
            Parked: Ours was closed; or it stays unclear whether it was opened.
        """
        with lock_of("pull request", self._notes.directory, head, base):
            found = self.find(head, base)
            if found is not None and found.state == "open":
                return found
            if found is not None and found.state == "closed" and self._notes.of(head, base) is not None:
                raise _parked(
                    f"{found.url} was closed and is not merged; reopen it (`gh pr reopen {found.url}`), "
                    "then type `agentrelay run`"
                )
            opened = self._open(head, base, title, body)
            failpoint("opened")
            self._notes.keep(opened)
            failpoint("opening-noted")
            return opened

    def state(self, url: str) -> GitHubPullRequest:
        """What has become of a pull request of our repository, by URL; `KeyError` if there is none."""
        found = self._get(self._number(url))
        if found is None:
            raise KeyError(f"there is no pull request {url!r}")
        return found

    def identify(self, url: str, head: str, base: str) -> GitHubPullRequest:
        """The pull request of two branches, which somebody says has this URL.

        Raises:
            ProtocolViolation: It has another one; both are named, and what is wrong with the first.
        """
        found = self.find(head, base) or self._hinted(url, head, base)
        named = pull_request_of(url)
        if found is not None and named is not None and named[0].is_same(self._site) and named[1] == found.number:
            self._notes.keep(found)
            return found
        there = f"that is {found.url}" if found is not None else "there is none"
        raise ProtocolViolation(
            f"{url} is not the pull request of {head} into {base} in {self._site}: "
            f"{self._difference(url, head, base)}; {there}",
            boundary=IntegrationBoundary.PULL_REQUEST,
        )

    def merge(
        self,
        url: str,
        head_sha: str,
        message: MergeMessage,
        method: Method,
        *,
        base: str | None = None,
    ) -> str:
        """Merge a pull request as it was verified.

        Args:
            url: Its URL.
            head_sha: The commit to merge, full hash.
            message: What the merge commit says; GitHub takes none for ``rebase``.
            method: How it is merged.
            base: The target that it must have; default the noted one, else the one that it has.

        Returns:
            The commit on the target that GitHub calls the merge; merging again changes nothing and returns the same.

        Raises:
            HeadMoved: Its source is at another commit.
            Refused: GitHub does not merge it now: a conflict, a check, a rule; look at its state.
            Parked: It is closed, or has another target, or was merged with another commit; or it stays unclear.
        """
        return self._merge(url, head_sha, message, method, base).perform()

    def bring_up_to_date(self, url: str, head_sha: str) -> None:
        """Have GitHub merge a pull request's target into its source, if that is at a commit; `Refused` if it does not.

        Args:
            url: Its URL.
            head_sha: The commit, full hash.
        """
        bring_up_to_date(self._merge(url, head_sha, MergeMessage(subject=""), "merge", None))

    def enqueue(self, url: str, head_sha: str, *, base: str | None = None) -> str | None:
        """Put a pull request, as it was verified, into its target's merge queue, for a merge that `wants_queue`.

        Args:
            url: Its URL.
            head_sha: The commit to merge, full hash.
            base: The target that it must have; default the noted one, else the one that it has.

        Returns:
            The merge if it is merged already, `None` while it waits in the queue.

        Raises:
            HeadMoved: Its source is at another commit.
            Refused: GitHub does not take it now.
            Parked: It is closed, or has another target, or was merged with another commit; or it stays unclear.
        """
        return enqueue(self._merge(url, head_sha, MergeMessage(subject=""), "merge", base))

    def _merge(self, url: str, head_sha: str, message: MergeMessage, method: Method, base: str | None) -> Merge:
        number = self._number(url)
        note = self._notes.numbered(number)
        return Merge(
            api=self._api,
            number=number,
            look=lambda: self.state(url),
            head_sha=head_sha,
            base=base or (note.base if note is not None else self.state(url).base),
            message=message,
            method=method,
        )

    def _number(self, url: str) -> int:
        named = pull_request_of(url)
        if named is None or not named[0].is_same(self._site):
            raise KeyError(f"there is no pull request {url!r} in {self._site}")
        return named[1]

    def _open(self, head: str, base: str, title: str, body: str) -> GitHubPullRequest:
        path = f"{self._site.path}/pulls"
        fields = {"head": head, "base": base, "title": title, "body": body}
        last = ""
        for number in range(OPENING_TRIES):
            try:
                return GitHubPullRequest.of(self._api.write("POST", path, fields).json())
            except Ambiguous as failure:
                last = str(failure)
            except Refused as failure:
                if failure.status != 422 or "already exists" not in failure.said:
                    raise
                last = failure.said
            # One that was opened may be missing in lists for a moment; asked again, GitHub says that it is there.
            opened = self._only_open(self._listed(head, base), head, base)
            if opened is not None:
                return opened
            self._api.pause(self._api.jitter(_FIRST_PAUSE * 2**number))
        raise _parked(
            f"it stays unclear whether a pull request of {head} into {base} is open in {self._site} "
            f"({OPENING_TRIES} tries; the last: {last}); look there, then type `agentrelay run`"
        )

    def _listed(self, head: str, base: str) -> list[GitHubPullRequest]:
        query = {"head": f"{self._site.owner}:{head}", "base": base, "state": "all"}
        found = []
        for fields in self._api.read_all(f"{self._site.path}/pulls", query=query):
            owner = fields["base"]["repo"]["full_name"]
            if not self._site.has(owner):
                raise _parked(
                    f"{self._site} is called {owner} now; name it so in the remote's URL (`git remote set-url`), "
                    "then type `agentrelay run`"
                )
            found.append(GitHubPullRequest.of(fields))
        return [one for one in found if (one.head, one.base) == (head, base) and self._is_ours(one)]

    def _is_ours(self, pull_request: GitHubPullRequest) -> bool:
        return pull_request.head_repository is not None and self._site.has(pull_request.head_repository)

    def _only_open(self, listed: list[GitHubPullRequest], head: str, base: str) -> GitHubPullRequest | None:
        opened = [one for one in listed if one.state == "open"]
        if len(opened) > 1:
            urls = ", ".join(one.url for one in opened[:_SHOWN])
            raise _parked(
                f"several pull requests of {head} into {base} are open: {urls}; close all but one, "
                "then type `agentrelay run`"
            )
        return opened[0] if opened else None

    def _noted(self, number: int, head: str, base: str) -> GitHubPullRequest:
        """The noted one, which is in no list of its branches: lists lag behind, or its target was changed."""
        found = self._get(number)
        if found is None:
            raise _parked(
                f"the pull request #{number} of {head} into {base} is no longer in {self._site}; "
                "look there, then type `agentrelay run`"
            )
        if found.base != base:
            raise wrong_target(found, found.head_sha, base)
        return found

    def _get(self, number: int) -> GitHubPullRequest | None:
        before = self._looked.get(number)
        etag = before[0].etag if before is not None else None
        try:
            answer = self._api.read(f"{self._site.path}/pulls/{number}", etag=etag)
        except Refused as failure:
            if failure.status != 404:
                raise
            return None
        if answer.status == 304 and before is not None:
            return before[1]
        found = GitHubPullRequest.of(answer.json())
        self._looked[number] = (attrs.evolve(answer, body=b""), found)
        return found

    def _hinted(self, url: str, head: str, base: str) -> GitHubPullRequest | None:
        """The pull request of two branches by a URL, for one that has just been opened: lists lag behind."""
        named = pull_request_of(url)
        found = self._get(named[1]) if named is not None and named[0].is_same(self._site) else None
        is_it = found is not None and (found.head, found.base) == (head, base) and self._is_ours(found)
        return found if is_it else None

    def _difference(self, url: str, head: str, base: str) -> str:
        """What is wrong with a URL that is not the one of the pull request that was asked for."""
        named = pull_request_of(url)
        if named is None:
            return "it is no pull request's URL"
        if not named[0].is_same(self._site):
            return f"it is in {named[0]}"
        found = self._get(named[1])
        if found is None:
            return f"there is no #{named[1]}"
        if not self._is_ours(found):
            return f"it comes from the fork {found.head_repository or '(deleted)'}"
        if found.head != head:
            return f"it comes from {found.head}"
        if found.base != base:
            return f"it goes into {found.base}"
        return f"it is another one of these branches, {found.state}"


def _parked(message: str) -> Parked:
    return Parked(message, boundary=IntegrationBoundary.PULL_REQUEST)
