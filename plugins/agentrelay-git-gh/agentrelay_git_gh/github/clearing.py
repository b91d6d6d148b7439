"""Waiting until a pull request may be merged: by evidence alone, and every wait under its name and with a deadline."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import attrs

from agentrelay_core.runtime import HeadMoved, IntegrationBoundary, Parked
from agentrelay_git_gh.git.merging import MergeConflict
from agentrelay_git_gh.github.checks import Policy, Requirement, Verdict, judge
from agentrelay_git_gh.github.failed_checks import red_failure
from agentrelay_git_gh.github.poller import Poller
from agentrelay_git_gh.github.protection import Protection
from agentrelay_git_gh.github.snapshots import Snapshot
from agentrelay_git_gh.github.waiting import MERGEABLE, Waiting, mergeability, waiting_for
from agentrelay_git_gh.github.watches import Limited

Tell = Callable[[str, str], None]
"""Takes the name of a waiting state and what exactly is waited for."""

Conflicts = Callable[[Snapshot], tuple[str, ...]]
"""The files in which the verified head conflicts with its target, by our own git; called in a thread."""

Older = Callable[[str], bool]
"""Whether a head is one that the verified one came from; called in a thread."""

SETTLING: Final = 10.0
"""Seconds that two looks must lie apart at which all checks are the same, where none is known by name."""

_HEAD_LAG: Final = 60.0  # seconds for which GitHub may show an older head than the one that it was just pushed
_HEAD_MOVED: Final = 5.0  # seconds for which another one is shown until it is believed
_LISTED: Final = 10


class Behind(Parked):
    """A pull request's target takes only what is up to date with it, and its source is not."""


async def clear(
    poller: Poller,
    number: int,
    head_sha: str,
    *,
    checks: Policy,
    tell: Tell,
    deadline: float,
    conflicts: Conflicts,
    is_older: Older,
    settling: float = SETTLING,
) -> Snapshot:
    """Wait until a pull request may be merged.

    It may be cancelled at any time; what it started then ends within the adapter's own deadline.

    Args:
        poller: The run's poller.
        number: The pull request's number.
        head_sha: The verified head, full hash.
        checks: Which checks must pass on exactly that head.
        tell: Called when what is waited for has changed.
        deadline: Seconds until a person is asked to act.
        conflicts: Finds the files in conflict when GitHub sees a conflict.
        is_older: Tells a head that GitHub still shows from one that somebody pushed.
        settling: See `SETTLING`.

    Returns:
        The last look: it may be merged, or somebody has merged or closed it meanwhile.

    Raises:
        AgentFailure: A check speaks against the work; with the end of its log.
        MergeConflict: It conflicts with its target; names the files.
        HeadMoved: Its source is at another commit.
        Behind: Its target takes only what is up to date with it.
        Parked: A person must act, or what was waited for did not come in time.
    """
    wait = _Clearing(poller, number, head_sha, checks, tell, conflicts, is_older, settling)
    try:
        async with asyncio.timeout(deadline) as scope:
            return await wait.run()
    except TimeoutError as error:
        if not scope.expired():
            raise
        raise wait.too_late(deadline) from error


@attrs.define
class _Clearing:
    poller: Poller
    number: int
    head: str
    policy: Policy
    tell: Tell
    conflicts: Conflicts
    is_older: Older
    settling: float
    standing: Waiting | None = None
    since: float = attrs.field(init=False)
    url: str = ""
    _passed: tuple[float, Verdict] | None = None
    _moved_at: float | None = None

    def __attrs_post_init__(self) -> None:
        self.since = self.poller.wall()

    async def run(self) -> Snapshot:
        with self.poller.watching(self.number) as watch:
            while True:
                look = await watch.next()
                if look is None:
                    raise _parked(
                        f"GitHub shows no pull request {self.number} in {self.poller.api.site}; "
                        "if it was moved or removed, type `agentrelay run` once it is there again"
                    )
                if isinstance(look, Limited):
                    self._stand(_limited(look))
                    continue
                self.url = look.url
                if look.state != "open":
                    return look
                standing = await self._judged(look)
                if standing is None:
                    return look
                self._stand(standing)

    def too_late(self, deadline: float) -> Parked:
        """What a person is told at the deadline."""
        name = self.url or f"pull request {self.number} of {self.poller.api.site}"
        if self.standing is None:
            return _parked(f"GitHub has not said within {deadline:g} s how {name} stands; type `agentrelay run`")
        return _parked(
            f"{name} was not merged: it has waited since {_time(self.since)} for {self.standing}; "
            f"{self.standing.remedy}, then `agentrelay run`"
        )

    async def _judged(self, look: Snapshot) -> Waiting | None:
        if look.head_sha != self.head:
            return await self._moved(look)
        self._moved_at = None
        if look.mergeable == "CONFLICTING" or look.merge_state == "DIRTY":
            return await self._conflicting(look)
        verdict, rules = await self._verdict(look)
        if verdict.red:
            raise await red_failure(self.poller, look.url, verdict.red)
        waiting = waiting_for(look, verdict, rules)
        if waiting is not None:
            self._passed = None
            if waiting.state == "behind" and self.standing == waiting:  # seen twice, so it is no late answer
                raise Behind(
                    f"{look.url} is behind: {waiting.detail}; {waiting.remedy}, then `agentrelay run`",
                    boundary=IntegrationBoundary.PULL_REQUEST,
                )
            return waiting
        return self._settled(look, verdict)

    async def _verdict(self, look: Snapshot) -> tuple[Verdict, tuple[str, ...]]:
        """What the policy makes of the checks, and what else the target asks for where that is of interest."""
        blocked = look.merge_state == "BLOCKED"
        if self.policy != "required":
            verdict = judge(self.policy, self.head, look.checks)
            if not (blocked and verdict.passed):
                return verdict, ()
            return verdict, _unmet(await self.poller.protection(look.base), look, self.head)
        protection = await self.poller.protection(look.base)
        verdict = self._required(look, protection.checks)
        # GitHub and what we know of the target say different things, so that has changed since it was read.
        if (blocked and verdict.passed) or (verdict.missing and look.merge_state in MERGEABLE):
            protection = await self.poller.protection(look.base, again=True)
            verdict = self._required(look, protection.checks)
        return verdict, protection.other

    def _required(self, look: Snapshot, known: tuple[Requirement, ...]) -> Verdict:
        names = {requirement.name for requirement in known}
        # GitHub marks what it requires of those that are there, also where our reading of the protection is old.
        marked = [Requirement(name=check.name) for check in look.checks if check.required and check.name not in names]
        return judge("required", self.head, look.checks, [*known, *dict.fromkeys(marked)])

    async def _moved(self, look: Snapshot) -> Waiting:
        now = asyncio.get_running_loop().time()
        self._moved_at = now if self._moved_at is None else self._moved_at
        detail = f"GitHub shows {look.head_sha or 'nothing'}, verified is {self.head}"
        is_older = look.head_sha is None or await asyncio.to_thread(self.is_older, look.head_sha)
        if now - self._moved_at >= (_HEAD_LAG if is_older else _HEAD_MOVED):
            raise HeadMoved(
                f"the source of {look.url} is no longer what was verified: {detail}; "
                "type `agentrelay run` to have what is there now verified",
                boundary=IntegrationBoundary.PULL_REQUEST,
            )
        return Waiting(state="head", detail=detail, remedy=f"look who pushed with `gh pr view {look.url}`")

    async def _conflicting(self, look: Snapshot) -> Waiting:
        files = await asyncio.to_thread(self.conflicts, look)
        if files:
            listed = ", ".join(files[:_LISTED]) + (f" and {len(files) - _LISTED} more" if len(files) > _LISTED else "")
            raise MergeConflict(f"{self.head[:12]} conflicts with {look.base} in {listed}", files)
        return mergeability(f"GitHub sees a conflict with {look.base}, and git here sees none", look.url)

    def _settled(self, look: Snapshot, verdict: Verdict) -> Waiting | None:
        """With the policy ``all`` nobody knows what may still come, so a second look must show the same."""
        if self.policy != "all":
            return None
        now = asyncio.get_running_loop().time()
        if self._passed is None or self._passed[1] != verdict:
            self._passed = (now, verdict)
        elif now - self._passed[0] >= self.settling:
            return None
        return Waiting(
            state="checks",
            detail="all passed; looking once more whether others come",
            remedy=f"look with `gh pr checks {look.url}`",
        )

    def _stand(self, standing: Waiting) -> None:
        if self.standing is None or self.standing.state != standing.state:
            self.since = self.poller.wall()
        if self.standing is None or str(self.standing) != str(standing):
            self.tell(standing.state, standing.detail)
        self.standing = standing


def _unmet(protection: Protection, look: Snapshot, head: str) -> tuple[str, ...]:
    """What a target asks for though our policy does not: its checks that have not passed, and its rules."""
    checks = judge("required", head, look.checks, protection.checks)
    return protection.other if checks.passed else (f"checks ({checks})", *protection.other)


def _limited(look: Limited) -> Waiting:
    return Waiting(
        state="limits",
        detail=f"until {_time(look.until)}: {look.reason}",
        remedy="look with `gh api rate_limit`, and wait",
    )


def _parked(message: str) -> Parked:
    return Parked(message, boundary=IntegrationBoundary.PULL_REQUEST)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
