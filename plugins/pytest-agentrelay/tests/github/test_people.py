"""What other people do meanwhile has the consequences that it has on GitHub."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_agentrelay.github.state.merging import MergeOrder, merge
from pytest_agentrelay.github.state.refusals import Refused


def test_a_push_to_the_base_that_merges(ask, emulated_github, hosted, pull):
    """Commits of a pull request that somebody pushes to the base make it merged."""
    tip = hosted.tip("one")
    hosted.git("update-ref", "refs/heads/main", tip)
    [effect] = emulated_github.happened("merged")
    assert (effect.method, effect.sha) == ("push", tip)
    assert ask("GET", "/repos/o/r/pulls/1").body["merged"] is True


def test_a_merge_by_hand(hosted, pull):
    """A merge commit that somebody pushes is the one that the pull request names."""
    tree = hosted.git("merge-tree", "--write-tree", "main", "one")
    identity = ("-c", "user.name=p", "-c", "user.email=p@e")
    made = hosted.git(*identity, "commit-tree", tree, "-p", "main", "-p", "one", "-m", "By hand")
    hosted.git("update-ref", "refs/heads/main", made)
    assert (hosted.pull(1).state, hosted.pull(1).merge_commit) == ("merged", made)


def test_a_head_that_is_reset_to_the_base(hosted, pull):
    """A head without any commit of its own is no merge: the pull request is closed."""
    hosted.git("update-ref", "refs/heads/one", hosted.tip("main"))
    assert hosted.pull(1).state == "closed"


def test_a_head_that_is_deleted(hosted, pull):
    """A pull request without a head is closed, and opens again when its branch is back, not before."""
    tip = hosted.tip("one")
    hosted.delete_branch("one")
    assert (hosted.pull(1).state, hosted.pull(1).head_sha) == ("closed", tip)
    hosted.git("update-ref", "refs/heads/one", tip)
    hosted.reopen(1)
    assert (hosted.pull(1).state, hosted.pull(1).reopened) == ("open", 1)


def test_another_base(ask, emulated_github, hosted, pull):
    """A pull request that somebody turns to another base is merged into that one."""
    hosted.push("other", {})
    hosted.push("other", {"other.txt": "other\n"})
    hosted.retarget(1, "other")
    assert ask("GET", "/repos/o/r/pulls/1").body["base"]["ref"] == "other"
    hosted.merge(1, "squash")
    assert [effect.branch for effect in emulated_github.happened("merged")] == ["other"]
    assert "one.txt" not in hosted.git("ls-tree", "-r", "--name-only", "main")


def test_a_rebase_of_several_commits(hosted):
    """Every commit is made again on the base, in order, and one that does not fit stops all of it."""
    for number in range(3):
        hosted.push("many", {f"{number}.txt": f"{number}\n"}, message=f"Write {number}")
    hosted.push("main", {"other.txt": "other\n"})
    number = hosted.open("many", "main").number
    hosted.merge(number, "rebase")
    subjects = hosted.git("log", "--format=%s", "--no-merges", "main").splitlines()
    assert subjects == ["Write 2", "Write 1", "Write 0", "change", "first"]
    assert len(hosted.git("log", "--merges", "--format=%s", "main").splitlines()) == 0


def test_a_squash_of_several_commits(hosted):
    """The one commit has the pull request's title and number, and lists what it was made of."""
    for number in range(2):
        hosted.push("many", {f"{number}.txt": f"{number}\n"}, message=f"Write {number}")
    number = hosted.open("many", "main", title="Write both").number
    hosted.merge(number, "squash")
    message = hosted.git("log", "-1", "--format=%B", "main")
    assert message == f"Write both (#{number})\n\n* Write 0\n\n* Write 1"


def test_merges_at_once(ask, emulated_github, hosted):
    """Of many merges at once of two pull requests, each is made once, on top of the other."""
    numbers = [hosted.open(head, "main").number for head in ("one", "two")]
    paths = [f"/repos/o/r/pulls/{number}/merge" for number in numbers] * 4
    with ThreadPoolExecutor(len(paths)) as pool:
        statuses = list(pool.map(lambda path: ask("PUT", path, {"merge_method": "squash"}).status, paths))
    assert sorted(statuses) == [200] * 2 + [405] * 6
    assert sorted(effect.number for effect in emulated_github.happened("merged")) == numbers
    assert len(hosted.git("rev-list", "main").splitlines()) == 3


def test_a_base_that_moves_within_the_merge(emulated_github, hosted, pull):
    """A push that comes after GitHub looked at the base is not overwritten: the merge is refused as modified."""
    hub = emulated_github._hub
    pushed = hosted.tip("two")
    hosted.git("update-ref", "refs/heads/main", pushed)  # nobody has looked since
    with pytest.raises(Refused, match="Base branch was modified") as refused:
        merge(hub, hub.repository("o/r"), pull, "octocat", MergeOrder())
    assert refused.value.status == 405
    assert (hosted.tip("main"), emulated_github.happened("merged")) == (pushed, [])
