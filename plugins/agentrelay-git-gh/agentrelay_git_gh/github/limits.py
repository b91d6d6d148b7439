"""What is known of a host's patience with us, shared by all calls of a run.

A login that does not work closes the circuit: whatever is asked later gets the same answer at once, without a process
and without a storm of retries. A limit is kept until it ends. What is left of a budget is known from each answer, so
that whoever asks for convenience (the poller) can leave a reserve for people and agents.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal

import attrs

from agentrelay_core.runtime import IntegrationBoundary, Throttled
from agentrelay_git_gh.github.answers import Answer
from agentrelay_git_gh.github.failures import BudgetSpent, LoginRefused

Resource = Literal["core", "graphql"]  # REST and GraphQL have budgets of their own
RESERVE: Final = 0.2  # the part of a budget that is left for people and agents


@attrs.frozen(kw_only=True)
class Budget:
    """What is left of one of a host's budgets.

    Args:
        limit: Calls, or points of GraphQL, in an hour.
        remaining: How many of them are left.
        resets_at: When all are there again, seconds since 1970 by our clock.
    """

    limit: int
    remaining: int
    resets_at: float

    def spare(self, reserve: float = RESERVE) -> int:
        """What may be spent without touching the reserve, a part of the limit."""
        return max(0, self.remaining - int(self.limit * reserve))


class HostLimits:
    """The circuit, the limits and the budgets of one host; for several threads.

    Args:
        clock: Tells the time, seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._refused: str | None = None
        self._until: dict[str, tuple[float, str]] = {}
        self._budgets: dict[str, Budget] = {}

    def check(self, resource: Resource) -> None:
        """Let a call pass, or say why it would be in vain.

        Raises:
            LoginRefused: The login did not work before.
            Throttled: A limit that was reached has not ended.
        """
        with self._lock:
            if self._refused is not None:
                raise LoginRefused(self._refused)
            for limited in (resource, "every"):
                until, message = self._until.get(limited, (0.0, ""))
                left = until - self._clock()
                if left > 0:
                    raise Throttled(message, retry_after=left, boundary=IntegrationBoundary.PULL_REQUEST)

    def learn(self, answer: Answer, resource: Resource) -> None:
        """Take over what an answer says of the budget that it was paid from."""
        headers = answer.headers
        limit, remaining = headers.get("x-ratelimit-limit", ""), headers.get("x-ratelimit-remaining", "")
        resets_in = answer.seconds_until("x-ratelimit-reset", self._clock())
        if not (limit.isdecimal() and remaining.isdecimal()) or resets_in is None:
            return
        named = headers.get("x-ratelimit-resource", resource)
        budget = Budget(limit=int(limit), remaining=int(remaining), resets_at=self._clock() + resets_in)
        with self._lock:
            self._budgets[named] = budget

    def remember(self, failure: Exception, resource: Resource) -> None:
        """Keep what a failure means for the calls that come later."""
        with self._lock:
            if isinstance(failure, LoginRefused):
                self._refused = self._refused or failure.message
            elif isinstance(failure, Throttled) and failure.retry_after is not None:
                until = self._clock() + failure.retry_after
                told = datetime.fromtimestamp(until, UTC).strftime("%H:%M:%S UTC")
                # A budget that is used up is that resource's alone; every other limit is meant for all that we do.
                limited = resource if isinstance(failure, BudgetSpent) else "every"
                self._until[limited] = (until, f"{failure.message} (until {told})")

    def budget(self, resource: Resource) -> Budget | None:
        """What is left of a budget, as far as is known; a past reset makes it full again."""
        with self._lock:
            budget = self._budgets.get(resource)
            if budget is not None and budget.resets_at <= self._clock():
                return attrs.evolve(budget, remaining=budget.limit)
            return budget

    @property
    def refused(self) -> str | None:
        """Why the login does not work, `None` while it does."""
        return self._refused
