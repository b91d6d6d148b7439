"""When something happens in a life: at the nth request of a kind, or at any call after the pull request was opened."""

from collections.abc import Callable
from random import Random
from typing import Final

from matrix_lives import Life
from pytest_agentrelay.github import Fault, PullRequest
from pytest_agentrelay.github.state.refusals import Refused

Deed = Callable[[], object]
Arrange = Callable[[Life, Random], None]

OPENING, MERGING, PUSHING = r"^POST .*/pulls$", r"^PUT .*/merge$", r"git POST .*git-receive-pack"
LOOKING = r"^GET .*/pulls|^graphql query"
WITHIN: Final = 9  # requests after the opening, among which somebody's deed falls


def turn(life: Life, draw: Random, match: str, *, most: int = 2, **fault: object) -> None:
    """A fault at the first request of a kind, or where the lane is merged as well, sometimes at the second."""
    life.plan.integrates = draw.random() < 0.3
    skip = int(life.plan.integrates)
    life.script(Fault(match=match, times=draw.randint(1, most), skip=skip, **fault))


def strike(life: Life, draw: Random, deed: Deed, *, lanes: bool = False, since: str = OPENING) -> None:
    """A deed at one of our calls after the pull request was opened, before the call has its effect or after it."""
    life.plan.integrates = lanes and draw.random() < 0.3
    number, moment = draw.randint(0, WITHIN), draw.choice(("before", "after"))

    def willing() -> None:
        try:
            deed()
        except Refused:  # what they wanted to do cannot be done any more
            return

    def begin() -> None:
        life.script(Fault(match=".", skip=number, **{moment: willing}))

    life.script(Fault(match=since, skip=int(life.plan.integrates), after=begin))


def opened(life: Life, deed: Callable[[PullRequest], object]) -> None:
    """A deed at the moment at which the task's pull request is there."""
    life.script(Fault(match=OPENING, after=lambda: deed(pull_of(life))))


def pull_of(life: Life) -> PullRequest:
    found = life.pull
    assert found is not None
    return found
