"""Asking a server again that gave no answer: for a while, with growing pauses, and then it is a person's affair."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeVar

from agentrelay_core.runtime import IntegrationBoundary, Parked

T = TypeVar("T")

TRIES: Final = 6
PATIENCE: Final = 300.0  # seconds for all tries
_FIRST_PAUSE: Final = 2.0


class Unanswered(Exception):
    """A server gave no answer, or none that means anything: 5xx, no connection, a broken one, too late."""


def full_jitter(longest: float) -> float:
    """A pause between nothing and ``longest`` seconds."""
    return random.uniform(0, longest)


def until_answered(
    call: Callable[[], T],
    who: str,
    *,
    clock: Callable[[], float],
    pause: Callable[[float], None],
    jitter: Callable[[float], float] = full_jitter,
    tries: int = TRIES,
) -> T:
    """Call until there is an answer. For what changes nothing, or may safely be done twice.

    Args:
        call: Asks, and raises `Unanswered`.
        who: The server, for messages.
        clock: Tells the time, seconds since 1970.
        pause: Waits for so many seconds.
        jitter: The pause to make, given the longest.
        tries: How often it is called.

    Returns:
        The answer.

    Raises:
        Parked: There was none, so many times or for five minutes.
    """
    began = clock()
    for number in range(1, tries + 1):
        try:
            return call()
        except Unanswered as failure:
            last = failure
        longest = jitter(_FIRST_PAUSE * 2 ** (number - 1))
        if number == tries or clock() + longest - began > PATIENCE:
            break
        pause(longest)
    since = datetime.fromtimestamp(began, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    raise Parked(
        f"{who} has not answered since {since} ({number} tries); the last: {last}; when it does again, type "
        "`agentrelay run`",
        boundary=IntegrationBoundary.PULL_REQUEST,
    ) from last
