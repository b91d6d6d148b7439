"""How often GitHub is asked: quick while something happens, slow while nothing does, and never beyond an allowance.

That is a bucket of calls that fills slowly, so that any hour holds at most what was in it and what came in.
"""

import random
from typing import Final

import attrs

from agentrelay_git_gh.github.limits import Budget

HOUR: Final = 3600.0

# Seconds until the next look: after a change, and then while nothing changes.
_QUICK: Final = (2.0, 5.0, 15.0)
_GROWTH: Final = 1.5
_SLOWEST: Final = 60.0
_SOONEST: Final = 2.0

# Where what GitHub leaves is the reserve of people and agents, we look this seldom until it is counted anew.
_SPARING: Final = 600.0


@attrs.define(kw_only=True)
class Allowance:
    """Calls that may be made.

    Args:
        calls: Most calls in any hour; what is left of 300 is for opening and merging.
        burst: How many of them may come at once.
    """

    calls: int = 240
    burst: int = 90
    made: int = attrs.field(default=0, init=False)
    _left: float = attrs.field(default=0.0, init=False)
    _counted: float | None = attrs.field(default=None, init=False)

    def has_room(self, now: float) -> bool:
        """Whether a call need not wait.

        Args:
            now: The time, in seconds on a clock that never goes back.
        """
        self._fill(now)
        return self._left >= 1.0

    def take(self, now: float) -> float:
        """Count a call that is about to be made, and tell the seconds that it must wait first."""
        self._fill(now)
        self._left -= 1.0
        self.made += 1
        return max(0.0, -self._left / self._rate)

    @property
    def _rate(self) -> float:
        return (self.calls - self.burst) / HOUR

    def _fill(self, now: float) -> None:
        if self._counted is None:
            self._left = float(self.burst)
        else:
            self._left = min(float(self.burst), self._left + (now - self._counted) * self._rate)
        self._counted = now


@attrs.define
class Pace:
    """When to look again.

    Args:
        chance: Where jitter comes from.
    """

    chance: random.Random = attrs.field(factory=random.Random)
    _unchanged: int = attrs.field(default=0, init=False)

    def changed(self) -> None:
        """Something happened, so more may."""
        self._unchanged = 0

    def next(self) -> float:
        """Seconds until the next look, for one that comes after another that showed nothing new."""
        step = self._unchanged
        self._unchanged += 1
        if step < len(_QUICK):
            return _QUICK[step]
        longest = min(_SLOWEST, _QUICK[-1] * _GROWTH ** min(step - len(_QUICK) + 1, 10))
        return max(_SOONEST, self.chance.uniform(0.0, longest))


def sparing(budget: Budget | None, now: float) -> float:
    """Seconds until the next look for the sake of the reserve; 0 while enough is left, or nothing is known.

    Args:
        budget: What GitHub leaves of its calls.
        now: The time, seconds since the epoch.
    """
    if budget is None or budget.spare() > 0:
        return 0.0
    return min(_SPARING, max(0.0, budget.resets_at - now))
