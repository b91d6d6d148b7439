"""What may go wrong with a pull request on GitHub: a table of scenarios, each with as many interleavings as are drawn.

A scenario scripts faults of the server, or what other people and machines do, at moments that are drawn from a seed.
"""

import time
from collections.abc import Callable
from random import Random
from typing import Final

import attrs
from matrix_lives import BRANCH, LANE, SLUG, Life, git_at
from pytest_agentrelay.github import (
    Answer,
    Fault,
    Hold,
    PullRequest,
    denying_the_merge,
    pretending_to_merge,
)
from pytest_agentrelay.github.state.accounts import Account
from pytest_agentrelay.github.state.refusals import Refused

Deed = Callable[[], object]
Arrange = Callable[[Life, Random], None]

OPENING, MERGING, PUSHING = r"^POST .*/pulls$", r"^PUT .*/merge$", r"git POST .*git-receive-pack"
QUEUEING: Final = "enqueuePullRequest"
WITHIN: Final = 9  # requests after the opening, among which somebody's deed falls
SHORT: Final = 4.0  # seconds of patience, where what is waited for does not come


@attrs.frozen(kw_only=True)
class Scenario:
    """Something that goes wrong.

    Args:
        name: What, in words.
        rows: Rows of the table of faults.
        arrange: Scripts it.
        ends: How the first session may end.
        says: A regular expression for what a session says that does not end well.
        mend: What a person does then; the next session must end well. Without it the life is over.
        again: Whether the next session ends well without anybody doing anything.
    """

    name: str
    rows: tuple[str, ...]
    arrange: Arrange
    ends: tuple[str, ...] = ("done",)
    says: str = ""
    mend: Callable[[Life], None] | None = None


def leave(_: Life) -> None:
    """What a person does where time alone mends it."""


# Moments.


def turn(life: Life, draw: Random, match: str, *, most: int = 2, **fault: object) -> None:
    """A fault at the first request of a kind, or where the lane is merged as well, sometimes at the second."""
    life.plan.integrates = draw.random() < 0.3
    skip = int(life.plan.integrates)
    life.script(Fault(match=match, times=draw.randint(1, most), skip=skip, **fault))  # type: ignore[arg-type]


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
        life.script(Fault(match=".", skip=number, **{moment: willing}))  # type: ignore[arg-type]

    life.script(Fault(match=since, skip=int(life.plan.integrates), after=begin))


def opened(life: Life, deed: Callable[[PullRequest], object]) -> None:
    """A deed at the moment at which the task's pull request is there."""
    life.script(Fault(match=OPENING, after=lambda: deed(_pull(life))))


def _pull(life: Life) -> PullRequest:
    found = life.pull
    assert found is not None
    return found


# Answers.


def bad_gateway(match: str, *, effect: bool) -> Arrange:
    """GitHub's proxies answer in its stead."""
    return lambda life, draw: turn(
        life, draw, match, most=1 if effect else 4, effect=effect, answer=Answer(status=502, body={"message": "Bad"})
    )


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
    """git's part of the server does not answer for a while."""
    answer = Answer(status=draw.choice((500, 502, 503)), body=b"")
    life.script(Fault(match="^git ", skip=draw.randint(0, 12), times=draw.randint(1, 4), effect=False, answer=answer))


# People.


def head_moves(life: Life, draw: Random) -> None:
    """Somebody pushes to the task's branch."""
    strike(life, draw, lambda: life.hosted.push(BRANCH, {"theirs.txt": "theirs\n"}))


def head_moves_at_merge(life: Life, draw: Random) -> None:
    """Somebody pushes at the moment of the merge."""
    life.plan.method = draw.choice(("merge", "squash", "rebase"))
    life.script(Fault(match=MERGING, before=lambda: life.hosted.push(BRANCH, {"theirs.txt": "theirs\n"})))


def agent_goes_on(life: Life, draw: Random) -> None:
    """The agent commits and pushes after its work was verified."""

    def later(path: object) -> None:
        git_at(path, "commit", "-q", "--allow-empty", "-m", "one more")  # type: ignore[arg-type]
        git_at(path, "push", "-q", "origin", BRANCH)  # type: ignore[arg-type]

    life.plan.pushes, life.plan.later = draw.random() < 0.5, later


def person_merges(life: Life, draw: Random) -> None:
    """Somebody merges it, in one way or another."""
    life.plan.method, method = draw.choice(("merge", "squash")), draw.choice(("merge", "squash", "rebase"))
    strike(life, draw, lambda: life.hosted.merge(_pull(life).number, method, actor="uma"), lanes=True)


def elsewhere(life: Life, draw: Random) -> None:
    """Somebody gives it another target, and may merge it there."""
    life.hosted.push("elsewhere", {"elsewhere.txt": "elsewhere\n"})
    merges = draw.random() < 0.7

    def deed() -> None:
        number = _pull(life).number
        if _pull(life).open:
            life.hosted.retarget(number, "elsewhere")
            if merges:
                life.hosted.merge(number, actor="uma")

    strike(life, draw, deed)


def closes(life: Life, draw: Random) -> None:
    """Somebody closes it."""
    strike(life, draw, lambda: _pull(life).open and life.hosted.close(_pull(life).number, actor="uma"), lanes=True)


def reopens(life: Life) -> None:
    """Somebody opens it again."""
    found = life.pull
    if found is not None and found.state == "closed":
        life.hosted.reopen(found.number, actor="uma")


def closes_and_reopens(life: Life, draw: Random) -> None:
    """Somebody closes it, and thinks better of it some calls later."""
    between = draw.randint(0, 3)

    def deed() -> None:
        if _pull(life).open:
            life.hosted.close(_pull(life).number, actor="uma")
            life.script(Fault(match=".", skip=between, before=lambda: reopens(life)))

    strike(life, draw, deed, lanes=True)


def two_targets(life: Life, draw: Random) -> None:
    """Somebody opens a second one of the same head into another branch, or the very one before us."""
    if draw.random() < 0.5:
        strike(life, draw, lambda: life.hosted.open(BRANCH, "main", title="Mine", actor="uma"))
    else:
        life.script(Fault(match=PUSHING, skip=1, after=lambda: life.hosted.open(BRANCH, LANE, actor="uma")))


def of_another_repository(life: Life, draw: Random) -> None:
    """The agent names one of another repository."""
    life.plan.pushes, life.plan.url = draw.random() < 0.5, "http://github.localhost/else/where/pull/1"


def of_another(life: Life, draw: Random) -> None:
    """The agent names one of another branch, and may have opened its own as well."""
    life.hosted.push("other", {"other.txt": "other\n"})
    life.hosted.open("other", "main", actor="uma")
    _ours_as_well(life, draw)


def of_a_fork(life: Life, draw: Random) -> None:
    """The agent names one of the same branches that comes from a fork."""
    fork = life.github.add_fork(SLUG, "mallory")
    fork.push(BRANCH, {"one.txt": "one\n"}, actor="mallory")
    life.script(Fault(match=PUSHING, after=lambda: life.hosted.open(f"mallory:{BRANCH}", LANE, actor="mallory")))
    _ours_as_well(life, draw)


def _ours_as_well(life: Life, draw: Random) -> None:
    life.plan.url = f"http://github.localhost/{SLUG}/pull/1"
    life.plan.pushes = draw.random() < 0.5
    if life.plan.pushes:
        life.script(Fault(match=PUSHING, skip=1, after=lambda: life.hosted.open(BRANCH, LANE, actor=life.github.user)))


def not_ours(life: Life, draw: Random) -> None:
    """Somebody has a branch of the task's name."""
    pushed = lambda: life.hosted.push(BRANCH, {"theirs.txt": f"{draw.random()}\n"}, actor="uma")  # noqa: E731
    moments = (None, Fault(match=PUSHING, after=pushed), Fault(match=PUSHING, skip=1, before=pushed))
    moment = draw.choice(moments)
    if moment is None:
        pushed()
    else:
        life.script(moment)


def lane_moves(life: Life, draw: Random) -> None:
    """Somebody pushes to the lane."""
    deed = lambda: life.hosted.push(LANE, {"theirs.txt": "theirs\n"}, actor="uma")  # noqa: E731
    strike(life, draw, deed, since=PUSHING)


def lane_is_rewritten(life: Life, draw: Random) -> None:
    """Somebody takes away from the lane what it held."""
    first = life.hosted.git("rev-list", "--max-parents=0", "main").split()[0]
    deed = lambda: life.hosted.push(LANE, {"theirs.txt": "theirs\n"}, onto=first, actor="uma")  # noqa: E731
    strike(life, draw, deed, since=PUSHING)


# Machines and rules.


def check(life: Life, name: str, conclusion: str, *, sha: str | None = None) -> None:
    """Set a check of the task's commit, or of another one."""
    commit = sha or _pull(life).head_sha
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
    strike(life, draw, lambda: life.hosted.review(_pull(life).number, "APPROVED"))


def draft(life: Life, draw: Random) -> None:
    """Somebody makes it a draft, and ready later."""
    opened(life, lambda pull: life.hosted.set_draft(pull.number, draft=True, actor="uma"))
    strike(life, draw, lambda: life.hosted.set_draft(_pull(life).number, draft=False, actor="uma"))


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
        life.hosted.set_draft(_pull(life).number, draft=True)
        life.hosted.release_queue(LANE)
        life.hosted.set_draft(_pull(life).number, draft=False)

    life.script(Fault(match=QUEUEING, after=lambda: life.script(Fault(match=".", skip=number, before=throw_out))))
    let_go = lambda: life.hosted.release_queue(LANE)  # noqa: E731
    life.script(
        Fault(match=QUEUEING, skip=1, after=lambda: life.script(Fault(match=".", skip=number, before=let_go)))
    )


# Limits and logins.


def spent(resource: str) -> Arrange:
    """An hour's calls are used up, and the hour ends soon."""

    def arrange(life: Life, draw: Random) -> None:
        def deed() -> None:
            life.github.quota.use_up(resource)  # type: ignore[arg-type]
            life.github.quota.budget(resource).resets_at = time.time() + draw.uniform(0.2, 1.5)  # type: ignore[arg-type]

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


def deletes_branch(life: Life) -> None:
    """A person takes their branch away."""
    life.hosted.delete_branch(BRANCH)


def restores_lane(life: Life) -> None:
    """A person pushes again what was there."""
    life.hosted.git("update-ref", f"refs/heads/{LANE}", life.hosted.git("rev-parse", "main").strip())
    life.hosted.tip(LANE)


_BOTH: Final = ("done", "Parked")
_TYPES: Final = "agentrelay run"

SCENARIOS: Final = tuple(
    Scenario(name=name, rows=tuple(rows.split()), arrange=arrange, **more)  # type: ignore[arg-type]
    for name, rows, arrange, more in (
        ("502 before opening", "G14", bad_gateway(OPENING, effect=False), {}),
        ("502 after opening", "G14", bad_gateway(OPENING, effect=True), {}),
        ("502 before merging", "G14", bad_gateway(MERGING, effect=False), {}),
        ("502 after merging", "G14", bad_gateway(MERGING, effect=True), {}),
        ("connection reset at the opening", "G14", reset(OPENING), {}),
        ("connection reset at the merge", "G14", reset(MERGING), {}),
        ("no answer in time at the opening", "G14", late(OPENING), {}),
        ("no answer in time at the merge", "G14", late(MERGING), {}),
        ("git's server fails for a while", "G14 G19", git_fails, {}),
        ("says merged, and is not", "G14", lying(pretending_to_merge, 2), {}),
        ("says not merged, and is", "G14", lying(denying_the_merge, 1), {}),
        ("missing in lists after opening", "G14 G11", hidden, {}),
        ("the agent's own, missing in lists", "G11", hidden_agents, {}),
        ("base modified once", "G18", modified(1), {}),
        ("base modified five times", "G18", modified(5), {"ends": ("Parked",), "mend": leave}),
        ("head moved by a person", "G13", head_moves, {"ends": (*_BOTH, "AgentFailure"), "says": "[0-9a-f]{40}"}),
        ("head moved at the merge", "G13", head_moves_at_merge, {"ends": ("Parked",), "says": "was verified"}),
        ("head moved by the agent", "G13", agent_goes_on, {"ends": ("Parked",), "says": "verified"}),
        ("merged by a person", "G10", person_merges, {}),
        ("merged into another base", "G12", elsewhere, {"ends": _BOTH, "says": "into elsewhere"}),
        ("closed by a person", "G12", closes, {"ends": _BOTH, "says": "gh pr reopen", "mend": reopens}),
        ("closed and reopened", "G12", closes_and_reopens, {"ends": _BOTH, "says": "gh pr reopen", "mend": reopens}),
        ("URL of another repository", "G11", of_another_repository, {"ends": ("ProtocolViolation",), "says": "it is in"}),
        ("URL of a fork", "G11", of_a_fork, {"ends": ("ProtocolViolation",), "says": "from the fork"}),
        ("URL of another pull request", "G11", of_another, {"ends": ("ProtocolViolation",), "says": "comes from other"}),
        ("two pull requests for one head", "G20", two_targets, {}),
        ("check absent", "G17", requiring(""), {"ends": ("Parked",), "says": "build", "mend": turns_green}),
        ("check pending, then green", "G17", requiring("in_progress", "success", patience=60.0), {}),
        ("check red", "G17", requiring("failure"), {"ends": ("AgentFailure",), "says": "(?s)build.*the last line"}),
        ("check skipped", "G17", requiring("skipped"), {"ends": ("Parked",), "says": "build", "mend": turns_green}),
        ("check renamed", "G17", requiring("renamed"), {"ends": ("Parked",), "says": "build", "mend": turns_green}),
        (
            "check green on an older commit",
            "G17",
            requiring("", older=True),
            {"ends": ("Parked",), "says": "build", "mend": turns_green},
        ),
        ("review missing, then approved", "G17", reviewed, {}),
        ("draft, then ready", "G17", draft, {}),
        ("merge queue lets it go", "G17", queue, {}),
        ("merge queue throws it out", "G17", thrown_out, {}),
        ("primary limit", "G15", spent("core"), {}),
        ("GraphQL RATE_LIMITED", "G15", spent("graphql"), {}),
        ("secondary limit at the opening", "G15", slowed(OPENING), {}),
        ("secondary limit at the merge", "G15", slowed(MERGING), {}),
        ("login expired", "G16", expired, {"ends": _BOTH, "says": "gh auth login", "mend": logs_in}),
        ("single sign-on", "G16", single_sign_on, {"ends": _BOTH, "says": "sso|gh auth", "mend": authorizes}),
        ("scope missing", "G16", lacks_scope, {"ends": _BOTH, "says": "gh auth", "mend": logs_in}),
        ("right missing", "G16", lacks_right, {"ends": _BOTH, "says": "gh auth", "mend": is_allowed}),
        ("branch is there, and not ours", "G19", not_ours, {"ends": _BOTH, "says": "not ours", "mend": deletes_branch}),
        ("lane moved by a person", "G19", lane_moves, {"ends": _BOTH, "says": _TYPES, "mend": leave}),
        (
            "lane rewritten by a person",
            "G19",
            lane_is_rewritten,
            {"ends": (*_BOTH, "MergeConflict"), "says": "rewritten|conflicts", "mend": restores_lane},
        ),
    )
)
