"""The budgets: so many points an hour for each API, by a clock that a test can move.

A primary limit is the hour's budget; a secondary one is GitHub's "slow down", which a test switches on for a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import attrs

from pytest_agentrelay.github.state.refusals import Refused

Resource = Literal["core", "graphql"]
_WINDOW: Final = 3600.0  # seconds


@attrs.define(kw_only=True)
class Budget:
    """What is left of an hour's points.

    Args:
        limit: Points an hour.
        used: Points used since the hour began.
        resets_at: When the hour ends, in seconds since the epoch.
    """

    limit: int = 5000
    used: int = 0
    resets_at: float = 0.0

    @property
    def remaining(self) -> int:
        """Points left."""
        return max(0, self.limit - self.used)


class Quota:
    """The budgets of both APIs, of all users together."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._budgets: dict[Resource, Budget] = {"core": Budget(), "graphql": Budget()}
        self._slowed_until = 0.0
        self._slowed_status = 403

    def budget(self, resource: Resource) -> Budget:
        """What is left, of a new hour if the last one is over."""
        budget = self._budgets[resource]
        if self._clock() >= budget.resets_at:
            budget.used, budget.resets_at = 0, self._clock() + _WINDOW
        return budget

    def set_limit(self, resource: Resource, limit: int) -> None:
        """Let an hour have so many points."""
        self.budget(resource).limit = limit

    def use_up(self, resource: Resource) -> None:
        """Let nothing be left until the hour is over."""
        budget = self.budget(resource)
        budget.used = budget.limit

    def slow_down(self, seconds: float, *, status: int = 403) -> None:
        """Refuse everything by the secondary limit for some seconds, with 403 or 429."""
        self._slowed_until, self._slowed_status = self._clock() + seconds, status

    def take(self, resource: Resource, cost: int) -> None:
        """Take points.

        Raises:
            Refused: There are none left, or it is the secondary limit's time.
        """
        wait = self._slowed_until - self._clock()
        if wait > 0:
            raise Refused(
                "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
                status=self._slowed_status,
                kind="RATE_LIMITED",
                headers={"Retry-After": str(max(1, round(wait)))},
            )
        budget = self.budget(resource)
        if budget.used + cost > budget.limit:
            budget.used = budget.limit
            if resource == "graphql":
                raise Refused("API rate limit already exceeded for user ID 1.", status=200, kind="RATE_LIMITED")
            raise Refused("API rate limit exceeded for user ID 1.", status=403, kind="RATE_LIMITED")
        budget.used += cost

    def give_back(self, resource: Resource, cost: int) -> None:
        """An answer "not modified" costs nothing."""
        self._budgets[resource].used -= cost

    def headers(self, resource: Resource) -> dict[str, str]:
        """What every answer tells of the budget."""
        budget = self.budget(resource)
        return {
            "X-RateLimit-Limit": str(budget.limit),
            "X-RateLimit-Remaining": str(budget.remaining),
            "X-RateLimit-Reset": str(int(budget.resets_at)),
            "X-RateLimit-Used": str(budget.used),
            "X-RateLimit-Resource": resource,
        }
