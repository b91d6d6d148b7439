"""What the target of a pull request asks for, and how it comes: checks, reviews, drafts, merge queues."""

from random import Random
from typing import Final

from matrix_lives import BRANCH, LANE, Life
from matrix_moments import Arrange, opened, pull_of, strike
from pytest_agentrelay.github import Fault

QUEUEING: Final = "enqueuePullRequest"
SHORT: Final = 4.0  # seconds of patience, where what is waited for does not come


def check(life: Life, name: str, conclusion: str, *, sha: str | None = None) -> None:
    """Set a check of the task's commit, or of another one."""
    commit = sha or pull_of(life).head_sha
    life.checks[commit, name] = conclusion
    life.hosted.set_check(commit, name, conclusion, log="one\nthe last line\n")


def requiring(first: str, then: str = "", *, patience: float = SHORT, older: bool = False) -> Arrange:
    """A check is asked for, by the graph or by the branch; it is as ``first``, and later as ``then``."""

    def arrange(life: Life, draw: Random) -> None:
        life.plan.required = ("build",)
        if draw.random() < 0.5:
            life.plan.checks = ("build",)
        else:
            life.hosted.protect(LANE, checks=("build",), form=draw.choice(("classic", "ruleset")))
        life.plan.patience = patience
        if older:
            check(life, "build", "success", sha=life.hosted.tip("main"))
        name = "build-2" if first == "renamed" else "build"
        if first:
            opened(life, lambda _: check(life, name, "success" if first == "renamed" else first))
        if then:
            strike(life, draw, lambda: check(life, "build", then))

    return arrange


def turns_green(life: Life) -> None:
    """The check passes in the end."""
    check(life, "build", "success")


def reviewed(life: Life, draw: Random) -> None:
    """The lane asks for a review, which comes."""
    life.hosted.protect(LANE, reviews=1, form=draw.choice(("classic", "ruleset")))
    strike(life, draw, lambda: life.hosted.review(pull_of(life).number, "APPROVED"))


def draft(life: Life, draw: Random) -> None:
    """Somebody makes it a draft, and ready later."""
    opened(life, lambda pull: life.hosted.set_draft(pull.number, draft=True, actor="uma"))
    strike(life, draw, lambda: life.hosted.set_draft(pull_of(life).number, draft=False, actor="uma"))


def queue(life: Life, draw: Random) -> None:
    """The lane has a merge queue, which merges what is in it."""
    life.hosted.use_queue(LANE)
    let_go = lambda: life.hosted.release_queue(LANE, draw.choice(("merge", "squash")))  # noqa: E731
    number = draw.randint(0, 5)
    life.script(Fault(match=QUEUEING, after=lambda: life.script(Fault(match=".", skip=number, before=let_go))))


def thrown_out(life: Life, draw: Random) -> None:
    """The queue lets it fall once, and merges it the second time."""
    life.hosted.use_queue(LANE)
    number = draw.randint(0, 5)

    def throw_out() -> None:
        life.hosted.set_draft(pull_of(life).number, draft=True)
        life.hosted.release_queue(LANE)
        life.hosted.set_draft(pull_of(life).number, draft=False)

    life.script(Fault(match=QUEUEING, after=lambda: life.script(Fault(match=".", skip=number, before=throw_out))))
    let_go = lambda: life.hosted.release_queue(LANE)  # noqa: E731
    life.script(Fault(match=QUEUEING, skip=1, after=lambda: life.script(Fault(match=".", skip=number, before=let_go))))


def up_to_date(life: Life, draw: Random) -> None:
    """The lane takes only what is up to date with it, and somebody pushes to it."""
    life.hosted.protect(LANE, strict=True, form=draw.choice(("classic", "ruleset")))
    life.plan.patience = 30.0
    strike(life, draw, lambda: life.hosted.push(LANE, {"theirs.txt": "theirs\n"}, actor="uma"))


def archived(life: Life, draw: Random) -> None:
    """Somebody archives the repository."""
    strike(life, draw, lambda: life.hosted.set(archived=True), lanes=True)


def is_not_archived(life: Life) -> None:
    """They think better of it."""
    life.hosted.set(archived=False)


def other_methods(life: Life, draw: Random) -> None:
    """Somebody forbids the merge method that the graph asks for."""
    life.plan.method = draw.choice(("merge", "squash", "rebase"))
    others = tuple(method for method in ("merge", "squash", "rebase") if method != life.plan.method)
    strike(life, draw, lambda: life.hosted.set(methods=others), lanes=True)


def all_methods(life: Life) -> None:
    """They allow it again."""
    life.hosted.set(methods=("merge", "squash", "rebase"))


def takes_no_push(life: Life, draw: Random) -> None:
    """A rule refuses pushes to one of the branches."""
    life.hosted.protect(draw.choice((LANE, BRANCH)), closed=True)


def takes_pushes(life: Life) -> None:
    """The rule is gone."""
    life.hosted.unprotect(LANE)
    life.hosted.unprotect(BRANCH)
