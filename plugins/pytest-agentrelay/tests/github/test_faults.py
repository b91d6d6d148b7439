"""What goes wrong goes wrong as it was scripted, for the requests that were meant, and for no others."""

import http.client
import threading

import pytest
from pytest_agentrelay.github import (
    Answer,
    Fault,
    Hold,
    answering,
    base_modified,
    claiming,
    denying_the_merge,
    dropping,
    holding,
    meanwhile,
    pretending_to_merge,
)

PULLS = "/repos/o/r/pulls"
MERGE = f"{PULLS}/1/merge"
ON_MERGE = r"^PUT .*/merge$"


def test_it_meets_whom_it_is_meant_for(ask, emulated_github, hosted, pull):
    """A fault lets some pass, meets as many as it should, and tells how many it met."""
    script = emulated_github.script(
        Fault(match=r"^GET /user$", answer=Answer(status=500), effect=False, skip=1, times=2)
    )
    assert [ask("GET", "/user").status for _ in range(4)] == [200, 500, 500, 200]
    assert ask("GET", f"{PULLS}/1").status == 200
    assert script.met == 2
    assert [request.faults for request in emulated_github.requests][:4] == [0, 1, 1, 0]
    emulated_github.script(answering("^GET /user$", 500, times=9)).end()
    assert ask("GET", "/user").status == 200


@pytest.mark.parametrize("after_effect", [False, True])
def test_an_error_of_the_server(ask, emulated_github, hosted, pull, after_effect):
    """The answer is an error, and the effect is there or not, as it was scripted."""
    emulated_github.script(answering(ON_MERGE, 502, headers={"X-Cause": "test"}, after_effect=after_effect))
    answer = ask("PUT", MERGE, {})
    assert (answer.status, answer.body, answer.headers["x-cause"]) == (502, {"message": "Server Error"}, "test")
    assert len(emulated_github.happened("merged")) == after_effect
    assert (hosted.pull(1).state == "merged") == after_effect


@pytest.mark.parametrize("after_effect", [False, True])
def test_the_connection_ends(ask, emulated_github, hosted, pull, after_effect):
    """No answer comes, and the effect is there or not, as it was scripted; the log says that there was no answer."""
    emulated_github.script(dropping(ON_MERGE, after_effect=after_effect))
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask("PUT", MERGE, {})
    assert len(emulated_github.happened("merged")) == after_effect
    assert [request.status for request in emulated_github.requests if "/merge" in request.what] == [0]


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_request_that_is_held(ask, emulated_github, hosted, pull, after_effect):
    """A request waits until it is let go, before its effect or after it, while others are answered."""
    hold, answers = Hold(), []
    emulated_github.script(holding(ON_MERGE, hold, after_effect=after_effect))
    waiting = threading.Thread(target=lambda: answers.append(ask("PUT", MERGE, {}).status))
    waiting.start()
    assert hold.reached.wait(60)
    assert emulated_github.wait_for_request(ON_MERGE)
    assert ask("GET", f"{PULLS}/1").body["merged"] is after_effect
    assert answers == []
    hold.release.set()
    waiting.join(60)
    assert answers == [200]
    assert hosted.pull(1).state == "merged"


def test_nothing_is_held_for_ever(ask, emulated_github, hosted, pull):
    """The end of the emulator lets go what it holds."""
    hold = Hold()
    emulated_github.script(holding("^GET /user$", hold))
    waiting = threading.Thread(target=lambda: ask("GET", "/user"))
    waiting.start()
    assert hold.reached.wait(60)
    emulated_github.close()
    waiting.join(60)
    assert not waiting.is_alive()


def test_it_says_that_it_merged(ask, emulated_github, hosted, pull):
    """The answer is a merge's, of a commit that there is not, and nothing happened."""
    emulated_github.script(pretending_to_merge())
    answer = ask("PUT", MERGE, {})
    assert (answer.status, answer.body["merged"]) == (200, True)
    assert answer.body["sha"] != hosted.tip("main")
    assert (hosted.pull(1).state, emulated_github.happened("merged")) == ("open", [])


def test_it_says_that_it_did_not_merge(ask, emulated_github, hosted, pull):
    """The answer is a refusal, and the merge was made."""
    emulated_github.script(denying_the_merge())
    answer = ask("PUT", MERGE, {})
    assert (answer.status, answer.body) == (405, {"message": "Pull Request is not mergeable"})
    assert len(emulated_github.happened("merged")) == 1


def test_it_claims_what_is_not_so(ask, emulated_github, hosted, pull):
    """Fields of answers have other values than they should, wherever they stand, until that is over."""
    script = emulated_github.script(claiming(rf"^GET {PULLS}", merged=True, state="closed"))
    assert ask("GET", f"{PULLS}/1").body["merged"] is True
    assert [one["state"] for one in ask("GET", PULLS).body] == ["closed"]
    script.end()
    assert ask("GET", f"{PULLS}/1").body["merged"] is False


def test_the_base_moved(ask, emulated_github, hosted, pull):
    """GitHub says that the base moved while it merged, and merges when it is asked again."""
    emulated_github.script(base_modified())
    first = ask("PUT", MERGE, {})
    assert (first.status, first.body["message"][:27]) == (405, "Base branch was modified. R")
    assert ask("PUT", MERGE, {}).status == 200
    assert len(emulated_github.happened("merged")) == 1


DEEDS = {
    "pushes to the head": (lambda hosted: hosted.push("one", {"more.txt": "more\n"}), 409, "open"),
    "closes it": (lambda hosted: hosted.close(1), 405, "closed"),
    "merges it by squash": (lambda hosted: hosted.merge(1, "squash"), 405, "merged"),
    "moves the base": (lambda hosted: hosted.push("main", {"other.txt": "other\n"}), 200, "merged"),
    "deletes the head": (lambda hosted: hosted.delete_branch("one"), 405, "closed"),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_somebody_else_at_that_moment(ask, emulated_github, hosted, pull, deed):
    """Somebody does something between our look and our merge: the pinned merge has the answer that is right then."""
    act, status, state = DEEDS[deed]
    sha = hosted.tip("one")
    emulated_github.script(meanwhile(ON_MERGE, lambda: act(hosted)))
    assert ask("PUT", MERGE, {"sha": sha}).status == status
    assert hosted.pull(1).state == state
    assert len(emulated_github.happened("merged")) == (state == "merged")


def test_several_at_once(ask, emulated_github, hosted, pull):
    """Faults that meet the same request each do their part."""
    emulated_github.script(
        meanwhile(ON_MERGE, lambda: hosted.push("main", {"other.txt": "other\n"}), after_effect=True)
    )
    emulated_github.script(answering(ON_MERGE, 504, after_effect=True))
    assert ask("PUT", MERGE, {}).status == 504
    kinds = [effect.kind for effect in emulated_github.effects][-2:]
    assert kinds == ["merged", "pushed"]
    assert emulated_github.wait_for_effect("merged", seconds=0)
    emulated_github.script(answering("^GET /user$", 500))
    emulated_github.clear_faults()
    assert ask("GET", "/user").status == 200
