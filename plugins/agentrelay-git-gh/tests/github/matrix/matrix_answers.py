"""What goes wrong with GitHub's answers: late, lost before or after the effect, or lies."""

from collections.abc import Callable
from random import Random

import attrs
from matrix_lives import BRANCH, LANE, SLUG, Life
from matrix_moments import MERGING, OPENING, PUSHING, Arrange, strike, turn
from pytest_agentrelay.github import ALWAYS, Answer, Fault, Hold


def bad_gateway(match: str, *, effect: bool) -> Arrange:
    """GitHub's proxies answer in its stead."""
    return lambda life, draw: turn(
        life, draw, match, most=1 if effect else 4, effect=effect, answer=Answer(status=502, body={"message": "Bad"})
    )


def unread(life: Life, draw: Random) -> None:
    """What is read fails for a while."""
    match = draw.choice(("^GET ", "^graphql query", "^GET |^graphql query"))
    answer = Answer(status=draw.choice((500, 502, 503)), body={"message": "Server Error"})
    life.script(Fault(match=match, skip=draw.randint(0, 4), times=draw.randint(1, 4), effect=False, answer=answer))


def down(life: Life, draw: Random) -> None:
    """GitHub is down from one call on."""
    answer = Answer(status=draw.choice((500, 502, 503)), body={"message": "Server Error"})
    fall = lambda: life.script(Fault(match=".", times=ALWAYS, effect=False, answer=answer))  # noqa: E731
    strike(life, draw, fall, lanes=True)


def is_up(life: Life) -> None:
    """It is there again."""
    life.github.clear_faults()


def reset(match: str) -> Arrange:
    """The connection ends, before anything has happened or after it."""
    return lambda life, draw: turn(life, draw, match, most=2, effect=draw.random() < 0.5, drop=True)


def late(match: str) -> Arrange:
    """No answer comes in time; what was asked for has happened, or happens much later."""

    def arrange(life: Life, draw: Random) -> None:
        life.plan.answer_within = 3.0
        hold = Hold()
        turn(life, draw, match, most=1, **{draw.choice(("hold_before", "hold_after")): hold})
        life.script(Fault(match="^GET .*/pulls/1", skip=draw.randint(2, 4), after=hold.release.set))

    return arrange


def modified(times: int) -> Arrange:
    """The base moves whenever GitHub merges."""
    body = {"message": "Base branch was modified. Review and try the merge again."}

    def arrange(life: Life, draw: Random) -> None:
        life.plan.method = draw.choice(("merge", "squash", "rebase"))
        life.plan.integrates = draw.random() < 0.3
        answer = Answer(status=405, body=body)
        push = lambda: life.hosted.push(LANE, {f"{draw.random()}.txt": "more\n"})  # noqa: E731
        moves = push if draw.random() < 0.5 and not life.plan.integrates else None
        life.script(Fault(match=MERGING, times=times, effect=False, answer=answer, before=moves))

    return arrange


def lying(fault: Callable[..., Fault], most: int) -> Arrange:
    """The answer to a merge is not true."""

    def arrange(life: Life, draw: Random) -> None:
        life.plan.method = draw.choice(("merge", "squash", "rebase"))
        life.plan.integrates = draw.random() < 0.3
        life.script(attrs.evolve(fault(MERGING, times=draw.randint(1, most)), skip=int(life.plan.integrates)))

    return arrange


def hidden(life: Life, draw: Random) -> None:
    """Lists lag behind, and the answer to the opening may be lost."""
    life.hosted.hide_next_pull(draw.randint(1, 3))
    if draw.random() < 0.5:
        life.script(Fault(match=OPENING, drop=True))


def hidden_agents(life: Life, draw: Random) -> None:
    """The same for what the agent has opened itself."""
    life.hosted.hide_next_pull(draw.randint(1, 6))
    agents_own(life)


def agents_own(life: Life) -> None:
    """The agent pushes, opens a pull request, and says which."""
    life.plan.pushes, life.plan.url = True, f"http://github.localhost/{SLUG}/pull/1"
    life.script(Fault(match=PUSHING, skip=1, after=lambda: life.hosted.open(BRANCH, LANE, actor=life.github.user)))


def git_fails(life: Life, draw: Random) -> None:
    """Git's part of the server does not answer for a while."""
    answer = Answer(status=draw.choice((500, 502, 503)), body=b"")
    life.script(Fault(match="^git ", skip=draw.randint(0, 12), times=draw.randint(1, 4), effect=False, answer=answer))
