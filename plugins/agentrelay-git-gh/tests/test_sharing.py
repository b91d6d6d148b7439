"""Branches of ours and their namesakes on a remote: brought to one commit, never rewritten, never somebody else's."""

import attrs
import pytest
from agentrelay_git_gh.names import base_ref
from agentrelay_git_gh.remote.remotes import Remote

from agentrelay_core.runtime import AgentFailure, Parked

LANE = "agentrelay/g@default"
BRANCH = "agentrelay/g/t"


@pytest.fixture
def task(places):
    """A task's branch with a commit on it, known to ours; the commit."""
    base = places.here()
    places.bench.user("branch", BRANCH, base)
    places.repository.set_ours({base_ref(places.bench.run_id, BRANCH): base})
    return taken(places, places.commit_here("work", BRANCH))


def taken(places, commit):
    """A commit that ours has taken over."""
    from agentrelay_git_gh.git.transfer import take_over

    take_over(places.repository, commit)
    return commit


@attrs.frozen(kw_only=True)
class Overtaken(Remote):
    """A remote on which something happens right after our first look."""

    deeds: list = attrs.field(factory=list)

    def fetch(self, branch):
        found = super().fetch(branch)
        if self.deeds:
            self.deeds.pop()()
        return found


def overtaken(places, deed):
    known = {"repository": places.repository, "url": places.remote.url}
    return attrs.evolve(places.branches, remote=Overtaken(**known, deeds=[deed]))


def test_integration_branch_is_made_and_moved_on_the_remote(places):
    """What is merged into an integration branch here is on the remote once it is shared, whole."""
    assert places.branches.share(LANE) == places.there() == places.here()
    moved = places.commit_here("one")
    assert places.branches.share(LANE) == places.there() == places.here() == moved
    assert places.branches.share(LANE) == moved


def test_branch_that_is_known_to_be_there_is_not_looked_for(places):
    """What was shared and has not moved here since needs no look; what has moved is shared."""
    tip = places.branches.share(LANE)
    places.bare.path.rename(places.bare.path.with_name("elsewhere"))
    assert places.branches.ensure(LANE) == tip
    places.bare.path.with_name("elsewhere").rename(places.bare.path)
    moved = places.commit_here("ours")
    assert places.branches.ensure(LANE) == places.there() == moved


def test_local_branch_follows_what_was_pushed(places):
    """What a person pushed to an integration branch is in the local one once it is shared."""
    places.branches.share(LANE)
    theirs = places.push_other("theirs")
    assert places.branches.follow(LANE) == places.here() == places.there() == theirs
    assert places.bench.user("show", f"{LANE}:theirs") == "theirs"


def test_what_moved_on_both_sides_is_merged(places):
    """Where a person pushed and something was merged here, both are in one commit on both sides."""
    first = places.branches.share(LANE)
    theirs, ours = places.push_other("theirs"), places.commit_here("ours")
    tip = places.branches.share(LANE)
    assert tip == places.here() == places.there()
    assert set(places.bench.user("rev-list", f"{first}..{LANE}").split()) == {tip, theirs, ours}
    assert places.branches.share(LANE) == tip


def test_conflict_with_what_was_pushed_waits_for_a_person(places):
    """Where both sides changed the same, both stay as they are and the file is named."""
    places.branches.share(LANE)
    theirs, ours = places.push_other("same"), places.commit_here("same")
    with pytest.raises(Parked, match=rf"conflicts .* in same; merge {theirs} into it by hand"):
        places.branches.share(LANE)
    assert (places.there(), places.here()) == (theirs, ours)


@pytest.mark.fault("G19")
def test_push_by_somebody_between_look_and_push_is_not_lost(places):
    """A push that overtakes ours is merged, not overwritten."""
    places.branches.share(LANE)
    ours = places.commit_here("ours")
    branches = overtaken(places, lambda: places.push_other("theirs"))
    tip = branches.share(LANE)
    assert tip == places.here() == places.there()
    assert {"ours", "theirs"} <= set(places.bench.user("ls-tree", "--name-only", tip).split())
    assert places.bench.user("merge-base", "--is-ancestor", ours, tip) == ""


def test_branch_of_that_name_that_is_not_ours_is_left_alone(places):
    """An integration branch that somebody else has on the remote is neither followed nor moved."""
    places.other("fetch", "-q", "origin", "main")
    places.other("push", "-q", "origin", f"FETCH_HEAD:refs/heads/{LANE}")
    theirs, ours = places.push_other("theirs"), places.here()
    with pytest.raises(Parked, match=rf"{LANE} is on .* at {theirs}, and is not ours; rename it there"):
        places.branches.share(LANE)
    assert (places.there(), places.here()) == (theirs, ours)


def test_branch_that_appears_while_ours_is_made_is_left_alone(places):
    """A branch that somebody makes between our look and our push is found not to be ours."""

    def deed():
        places.push_other("theirs", branch="main")
        places.other("push", "-q", "origin", f"HEAD:refs/heads/{LANE}")
        places.commit_here("ours")

    with pytest.raises(Parked, match="is not ours"):
        overtaken(places, deed).share(LANE)
    assert places.there() != places.here()


def test_branch_that_was_pushed_right_before_a_crash_is_ours(places):
    """A branch that is on the remote although nobody wrote down that it got there is known as ours."""
    places.branches.share(LANE)
    places.repository.ours.run("update-ref", "-d", f"refs/agentrelay/shared/{LANE}")
    assert places.branches.share(LANE) == places.there()


@pytest.mark.fault("G19")
def test_branch_that_is_gone_from_the_remote_is_not_made_again(places):
    """A person who deleted an integration branch is asked; a lane that is only read goes on without it."""
    places.branches.share(LANE)
    places.bare("update-ref", "-d", f"refs/heads/{LANE}")
    for bring in (places.branches.share, places.branches.follow):
        with pytest.raises(Parked, match=rf"{LANE} is not on .* any more; push it again"):
            bring(LANE)
    assert places.branches.catch_up(LANE) is None
    assert not places.there()


@pytest.mark.fault("G19")
def test_branch_that_was_rewritten_on_the_remote_is_refused(places):
    """Where the remote's branch has lost what it had, nothing is moved and both commits are named."""
    first = places.branches.share(LANE)
    places.commit_here("ours")
    shared = places.branches.share(LANE)
    places.bare("update-ref", f"refs/heads/{LANE}", first)
    with pytest.raises(Parked, match=rf"was rewritten: it stands at {first}, and {shared}"):
        places.branches.share(LANE)
    assert places.there() == first


def test_branch_that_is_checked_out_is_not_moved_under_its_user(places):
    """A local branch that somebody has checked out stays, and what to type is said."""
    places.branches.share(LANE)
    places.bench.user("checkout", "-q", LANE)
    here, theirs = places.here(), places.push_other("theirs")
    with pytest.raises(Parked, match=r"checked out .* git pull --ff-only"):
        places.branches.share(LANE)
    assert (places.here(), places.there()) == (here, theirs)


def test_tip_of_a_branch_of_the_users_moves_nothing_here(places):
    """Looking where a target stands on the remote takes it over into ours and leaves the user's branch."""
    main, theirs = places.here("main"), places.push_other("theirs", branch="main")
    assert places.branches.tip("main") == theirs
    assert places.repository.has(theirs)
    assert places.here("main") == main
    assert places.branches.tip("nothing") is None


def test_tasks_branch_is_delivered_once(places, task):
    """A task's branch stands on the remote at its tip; delivering again changes nothing."""
    places.branches.deliver(BRANCH, task)
    places.branches.deliver(BRANCH, task)
    assert places.there(BRANCH) == task


def test_what_an_agent_pushed_itself_is_moved_forward(places, task):
    """A branch that the agent pushed before it committed more is brought to its tip."""
    places.bench.user("push", "-q", str(places.bare.path), f"{task}:refs/heads/{BRANCH}")
    more = taken(places, places.commit_here("more", BRANCH))
    places.branches.deliver(BRANCH, more)
    assert places.there(BRANCH) == more


def test_what_is_beside_ours_on_the_remote_is_the_agents_to_bring_together(places, task):
    """Where the remote's branch and the local one have each what the other has not, the attempt fails by name."""
    places.branches.deliver(BRANCH, task)
    theirs = places.push_other("theirs", branch=BRANCH)
    more = taken(places, places.commit_here("more", BRANCH))
    with pytest.raises(AgentFailure, match=rf"stands at {theirs} .* {more}; bring both together, push the branch"):
        places.branches.deliver(BRANCH, more)
    assert places.there(BRANCH) == theirs
    assert places.branches.ahead(BRANCH, more) is None


def test_what_is_on_top_of_ours_on_the_remote_is_told_and_left(places, task):
    """A branch there that holds ours and more needs nothing of us; where it stands is told."""
    places.branches.deliver(BRANCH, task)
    assert places.branches.ahead(BRANCH, task) is None
    theirs = places.push_other("theirs", branch=BRANCH)
    places.branches.deliver(BRANCH, task)
    assert places.there(BRANCH) == theirs == places.branches.ahead(BRANCH, task)


def test_branch_of_a_tasks_name_that_is_not_ours_is_left_alone(places, task):
    """A branch that does not even hold what the task's was cut from is somebody else's."""
    root = places.bench.user("rev-list", "--max-parents=0", "main")
    places.bench.user("push", "-q", str(places.bare.path), f"{root}:refs/heads/{BRANCH}")
    with pytest.raises(Parked, match="is not ours"):
        places.branches.deliver(BRANCH, task)
    assert places.there(BRANCH) == root


def test_tasks_branch_that_somebody_makes_meanwhile_is_no_failure(places, task):
    """An agent that pushes its branch at the very moment when we do is not in the way."""
    deed = lambda: places.bench.user("push", "-q", str(places.bare.path), f"{task}:refs/heads/{BRANCH}")  # noqa: E731
    more = taken(places, places.commit_here("more", BRANCH))
    overtaken(places, deed).deliver(BRANCH, more)
    assert places.there(BRANCH) == more
