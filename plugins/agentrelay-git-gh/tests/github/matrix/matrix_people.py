"""What other people do at some moment of a life, and what the agent says of its pull request."""

from random import Random

from matrix_lives import BRANCH, LANE, SLUG, Life, git_at
from matrix_moments import MERGING, PUSHING, pull_of, strike
from pytest_agentrelay.github import Fault


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
        git_at(path, "commit", "-q", "--allow-empty", "-m", "one more")
        git_at(path, "push", "-q", "origin", BRANCH)

    life.plan.pushes, life.plan.later = draw.random() < 0.5, later


def person_merges(life: Life, draw: Random) -> None:
    """Somebody merges it, in one way or another."""
    life.plan.method, method = draw.choice(("merge", "squash")), draw.choice(("merge", "squash", "rebase"))
    life.plan.deletes = draw.random() < 0.5
    life.hosted.set(delete_branch_on_merge=life.plan.deletes)
    strike(life, draw, lambda: life.hosted.merge(pull_of(life).number, method, actor="uma"), lanes=True)


def elsewhere(life: Life, draw: Random) -> None:
    """Somebody gives it another target, and may merge it there."""
    life.hosted.push("elsewhere", {"elsewhere.txt": "elsewhere\n"})
    merges = draw.random() < 0.7

    def deed() -> None:
        number = pull_of(life).number
        if pull_of(life).open:
            life.hosted.retarget(number, "elsewhere")
            if merges:
                life.hosted.merge(number, actor="uma")

    strike(life, draw, deed)


def closes(life: Life, draw: Random) -> None:
    """Somebody closes it."""
    strike(life, draw, lambda: pull_of(life).open and life.hosted.close(pull_of(life).number, actor="uma"), lanes=True)


def reopens(life: Life) -> None:
    """Somebody opens it again."""
    found = life.pull
    if found is not None and found.state == "closed":
        life.hosted.reopen(found.number, actor="uma")


def closes_and_reopens(life: Life, draw: Random) -> None:
    """Somebody closes it, and thinks better of it some calls later."""
    between = draw.randint(0, 3)

    def deed() -> None:
        if pull_of(life).open:
            life.hosted.close(pull_of(life).number, actor="uma")
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
    onto = draw.choice((None, life.hosted.git("rev-list", "--max-parents=0", "main").strip()))
    pushed = lambda: life.hosted.push(BRANCH, {"theirs.txt": "theirs\n"}, onto=onto, actor="uma")  # noqa: E731
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


def branch_is_deleted(life: Life, draw: Random) -> None:
    """Somebody deletes the task's branch, which closes what was opened of it."""
    strike(life, draw, lambda: _delete(life, BRANCH))


def lane_is_deleted(life: Life, draw: Random) -> None:
    """Somebody deletes the lane, which closes what was opened into it."""
    strike(life, draw, lambda: _delete(life, LANE))


def _delete(life: Life, branch: str) -> None:
    life.deleted[branch] = life.hosted.tip(branch)
    life.hosted.delete_branch(branch, actor="uma")


def restores(life: Life) -> None:
    """A person restores what was deleted, where it was, and opens the pull request again."""
    for branch, tip in life.deleted.items():
        if not life.hosted.git("for-each-ref", f"refs/heads/{branch}").strip():
            life.hosted.git("update-ref", f"refs/heads/{branch}", tip)
    life.hosted.tip("main")
    reopens(life)


def deletes_branch(life: Life) -> None:
    """A person takes their branch away."""
    life.hosted.delete_branch(BRANCH)


def restores_lane(life: Life) -> None:
    """A person pushes again what was there."""
    life.hosted.git("update-ref", f"refs/heads/{LANE}", life.hosted.git("rev-parse", "main").strip())
    life.hosted.tip(LANE)
