"""Limits of GitHub's, and logins that do not do any more."""

import time
from random import Random

from matrix_lives import Life
from matrix_moments import Arrange, strike, turn
from pytest_agentrelay.github.state.accounts import Account


def spent(resource: str) -> Arrange:
    """An hour's calls are used up, and the hour ends soon."""

    def arrange(life: Life, draw: Random) -> None:
        def deed() -> None:
            life.github.quota.use_up(resource)
            life.github.quota.budget(resource).resets_at = time.time() + draw.uniform(0.2, 1.5)

        strike(life, draw, deed, lanes=True)

    return arrange


def slowed(match: str) -> Arrange:
    """GitHub asks us to slow down."""

    def arrange(life: Life, draw: Random) -> None:
        status = draw.choice((403, 429))
        slow_down = lambda: life.github.quota.slow_down(draw.uniform(0.2, 1.0), status=status)  # noqa: E731
        turn(life, draw, match, most=2, before=slow_down)

    return arrange


def expired(life: Life, draw: Random) -> None:
    """The login does not work any more."""
    strike(life, draw, lambda: life.github.accounts.revoke(life.github.token), lanes=True)


def logs_in(life: Life) -> None:
    """The user logs in again."""
    life.github.accounts.add(Account(login=life.github.user, token=life.github.token))
    life.github.environment("file")  # git has forgotten what did not work


def single_sign_on(life: Life, draw: Random) -> None:
    """The organization asks for single sign-on from now on."""
    strike(life, draw, lambda: life.github.accounts.require_single_sign_on("acme"), lanes=True)


def authorizes(life: Life) -> None:
    """The user authorizes the login."""
    life.github.accounts.authorize(life.github.token, "acme")


def lacks_scope(life: Life, draw: Random) -> None:
    """The login may not change repositories any more."""
    strike(life, draw, lambda: life.github.accounts.change(life.github.token, scopes=("read:org",)), lanes=True)


def lacks_right(life: Life, draw: Random) -> None:
    """The user may only read the repository from now on."""
    strike(life, draw, lambda: life.hosted.allow(life.github.user, "read"), lanes=True)


def is_allowed(life: Life) -> None:
    """The user may write again."""
    life.hosted.allow(life.github.user, "write")
