"""The circuit, the limits and the budgets of a host, on a clock of the test's own."""

import pytest
from agentrelay_git_gh.github.answers import Answer
from agentrelay_git_gh.github.failures import LoginRefused, limit_of
from agentrelay_git_gh.github.limits import HostLimits
from agentrelay_git_gh.github.sites import Site

from agentrelay_core.runtime import Parked, Throttled

SITE = Site(host="github.com", owner="acme", name="rockets")


class Clock:
    """A time that the test moves on."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> HostLimits:
    return HostLimits(clock)


def answer(status: int = 200, body: bytes = b"{}", **headers: object) -> Answer:
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return Answer(status=status, headers=named, body=body)


def spent(resource: str, reset: float) -> Answer:
    return answer(
        403, b'{"message": "API rate limit exceeded for user ID 1."}', x_ratelimit_limit=5000,
        x_ratelimit_remaining=0, x_ratelimit_reset=int(reset), x_ratelimit_resource=resource,
    )  # fmt: skip


def test_a_login_that_does_not_work_closes_the_circuit(limits):
    """After a refused login every call gets the same text at once, and the first one stays."""
    limits.check("core")
    limits.remember(LoginRefused("log in again"), "core")
    limits.remember(LoginRefused("another"), "graphql")
    for resource in ("core", "graphql"):
        with pytest.raises(Parked, match=r"^log in again$"):
            limits.check(resource)


def test_a_budget_that_is_used_up_stops_its_own_calls_until_its_reset(clock, limits):
    """With REST's budget used up GraphQL goes on, and REST goes on at the reset."""
    refusal = spent("core", clock.now + 90)
    limits.learn(refusal, "core")
    limits.remember(limit_of(refusal, SITE, clock.now), "core")
    limits.check("graphql")
    with pytest.raises(Throttled) as limited:
        limits.check("core")
    assert limited.value.retry_after == 91
    clock.now += 60
    with pytest.raises(Throttled) as limited:
        limits.check("core")
    assert limited.value.retry_after == 31
    clock.now += 31
    limits.check("core")


def test_a_secondary_limit_stops_every_call(clock, limits):
    """What GitHub limits besides its budgets is meant for all that we do there."""
    refusal = answer(
        403, b'{"message": "You have exceeded a secondary rate limit"}', retry_after=30,
        x_ratelimit_limit=5000, x_ratelimit_remaining=4000, x_ratelimit_reset=int(clock.now + 900),
    )  # fmt: skip
    limits.learn(refusal, "core")
    limits.remember(limit_of(refusal, SITE, clock.now), "core")
    for resource in ("core", "graphql"):
        with pytest.raises(Throttled, match="until") as limited:
            limits.check(resource)
        assert limited.value.retry_after == 30
    clock.now += 30
    limits.check("graphql")


@pytest.mark.parametrize(
    ("refusal", "seconds"),
    [
        (answer(429, retry_after=7), 7),
        (answer(429), 60),
        (answer(403, b'{"message": "You have exceeded a secondary rate limit. Please wait"}'), 60),
        (answer(403, x_ratelimit_remaining=0), 60),
        (answer(403, x_ratelimit_remaining=0, x_ratelimit_reset=1_000_009), 10),
        (
            answer(403, x_ratelimit_remaining=0, x_ratelimit_reset=1764000010, date="Mon, 24 Nov 2025 16:00:00 GMT"),
            11,
        ),
        (answer(403, b'{"message": "Resource not accessible by integration"}', x_ratelimit_remaining=12), None),
    ],
)
def test_how_long_a_limit_lasts_is_read_from_the_answer(refusal, seconds):
    """Retry-After, else the reset by GitHub's own clock, else a minute; what speaks of no limit is none."""
    limit = limit_of(refusal, SITE, 1_000_000.0)
    assert (limit.retry_after if limit is not None else None) == seconds


def test_what_may_be_spent_leaves_a_reserve(clock, limits):
    """A fifth of a budget is left alone, and at its reset all of it is there again."""
    assert limits.budget("graphql") is None
    headers = {"x_ratelimit_limit": 5000, "x_ratelimit_reset": int(clock.now + 60)}
    limits.learn(answer(x_ratelimit_remaining=1200, **headers), "graphql")
    assert limits.budget("core") is None
    assert limits.budget("graphql").spare() == 200
    limits.learn(answer(x_ratelimit_remaining=900, **headers), "graphql")
    assert limits.budget("graphql").spare() == 0
    clock.now += 60
    assert limits.budget("graphql").spare() == 4000


def test_an_answer_without_budgets_changes_nothing(limits):
    """Headers that are missing or no numbers are passed over."""
    limits.learn(answer(), "core")
    limits.learn(answer(x_ratelimit_limit="many", x_ratelimit_remaining=1, x_ratelimit_reset=1), "core")
    assert limits.budget("core") is None
