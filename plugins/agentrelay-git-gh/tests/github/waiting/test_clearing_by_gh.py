"""The waiting states by the real gh, old and new, against the emulated GitHub; only the pauses are made up."""

import asyncio
import time

import attrs
import pytest
from agentrelay_git_gh.git.merging import MergeConflict
from agentrelay_git_gh.github.clearing import clear
from agentrelay_git_gh.github.command import GitHubApi
from agentrelay_git_gh.github.failures import LoginRefused
from agentrelay_git_gh.github.poller import Poller
from agentrelay_git_gh.github.sites import Site
from agentrelay_git_gh.remote.patience import PATIENCE
from pytest_agentrelay.github import answering, dropping

from agentrelay_core.runtime import AgentFailure, Parked

LANE = "agentrelay/graph@lane"


@attrs.define
class OnGitHub:
    """A pull request on the emulated GitHub, and a wait for it."""

    server: object
    hosted: object
    poller: Poller
    loop: object
    number: int
    head: str
    told: list = attrs.field(factory=list)

    def run(self, *then, **fields):
        """Wait, and let things happen after so many seconds each; the seconds pass on the server too."""

        async def at(seconds, happens):
            await asyncio.sleep(seconds)
            self.server.clock.advance(seconds)
            happens()

        async def both():
            given = {"checks": "required", "deadline": 4 * 3600.0, "conflicts": lambda look: ("a.txt",)} | fields
            given.setdefault("is_older", lambda shown: False)
            tasks = [asyncio.create_task(at(*one)) for one in then]
            try:
                return await clear(
                    self.poller,
                    self.number,
                    self.head,
                    tell=lambda state, detail: self.told.append(f"{state}: {detail}"),
                    **given,
                )
            finally:
                for task in tasks:
                    task.cancel()

        return self.loop.run_until_complete(both())

    def check(self, name, conclusion="success", **fields):
        return self.hosted.set_check(self.head, name, conclusion, **fields)


def opened(emulated_github, virtual_clock, monkeypatch):
    """Open a pull request that may be merged."""
    emulated_github.add_repository("octo", "work")
    hosted = emulated_github.repository("octo/work")
    hosted.push("main", {"a.txt": "a\n"})
    hosted.push(LANE, {"lane.txt": "lane\n"})
    head = hosted.push("task", {"task.txt": "task\n"}, onto=hosted.tip(LANE))
    number = hosted.open("task", LANE).number
    for name, value in emulated_github.environment("file").items():
        monkeypatch.setenv(name, value)
    started = time.time()

    def clock():
        return started + virtual_clock.time()

    site = Site(host=emulated_github.host, owner="octo", name="work")
    api = GitHubApi(site, clock=clock, jitter=lambda longest: 0.0)
    return OnGitHub(emulated_github, hosted, Poller(api, wall=clock), virtual_clock, number, head)


@pytest.fixture
def pull(new_gh, emulated_github, virtual_clock, monkeypatch):
    """A pull request that may be merged, for the new gh."""
    return opened(emulated_github, virtual_clock, monkeypatch)


@pytest.fixture
def either(gh, emulated_github, virtual_clock, monkeypatch):
    """The same for each gh in turn."""
    return opened(emulated_github, virtual_clock, monkeypatch)


def test_nothing_is_asked_for(pull):
    """A pull request into a branch without protection may be merged at once."""
    assert pull.run().head_sha == pull.head
    assert pull.told == []


@pytest.mark.fault("G17")
@pytest.mark.parametrize("form", ["classic", "ruleset"])
def test_protection_is_read(either, form):
    """What a branch asks for is read from its protection and from rulesets; a check that comes late is waited for."""
    either.hosted.protect(LANE, checks=("build",), form=form)
    either.check("other", "failure")
    either.run((20, lambda: either.check("build", "in_progress")), (60, lambda: either.check("build")))
    assert either.told == ["checks: build not there", "checks: build pending"]


@pytest.mark.fault("G17")
def test_a_skipped_check_is_no_pass(pull):
    """A required check that GitHub takes for passed, because it was skipped, is no pass."""
    pull.hosted.protect(LANE, checks=("build",))
    pull.check("build", "skipped")
    with pytest.raises(Parked, match="for checks: build skipped"):
        pull.run(deadline=60)


def test_a_renamed_check_is_no_pass(pull):
    """A required check under a new name is missing, and both names are told."""
    pull.hosted.protect(LANE, checks=("build",))
    pull.check("build", "in_progress")
    pull.hosted.rename_check(pull.head, "build", "build (3.12)", after_looks=2)
    with pytest.raises(Parked, match=r"build not there.*what is there: build \(3\.12\)"):
        pull.run(deadline=60)


def test_many_checks_are_paged(either):
    """A red check beyond the first hundred is found."""
    for count in range(120):
        either.check(f"check{count:03}")
    either.check("zzz", "failure", app="ci", summary="line 1 is wrong")
    with pytest.raises(AgentFailure, match="zzz ended with failure") as failure:
        either.run(checks="all")
    assert "\n\nline 1 is wrong\n```" in str(failure.value)


def test_a_red_job_comes_back_with_its_log(either):
    """A failed job of Actions fails the attempt with the end of its log."""
    either.hosted.protect(LANE, checks=("build",))
    log = "".join(f"2026-11-24T10:00:00.0000000Z line {count}\n" for count in range(3000))
    either.check("build", "failure", log=log)
    with pytest.raises(AgentFailure, match="build ended with failure") as failure:
        either.run()
    assert str(failure.value).endswith("line 2998\nline 2999\n```")


def test_a_status_of_the_old_kind(pull):
    """A commit status passes as a check does, and a failed one says what it says."""
    pull.hosted.protect(LANE, checks=("ci/old",))
    pull.hosted.set_status(pull.head, "ci/old", "pending")
    pull.run((60, lambda: pull.hosted.set_status(pull.head, "ci/old", "success")))
    pull.hosted.set_status(pull.head, "ci/old", "error", description="no runner")
    with pytest.raises(AgentFailure, match="ci/old ended with error") as failure:
        pull.run()
    assert "no runner" in str(failure.value)


@pytest.mark.fault("G17")
def test_draft_and_review(pull):
    """A draft waits to be ready, and then for the review that the branch asks for."""
    pull.hosted.protect(LANE, reviews=1)
    pull.hosted.set_draft(pull.number, draft=True)
    pull.run(
        (10, lambda: pull.hosted.set_draft(pull.number, draft=False)),
        (30, lambda: pull.hosted.review(pull.number, "CHANGES_REQUESTED")),
        (60, lambda: pull.hosted.review(pull.number, "APPROVED")),
    )
    assert pull.told == ["draft: not ready for review", "review: review required", "review: changes requested"]


def test_behind(pull):
    """A branch that wants what is up to date parks what is not."""
    pull.hosted.protect(LANE, strict=True)
    pull.hosted.push(LANE, {"more.txt": "more\n"})
    with pytest.raises(Parked, match="gh pr update-branch"):
        pull.run()


def test_a_conflict(pull):
    """A conflict fails the attempt with the files that our git names."""
    pull.hosted.push(LANE, {"task.txt": "another\n"})
    with pytest.raises(MergeConflict, match=r"in a\.txt"):
        pull.run()


@pytest.mark.parametrize("deed", ["merge", "close"])
def test_others_act_meanwhile(pull, deed):
    """A person who merges or closes it ends the wait."""
    pull.hosted.set_draft(pull.number, draft=True)

    def act():
        pull.hosted.set_draft(pull.number, draft=False)
        getattr(pull.hosted, deed)(pull.number)

    assert pull.run((60, act)).state == {"merge": "merged", "close": "closed"}[deed]


def test_a_push_meanwhile(pull):
    """A push to the source after it was verified is a person's affair; checks of that push do not count."""
    pull.hosted.protect(LANE, checks=("build",))

    def push():
        newer = pull.hosted.push("task", {"more.txt": "more\n"}, actor="somebody")
        pull.hosted.set_check(newer, "build")

    with pytest.raises(Parked, match=f"verified is {pull.head}"):
        pull.run((60, push))


def test_a_broken_connection_is_no_news(pull):
    """A look that GitHub fails to answer is tried again."""
    pull.server.script(dropping("graphql", times=2))
    pull.server.script(answering("graphql", 502))
    assert pull.run().state == "open"


def test_a_limit_is_waited_out(either):
    """A secondary limit is told with its end, and the wait goes on after it."""
    either.server.script(
        answering(
            "graphql", 403, {"message": "You have exceeded a secondary rate limit"}, headers={"Retry-After": "90"}
        )
    )
    assert either.run().state == "open"
    assert len(either.told) == 1
    assert either.told[0].startswith("limits: until ")
    assert 90 <= either.loop.time() < 100


def test_a_login_that_expires(either):
    """A login that stops working ends the wait with what to type."""
    either.hosted.set_draft(either.number, draft=True)
    with pytest.raises(LoginRefused, match="gh auth login"):
        either.run((60, lambda: either.server.accounts.revoke(either.server.token)))


def test_a_pull_request_that_is_not_there(pull):
    """A number that GitHub does not know is told as such."""
    pull.number = 99
    with pytest.raises(Parked, match="shows no pull request 99"):
        pull.run()


def test_a_branch_that_is_gone(pull):
    """Where the target is deleted GitHub closes the pull request, which ends the wait."""
    pull.hosted.delete_branch(LANE)
    assert pull.run().state == "closed"


@pytest.mark.fault("G17")
def test_a_queue(pull):
    """What is in a merge queue waits in its place, until the queue has merged it."""
    pull.hosted.use_queue(LANE)
    ready = pull.run()
    assert ready.has_queue
    pull.poller.api.change(
        "mutation($id: ID!, $head: GitObjectID!) "
        "{ enqueuePullRequest(input: {pullRequestId: $id, expectedHeadOid: $head}) { mergeQueueEntry { position } } }",
        {"id": pull.hosted.pull(pull.number).node_id, "head": pull.head},
    )
    assert pull.run((60, lambda: pull.hosted.release_queue(LANE))).state == "merged"
    assert pull.told[0].startswith("merge queue: position 1")


async def test_a_wait_that_is_left_leaves_nothing_behind(new_gh, emulated_github, virtual_clock, monkeypatch):
    """When the last watcher leaves while GitHub does not answer, the call is not tried again and its gh ends."""
    pull = opened(emulated_github, virtual_clock, monkeypatch)
    emulated_github.script(dropping("graphql", times=100))
    api = GitHubApi(pull.poller.api.site, jitter=lambda longest: PATIENCE / 2)  # so that it would be asked again
    poller = Poller(api)
    given = {"checks": "none", "deadline": 60.0, "tell": lambda *told: None, "conflicts": lambda look: ()}
    given["is_older"] = lambda shown: False
    waiting = asyncio.create_task(clear(poller, pull.number, pull.head, **given))
    assert await asyncio.to_thread(emulated_github.wait_for_request, "graphql")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    left = asyncio.all_tasks() - {asyncio.current_task()}
    _, late = await asyncio.wait(left, timeout=60)
    assert not late
    assert len(new_gh.command_lines) == 1
