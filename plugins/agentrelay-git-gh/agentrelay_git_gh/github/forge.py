"""A run's repository on GitHub: pull requests through `gh`, branches through git, and one login, limit and poller."""

import asyncio
import logging
from typing import Final, Literal, cast
from urllib.parse import urlsplit

from agentrelay_core.hooks import PullRequest, RunInfo
from agentrelay_core.runtime import HeadMoved, IntegrationBoundary, Internal, Parked, Throttled, UserError
from agentrelay_git_gh.finishing import finished, leave_if_cancelled
from agentrelay_git_gh.forges.choosing import Choice
from agentrelay_git_gh.forges.sharing_forge import Checks, Tell
from agentrelay_git_gh.git.merging import MergeMessage, conflicts
from agentrelay_git_gh.git.outward import Login
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.github.clearing import Behind, clear
from agentrelay_git_gh.github.command import GitHubApi
from agentrelay_git_gh.github.failures import Ambiguous, LoginRefused, Refused
from agentrelay_git_gh.github.login import scopes_of
from agentrelay_git_gh.github.merge_queue import wants_queue
from agentrelay_git_gh.github.poller import Poller
from agentrelay_git_gh.github.pull_requests import PullRequests
from agentrelay_git_gh.github.records import GitHubPullRequest, Notes
from agentrelay_git_gh.github.requirements import of_repository, of_scopes
from agentrelay_git_gh.github.sites import parse, pull_request_of
from agentrelay_git_gh.github.snapshots import Snapshot
from agentrelay_git_gh.github.upkeep import close_earlier
from agentrelay_git_gh.refusing import refuse
from agentrelay_git_gh.remote.remotes import Remote
from agentrelay_git_gh.remote.sharing import SharedBranches

_LOG = logging.getLogger(__name__)
_LOOKS: Final = 5
_TURNS: Final = 5  # merges that GitHub refuses, or queues that let it fall, before a person is asked
_FIRST_PAUSE: Final = 1.0


class InQueue(Parked):
    """A pull request was handed to its target's merge queue, which merges it when its turn comes."""


class GitHubForge:
    """Pull requests of one graph on GitHub, and the branches that are shared with it.

    All but `land` block, and may be called from several threads at once.

    Args:
        run: The run.
        repository: Both repositories.
        choice: Where the remote is.
    """

    def __init__(self, run: RunInfo, repository: Repository, choice: Choice) -> None:
        site = parse(choice.resolved or "")
        if site is None or choice.url is None:
            raise Internal(f"{choice.url or 'no remote'} is no repository on GitHub, and was chosen as one")
        self.site = site
        self.policies: dict[str, Checks] = {}
        self._repository = repository
        self._default_policy = run.settings.checks
        self._method = cast('Literal["merge", "squash", "rebase"]', run.settings.merge_method)
        self._api = GitHubApi(site, directory=run.state_dir, helper_fds=run.helper_fds)
        directory = repository.our_directory / "github" / run.graph_name
        self._notes, self._pull_requests = Notes(directory), PullRequests(self._api, directory)
        self._poller = Poller(self._api)
        remote = Remote(
            repository=repository,
            url=choice.url,
            login=login_for(choice.resolved or ""),
            advice=f"type `gh auth login --hostname {site.host}`, or get the right to push to {site}",
        )
        self._branches = SharedBranches(repository=repository, remote=remote)

    def preflight(self) -> None:
        """Refuse a repository in which no pull request can be merged as the settings say.

        Raises:
            UserError: The login does not do, may not push, or the merge method is not allowed.
        """
        try:
            answer = self._api.read(self.site.path)
        except LoginRefused as refused:
            raise UserError(refused.message) from refused
        except (Throttled, Parked) as later:  # what agents do needs no GitHub; what follows waits for it
            _LOG.warning("%s could not be looked at: %s", self.site, later.message)
            return
        fields = answer.fields()
        lacking = of_scopes(self.site, scopes_of(answer), private=bool(fields.get("private")))
        refuse((*lacking, *of_repository(self.site, fields, self._method)))

    def find(self, head: str, base: str) -> GitHubPullRequest | None:
        """The pull request of a source and a target branch, or `None`."""
        return self._pull_requests.find(head, base)

    def open(self, head: str, base: str, title: str, body: str) -> GitHubPullRequest:
        """Open a pull request; one that is open already is returned."""
        return self._pull_requests.open(head, base, title, body)

    def state(self, pr: str) -> GitHubPullRequest:
        """What has become of a pull request, by URL; `KeyError` if there is none."""
        return self._pull_requests.state(pr)

    def identify(self, url: str, head: str, base: str) -> GitHubPullRequest:
        """The pull request of two branches that somebody says has this URL; `ProtocolViolation` if it has not."""
        return self._pull_requests.identify(url, head, base)

    def merge(self, pr: str, head_sha: str, message: MergeMessage | None = None) -> str:
        """Merge a pull request, and see that its target holds the merge.

        Args:
            pr: Its URL.
            head_sha: The commit to merge, full hash.
            message: What the merge commit says; default the pull request's title.

        Returns:
            The commit that GitHub calls the merge; merging again changes nothing and returns the same.

        Raises:
            Parked: It cannot be merged, or is merged in another way than it should be.
        """
        found = self.state(pr)
        message = message or MergeMessage(subject=found.title)
        merged = self._merged(pr, head_sha, message)
        for number in range(_LOOKS):
            tip = self._branches.tip(found.base)
            if tip is not None and self._repository.has(merged) and self._repository.contains(tip, merged):
                self._check_content(pr, merged, head_sha)
                return merged
            self._api.pause(self._api.jitter(_FIRST_PAUSE * 2**number))  # what serves git may lag behind
        raise Parked(
            f"{pr} is merged as {merged}, says GitHub, and {found.base} at {tip or 'no commit'} does not hold that; "
            "look there, then type `agentrelay run`",
            boundary=IntegrationBoundary.PULL_REQUEST,
        )

    def is_merged(self, found: PullRequest) -> bool:
        """Whether a pull request is merged, and its target holds the merge, as far as it is still there."""
        if found.state != "merged" or found.merge_sha is None:
            return False
        tip = self._branches.tip(found.base)
        return tip is None or (
            self._repository.has(found.merge_sha) and self._repository.contains(tip, found.merge_sha)
        )

    def close_earlier(self, head: str, base: str, url: str) -> str | None:
        """Close what earlier attempts at a task left open, or say why that did not succeed; nothing hangs on it."""
        try:
            close_earlier(self._api, self._notes, head, base, url)
        except (Ambiguous, Parked, Throttled) as failure:
            return f"a pull request of an earlier attempt may still be open: {failure}"
        return None

    def policy(self, branch: str) -> Checks:
        """Which checks a pull request into a branch must pass."""
        return self.policies.get(branch, self._default_policy)

    def share(self, branch: str) -> str:
        """Have an integration branch at one commit here and on GitHub; that commit."""
        return self._branches.share(branch)

    def ensure(self, branch: str) -> str:
        """As `share`, but without another look where GitHub was last seen to have what we have."""
        return self._branches.ensure(branch)

    def follow(self, branch: str) -> str:
        """As `share`, for a branch that must be on GitHub already."""
        return self._branches.follow(branch)

    def catch_up(self, branch: str) -> str | None:
        """As `share`, for a branch that may have been deleted on GitHub since; `None` then."""
        return self._branches.catch_up(branch)

    def tip(self, branch: str) -> str | None:
        """Where a branch stands on GitHub, taken over into our repository; `None` where it is not there."""
        return self._branches.tip(branch)

    def deliver(self, branch: str, tip: str) -> None:
        """Have a task's branch on GitHub hold what it holds here."""
        self._branches.deliver(branch, tip)

    def ahead(self, branch: str, tip: str) -> str | None:
        """Where a branch stands on GitHub, if that is on top of a commit of ours; `None` if not."""
        return self._branches.ahead(branch, tip)

    async def land(
        self,
        pr: str,
        head_sha: str,
        *,
        checks: Checks,
        tell: Tell,
        deadline: float,
        message: MergeMessage | None = None,
    ) -> str:
        """Wait until a pull request may be merged, and merge it; a merge queue is waited for as well.

        Args:
            pr: Its URL.
            head_sha: The verified commit, full hash.
            checks: Which checks must pass on it.
            tell: Called when what is waited for has changed.
            deadline: Seconds after which a person is asked.
            message: What the merge commit says; default the pull request's title.

        Returns:
            The commit that GitHub calls the merge.

        Raises:
            HeadMoved: Its source is at another commit, also because it was brought up to date with its target.
            AgentFailure: A check speaks against the work.
            MergeConflict: It conflicts with its target; names the files.
            Parked: A person must act.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + deadline
        turn = 1
        while True:
            leave_if_cancelled()
            try:
                await self._clear(pr, head_sha, checks, tell, max(0.0, ends - loop.time()))
            except Behind as behind:
                await finished(self._bring_up_to_date, pr, head_sha, behind)
                raise HeadMoved(
                    f"{pr} was behind its target and is brought up to date; type `agentrelay run` to have it verified",
                    boundary=IntegrationBoundary.PULL_REQUEST,
                ) from behind
            try:
                return await finished(self.merge, pr, head_sha, message)
            except (InQueue, Refused):  # what it waits for now, or why it cannot be merged any more, is seen by a look
                if turn == _TURNS:
                    raise
            turn += 1

    async def _clear(self, pr: str, head_sha: str, checks: Checks, tell: Tell, deadline: float) -> None:
        def conflicting(look: Snapshot) -> tuple[str, ...]:
            base = self._branches.tip(look.base)
            return conflicts(self._repository, base, head_sha) if base is not None else ()

        def is_older(shown: str) -> bool:
            return self._repository.has(shown) and self._repository.contains(head_sha, shown)

        named = pull_request_of(pr)
        if named is None:
            raise KeyError(f"there is no pull request {pr!r}")
        await clear(
            self._poller,
            named[1],
            head_sha,
            checks=checks,
            tell=tell,
            deadline=deadline,
            conflicts=conflicting,
            is_older=is_older,
        )

    def _bring_up_to_date(self, pr: str, head_sha: str, behind: Behind) -> None:
        try:
            self._pull_requests.bring_up_to_date(pr, head_sha)
        except Refused as refusal:
            raise Parked(
                f"{behind.message} (GitHub does not do that for us: {refusal.said})",
                boundary=IntegrationBoundary.PULL_REQUEST,
            ) from refusal

    def _merged(self, pr: str, head_sha: str, message: MergeMessage) -> str:
        try:
            return self._pull_requests.merge(pr, head_sha, message, self._method)
        except Refused as refusal:
            if not wants_queue(refusal):
                raise
        merged = self._pull_requests.enqueue(pr, head_sha)
        if merged is None:
            raise InQueue(
                f"{pr} is in its target's merge queue; when that has merged it, type `agentrelay run`",
                boundary=IntegrationBoundary.PULL_REQUEST,
            )
        return merged

    def _check_content(self, pr: str, merged: str, head_sha: str) -> None:
        """A merge commit names what it merged; squashed or rebased, the work has other names."""
        parents = self._repository.ours.text("rev-list", "--parents", "--max-count=1", merged).split()[1:]
        if len(parents) > 1 and not self._repository.contains(merged, head_sha):
            raise Parked(
                f"{pr} is merged as {merged}, says GitHub, and that does not hold {head_sha}, which was verified; look "
                "there, then type `agentrelay run`",
                boundary=IntegrationBoundary.PULL_REQUEST,
            )


def login_for(url: str) -> Login | None:
    """How git gets what `gh` knows, for an address that takes a password; ssh has keys of its own."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return None
    return Login(f"{parts.scheme}://{parts.netloc}", "!gh auth git-credential")
