"""What a forge with a server has besides pull requests: branches that are shared with it, and waits.

The workspace asks once which kind it has; a forge without a server costs no call more than before there were others.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from agentrelay_core.hooks import Forge, PullRequest
from agentrelay_core.runtime import IntegrationBoundary, Parked
from agentrelay_core.spec import RunSettings, WorkstreamSpec

Checks = str | tuple[str, ...]
"""``required``, ``all``, ``none``, or the names of checks, as a graph gives it."""

Tell = Callable[[str, str], None]
"""Takes the name of what is waited for, and more about it; called in the event loop."""


@runtime_checkable
class SharingForge(Forge, Protocol):
    """A forge with a server. All but `land` block, and may be called from several threads at once.

    Attributes:
        policies: Which checks pull requests into a branch of ours must pass, as the workspace was told.
    """

    policies: dict[str, Checks]

    def preflight(self) -> None:
        """Refuse a repository or settings with which no pull request can be merged; `UserError` says why."""

    def identify(self, url: str, head: str, base: str) -> PullRequest:
        """The pull request of two branches that somebody says has this URL; `ProtocolViolation` if it has not."""

    def share(self, branch: str) -> str:
        """Have an integration branch at one commit here and on the server; that commit."""

    def ensure(self, branch: str) -> str:
        """As `share`, but without another look where the server was last seen to have what we have."""

    def follow(self, branch: str) -> str:
        """As `share`, for a branch that must be on the server already."""

    def catch_up(self, branch: str) -> str | None:
        """As `share`, for a branch that may have been deleted on the server since; `None` then."""

    def tip(self, branch: str) -> str | None:
        """Where a branch stands on the server, taken over into our repository; `None` where it is not there."""

    def deliver(self, branch: str, tip: str) -> None:
        """Have a task's branch on the server hold what it holds here."""

    def ahead(self, branch: str, tip: str) -> str | None:
        """Where a branch stands on the server, if that is on top of a commit of ours; `None` if not."""

    def is_merged(self, found: PullRequest) -> bool:
        """Whether a pull request is merged, and its target holds the merge, as far as it is still there."""

    def close_earlier(self, head: str, base: str, url: str) -> str | None:
        """Close what earlier attempts at a task left open, or say why that did not succeed; nothing hangs on it."""

    async def land(self, pr: str, head_sha: str, *, checks: Checks, tell: Tell, deadline: float) -> str:
        """Wait until a pull request may be merged, and merge it; return the merge commit.

        Args:
            pr: Its URL.
            head_sha: The verified commit, full hash.
            checks: Which checks must pass on it.
            tell: Called when what is waited for has changed.
            deadline: Seconds after which a person is asked.

        Raises:
            HeadMoved: Its source is at another commit, also because the target wants what is up to date with it.
            Parked: Another thing that a person must see to.
        """


def check_shared(forge: SharingForge, url: str, head: str, base: str, tip: str) -> str:
    """Check that a URL is a task's pull request, and have its source on the server hold what is to be verified.

    Args:
        forge: The forge.
        url: What the agent, or an earlier step, says is the pull request.
        head: The task's branch.
        base: Its target.
        tip: Where that stands here, full hash.

    Returns:
        The commit to verify: the tip, or what was pushed on top of it.

    Raises:
        ProtocolViolation: It is another one's.
        AgentFailure: The server's branch and the one here have each what the other has not.
        Parked: It is closed, or was merged with another commit.
    """
    found = forge.identify(url, head, base)
    if found.state == "closed":
        raise Parked(
            f"{url} was closed and is not merged; reopen it (`gh pr reopen {url}`), then type `agentrelay run`",
            boundary=IntegrationBoundary.PULL_REQUEST,
        )
    if found.head_sha == tip:
        return tip
    more = forge.ahead(head, tip)
    if more is not None and (found.state == "open" or found.head_sha == more):
        return more
    if found.state == "merged":
        raise Parked(
            f"{url} was merged with {found.head_sha}, and {head} stands at {tip}; look at what is in {base} now, then "
            "type `agentrelay run`",
            boundary=IntegrationBoundary.PULL_REQUEST,
        )
    forge.deliver(head, tip)
    return tip


def local_problems(settings: RunSettings, lanes: Sequence[WorkstreamSpec] = ()) -> tuple[str, ...]:
    """What a graph asks of a server where there is none, a sentence each; it is refused rather than ignored.

    Args:
        settings: The settings of the run.
        lanes: Its workstreams.
    """
    problems = []
    if settings.merge_method != "merge":
        problems.append(
            f"'merge_method: {settings.merge_method}' needs a forge with a server, and this graph's is local, which "
            "makes merge commits; leave it out, or say `forge: github`"
        )
    asked = [("", settings.checks)]
    asked += [(f" of the workstream {lane.id!r}", lane.checks) for lane in lanes if lane.checks is not None]
    for whose, checks in asked:
        if checks not in ("required", "none"):
            shown = checks if isinstance(checks, str) else ", ".join(checks)
            problems.append(
                f"'checks: {shown}'{whose} needs a forge with a server, and this graph's is local, where no checks "
                "run; use a task's completion_gate, or say `forge: github`"
            )
    return tuple(problems)
