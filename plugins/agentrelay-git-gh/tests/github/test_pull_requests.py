"""Pull requests by the real gh on the emulated GitHub; what happened is read from the server, not from what it said."""

import threading
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from agentrelay_git_gh.git.merging import MergeMessage
from agentrelay_git_gh.github.command import GitHubApi
from agentrelay_git_gh.github.failures import LoginRefused, Refused
from agentrelay_git_gh.github.merge_queue import wants_queue
from agentrelay_git_gh.github.merges import MERGING_TRIES
from agentrelay_git_gh.github.pull_requests import PullRequests
from agentrelay_git_gh.github.records import GitHubPullRequest
from agentrelay_git_gh.github.sites import Site
from pytest_agentrelay.github.emulator import EmulatedGitHub
from pytest_agentrelay.github.faults import (
    ALWAYS,
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
from pytest_agentrelay.github.hosted import HostedRepository

from agentrelay_core.runtime import HeadMoved, Parked, ProtocolViolation, Throttled

HEAD, BASE = "agentrelay/g/task", "agentrelay/g@default"
PUT, POST = r"^PUT .*/merge$", r"^POST .*/pulls$"
MESSAGE = MergeMessage(subject="task: A title", trailers={"Agentrelay-Run": "r1", "Agentrelay-Task": "task"})


@attrs.frozen(kw_only=True)
class World:
    """A repository on the emulated GitHub with a task's branch, and pull requests as a run holds them."""

    github: EmulatedGitHub
    repository: HostedRepository
    api: GitHubApi
    directory: Path

    @property
    def pull_requests(self) -> PullRequests:
        """As a process that has just started."""
        return PullRequests(self.api, self.directory)

    def open(self) -> GitHubPullRequest:
        return self.pull_requests.open(HEAD, BASE, "A title", "A text")

    def merge(self, opened: GitHubPullRequest, **others: str) -> str:
        settings = {"head_sha": opened.head_sha or "", "method": "merge"} | others
        return self.pull_requests.merge(opened.url, message=MESSAGE, **settings)  # type: ignore[arg-type]

    def asked(self, match: str) -> int:
        """How many requests of a kind were answered, or given up."""
        return sum(1 for request in self.github.requests if match in request.what)


@pytest.fixture
def make_world(
    emulated_github: EmulatedGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., World]:
    def make(login: str = "token", **settings: object) -> World:
        emulated_github.add_repository("acme", "rockets")
        repository = emulated_github.repository("acme/rockets")
        repository.push("main", {"README": "hello\n"})
        repository.push(BASE, {"base": "1\n"})
        repository.push(HEAD, {"work": "1\n"}, onto=repository.tip(BASE))
        for name, value in emulated_github.environment(login).items():  # type: ignore[arg-type]
            monkeypatch.setenv(name, value)
        site = Site(host=emulated_github.host, owner="acme", name="rockets")
        quiet = {"clock": emulated_github.clock, "pause": emulated_github.clock.advance, "directory": tmp_path}
        return World(
            github=emulated_github,
            repository=repository,
            api=GitHubApi(site, **{**quiet, **settings}),  # type: ignore[arg-type]
            directory=tmp_path / "notes",
        )

    return make


@pytest.fixture
def world(new_gh: object, make_world: Callable[..., World]) -> World:
    """The world, by the new gh."""
    return make_world()


def test_a_pull_request_is_opened_once_and_merged(gh, make_world):
    """By either gh, with the login that it keeps: one is opened, found again, merged as verified, and stays merged."""
    world = make_world("file")
    assert world.pull_requests.find(HEAD, BASE) is None
    opened = world.open()
    assert (opened.state, opened.head, opened.base, opened.title) == ("open", HEAD, BASE, "A title")
    assert opened.head_sha == world.repository.tip(HEAD)
    assert world.open().number == opened.number == 1
    assert world.pull_requests.find(HEAD, BASE).node_id == opened.node_id
    assert world.pull_requests.state(opened.url).mergeable_state == "clean"
    before = world.repository.tip(BASE)
    merged = world.merge(opened)
    assert world.repository.tip(BASE) == merged
    assert world.repository.git("rev-parse", f"{merged}^1", f"{merged}^2").split() == [before, opened.head_sha]
    said = world.repository.git("log", "-1", "--format=%B", merged).strip()
    assert said == "task: A title\n\nAgentrelay-Run: r1\nAgentrelay-Task: task"
    assert world.merge(opened) == merged
    found = world.pull_requests.find(HEAD, BASE)
    assert (found.state, found.merge_sha, found.head_sha) == ("merged", merged, opened.head_sha)
    assert len(world.github.happened("opened")) == len(world.github.happened("merged")) == 1
    assert world.asked("/merge") == 1
    assert not any(world.github.token in line for line in gh.command_lines)


@pytest.mark.fault("G10")
@pytest.mark.parametrize("method", ["squash", "rebase"])
def test_it_is_merged_by_the_method_that_is_asked_for(world, method):
    """Squash and rebase give one commit on the target, which is what is returned."""
    opened = world.open()
    before = world.repository.tip(BASE)
    merged = world.merge(opened, method=method)
    assert world.repository.tip(BASE) == merged
    assert world.repository.git("rev-list", "--parents", "-1", merged).split() == [merged, before]
    subject = world.repository.git("log", "-1", "--format=%s", merged).strip()
    assert subject == ("task: A title" if method == "squash" else "change")


@pytest.mark.fault("G10")
@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_what_a_person_merged_is_merged(world, method):
    """A pull request that a person merged at the verified commit, in whatever way, is not merged again."""
    opened = world.open()
    by_hand = world.repository.merge(opened.number, method, actor="petra")
    assert world.merge(opened) == by_hand
    assert world.asked("/merge") == 0
    found = world.pull_requests.state(opened.url)
    assert (found.state, found.merged_by) == ("merged", "petra")


@pytest.mark.fault("G14")
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(answering(POST, 502), id="502 before"),
        pytest.param(answering(POST, 502, after_effect=True), id="502 after"),
        pytest.param(dropping(POST), id="reset before"),
        pytest.param(dropping(POST, after_effect=True), id="reset after"),
    ],
)
def test_an_opening_that_was_not_answered_is_looked_up(world, fault):
    """After 5xx or a reset, before the effect or after it, one pull request is open."""
    world.github.script(fault)
    opened = world.open()
    assert [pull.number for pull in world.repository.pulls] == [opened.number] == [1]
    assert world.asked("POST /repos/acme/rockets/pulls") == (1 if fault.effect else 2)


def test_one_that_no_list_shows_yet_is_not_opened_twice(world):
    """Where lists lag behind the opening, GitHub's refusal to open a second one leads back to the first."""
    world.repository.hide_next_pull(3)
    world.github.script(dropping(POST, after_effect=True))
    assert world.open().number == 1
    assert len(world.github.happened("opened")) == 1


def test_an_opening_that_stays_unclear_parks(world):
    """Where GitHub never answers an opening, it is asked for five times and a person is told to look."""
    world.github.script(answering(POST, 502, times=ALWAYS))
    with pytest.raises(Parked, match="stays unclear whether a pull request of agentrelay/g/task"):
        world.open()
    assert world.asked("POST /repos/acme/rockets/pulls") == 5


def test_an_opening_that_takes_too_long_is_looked_up(new_gh, make_world):
    """At the deadline nobody knows whether it happened; it did, and is found."""
    world = make_world(deadline=2.0)
    hold = Hold()
    world.github.script(holding(POST, hold, after_effect=True))
    assert world.open().number == 1
    assert hold.reached.is_set()
    hold.release.set()
    assert len(world.github.happened("opened")) == 1


def test_what_cannot_be_opened_is_refused(world):
    """Where there is nothing to merge, GitHub's words are told, and it is not asked again."""
    world.repository.push(BASE, {"more": "1\n"}, onto=world.repository.tip(HEAD))
    with pytest.raises(Refused, match=f"No commits between {BASE} and {HEAD}"):
        world.open()
    assert world.asked("POST /repos/acme/rockets/pulls") == 1


@pytest.mark.fault("G14", "G18")
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(answering(PUT, 502), id="502 before"),
        pytest.param(answering(PUT, 502, after_effect=True), id="502 after"),
        pytest.param(dropping(PUT), id="reset before"),
        pytest.param(dropping(PUT, after_effect=True), id="reset after"),
        pytest.param(pretending_to_merge(), id="says merged and is not"),
        pytest.param(denying_the_merge(), id="says not merged and is"),
        pytest.param(
            answering(PUT, 405, {"message": "Pull Request is not mergeable"}, after_effect=True), id="405 after"
        ),
        pytest.param(base_modified(), id="base modified"),
        pytest.param(answering(PUT, 409, {"message": "Head branch was modified."}), id="409 though it was not"),
    ],
)
def test_a_merge_is_made_once_whatever_is_answered(world, fault):
    """After an answer that is missing, false or asks for another try, the merge is there once, as the server has it."""
    opened = world.open()
    world.github.script(fault)
    merged = world.merge(opened)
    (effect,) = world.github.happened("merged")
    assert (effect.sha, effect.number) == (merged, opened.number)
    assert world.repository.tip(BASE) == merged
    assert world.asked("/merge") == (1 if fault.effect else 2)


def test_a_merge_that_takes_too_long_is_looked_up(new_gh, make_world):
    """A merge that GitHub makes after our deadline is found; it is not made again."""
    world = make_world()
    opened = world.open()
    hold = Hold()
    world.github.script(holding(PUT, hold))

    def pause(_: float) -> None:
        hold.release.set()
        assert world.github.wait_for_effect("merged")

    hasty = attrs.evolve(world, api=attrs.evolve(world.api, deadline=2.0, pause=pause))
    merged = hasty.merge(opened)
    assert [effect.sha for effect in world.github.happened("merged")] == [merged]
    assert world.github.wait_for_request("/merge$")
    assert not world.github.wait_for_request("/merge$", times=2, seconds=0)


@pytest.mark.fault("G18")
def test_a_base_that_never_stands_still_parks(world):
    """A base that was modified each time is tried five times, then a person is told."""
    opened = world.open()
    world.github.script(base_modified(times=ALWAYS))
    with pytest.raises(Parked, match=r"is not merged after 5 tries; the last: Base branch was modified"):
        world.merge(opened)
    assert world.asked("/merge") == MERGING_TRIES
    assert world.github.happened("merged") == []


def test_a_merge_that_github_only_claims_parks(world):
    """Where GitHub says each time that it merged, and shows it open, nothing is claimed."""
    opened = world.open()
    world.github.script(pretending_to_merge(times=ALWAYS))
    with pytest.raises(Parked, match="answered that it is merged, and shows it open"):
        world.merge(opened)


@pytest.mark.fault("G13")
def test_a_head_that_moved_is_not_merged(world):
    """A push after the verification, before the merge or at that very moment, is named with both commits."""
    opened = world.open()
    moved = []
    world.github.script(meanwhile(PUT, lambda: moved.append(world.repository.push(HEAD, {"work": "2\n"}))))
    for _ in range(2):
        with pytest.raises(HeadMoved) as refused:
            world.merge(opened)
        assert moved[0] in str(refused.value)
        assert opened.head_sha in str(refused.value)
    assert world.asked("/merge") == 1
    assert world.github.happened("merged") == []


@pytest.mark.fault("G12", "G13")
def test_what_was_merged_with_another_head_is_not_done(world):
    """A person who pushed and merged merged something else than was verified; both commits are named."""
    opened = world.open()
    pushed = world.repository.push(HEAD, {"work": "2\n"})
    world.repository.merge(opened.number)
    with pytest.raises(Parked, match=f"was merged at {pushed}, and {opened.head_sha} was verified"):
        world.merge(opened)


@pytest.mark.fault("G12")
def test_a_target_that_was_changed_is_not_merged_into(world):
    """A pull request that a person gave another target is merged into neither; its own is named."""
    opened = world.open()
    world.repository.retarget(opened.number, "main")
    for call in (lambda: world.merge(opened), world.open, lambda: world.pull_requests.find(HEAD, BASE)):
        with pytest.raises(Parked, match=f"goes into main .* belongs into {BASE}; .*gh pr edit {opened.url} --base"):
            call()
    world.repository.merge(opened.number)
    with pytest.raises(Parked, match=f"was merged into main as {world.repository.tip('main')}, and {opened.head_sha}"):
        world.merge(opened)
    assert world.asked("/merge") == 0


def test_what_was_closed_waits_for_a_person(world):
    """A closed one is neither merged nor opened anew; reopened, it goes on as the same one."""
    opened = world.open()
    world.repository.close(opened.number)
    assert world.pull_requests.find(HEAD, BASE).state == "closed"
    for call in (lambda: world.merge(opened), world.open):
        with pytest.raises(Parked, match=f"was closed and is not merged; reopen it .`gh pr reopen {opened.url}`"):
            call()
    world.repository.reopen(opened.number)
    assert world.open().number == opened.number
    assert world.merge(opened) == world.repository.tip(BASE)


def test_what_a_person_opened_instead_is_taken(world):
    """Where ours was closed and another one is open for the same branches, that one is ours from then on."""
    first = world.open()
    world.repository.close(first.number)
    second = world.repository.open(HEAD, BASE)
    assert world.open().number == second.number
    world.repository.close(second.number)
    world.repository.reopen(first.number)
    assert world.pull_requests.find(HEAD, BASE).number == first.number


def test_one_that_is_closed_while_it_is_merged_waits_for_a_person(world):
    """A close at the very moment of the merge is told as that, not as GitHub's refusal."""
    opened = world.open()
    world.github.script(meanwhile(PUT, lambda: world.repository.close(opened.number)))
    with pytest.raises(Parked, match="was closed and is not merged"):
        world.merge(opened)


def test_after_a_merge_another_one_may_be_opened(world):
    """A branch that went on after its merge gets a new pull request, which is the noted one from then on."""
    first = world.open()
    world.merge(first)
    world.repository.push(HEAD, {"work": "2\n"})
    second = world.open()
    assert (second.number, second.state) == (2, "open")
    assert world.pull_requests.find(HEAD, BASE).number == 2


def test_another_one_after_a_merge_is_opened_once(world):
    """A process that was killed after it had opened the second one, and before it noted it, finds it again."""
    world.merge(world.open())
    world.repository.push(HEAD, {"work": "2\n"})
    second = world.repository.open(HEAD, BASE)
    assert world.open().number == second.number
    assert world.pull_requests.find(HEAD, BASE).number == second.number
    assert len(world.repository.pulls) == 2


def test_an_older_one_that_was_never_ours_is_not_reopened(world):
    """A closed one that nobody noted, from an earlier run, stands in no way."""
    world.repository.open(HEAD, BASE)
    world.repository.close(1)
    assert world.pull_requests.find(HEAD, BASE).number == 1
    assert world.open().number == 2


def test_what_does_not_merge_is_refused_with_githubs_words(world):
    """A conflict, a draft and a missing check are GitHub's to refuse; nothing is tried again."""
    opened = world.open()
    world.repository.set_draft(opened.number, draft=True)
    with pytest.raises(Refused, match="still a draft"):
        world.merge(opened)
    world.repository.set_draft(opened.number, draft=False)
    world.repository.protect(BASE, checks=("build",))
    with pytest.raises(Refused, match='Required status check "build" is expected'):
        world.merge(opened)
    world.repository.unprotect(BASE)
    world.repository.push(BASE, {"work": "another\n"})
    with pytest.raises(Refused) as refused:
        world.merge(opened)
    assert refused.value.status == 405
    assert world.pull_requests.state(opened.url).mergeable_state == "dirty"
    assert world.asked("/merge") == 3
    assert world.github.happened("merged") == []


@pytest.mark.fault("G11")
def test_forks_with_the_same_branch_are_not_ours(world):
    """A fork's branch of the same name, into the same target, is neither found nor taken for ours."""
    fork = world.github.add_fork("acme/rockets", "mallory")
    fork.push(HEAD, {"work": "evil\n"})
    foreign = world.repository.open(f"mallory:{HEAD}", BASE)
    assert world.pull_requests.find(HEAD, BASE) is None
    url = f"http://{world.github.host}/acme/rockets/pull/{foreign.number}"
    with pytest.raises(
        ProtocolViolation, match=f"{url} is not .*it comes from the fork mallory/rockets; there is none"
    ):
        world.pull_requests.identify(url, HEAD, BASE)
    assert world.open().number == 2


@pytest.mark.fault("G11")
def test_an_agents_url_is_a_hint(world):
    """The URL of the right pull request is taken in any spelling; every other one is named, with the right one."""
    opened = world.repository.open(HEAD, BASE)
    url = f"http://{world.github.host}/acme/rockets/pull/{opened.number}"
    assert world.pull_requests.identify(f"https://{world.github.host}/Acme/Rockets/pull/1/files", HEAD, BASE).url == url
    world.repository.open(HEAD, "main")
    world.repository.push("other", {"x": "1\n"})
    world.repository.open("other", BASE)
    host = f"http://{world.github.host}"
    for wrong, why in (
        ("nonsense", "it is no pull request's URL"),
        (f"{host}/mallory/rockets/pull/1", f"it is in {world.github.host}/mallory/rockets"),
        ("https://github.com/acme/rockets/pull/1", "it is in github.com/acme/rockets"),
        (f"{host}/acme/rockets/pull/77", "there is no #77"),
        (f"{host}/acme/rockets/pull/2", "it goes into main"),
        (f"{host}/acme/rockets/pull/3", "it comes from other"),
    ):
        with pytest.raises(ProtocolViolation) as refused:
            world.pull_requests.identify(wrong, HEAD, BASE)
        assert str(refused.value) == (
            f"{wrong} is not the pull request of {HEAD} into {BASE} in {world.github.host}/acme/rockets: "
            f"{why}; that is {url}"
        )


def test_an_agents_url_leads_to_what_no_list_shows_yet(world):
    """A pull request that an agent has just opened is taken by its URL where lists lag behind, and noted."""
    world.repository.hide_next_pull(10)
    opened = world.repository.open(HEAD, BASE)
    url = f"http://{world.github.host}/acme/rockets/pull/{opened.number}"
    assert world.pull_requests.identify(url, HEAD, BASE).number == opened.number
    assert world.open().number == opened.number
    with pytest.raises(ProtocolViolation):
        world.pull_requests.identify(url, HEAD, "main")


@pytest.mark.fault("G20")
def test_of_several_the_noted_one_counts(world):
    """Where two are open for the same branches, the one that we opened counts; without a note a person must choose."""
    opened = world.open()
    listed = r"^GET /repos/acme/rockets/pulls$"
    twin = {"node_id": "PR_other", "number": 9}

    def doubled(body: list[dict[str, object]]) -> list[dict[str, object]]:
        return [{**body[0], **twin}, *body]

    world.github.script(attrs.evolve(claiming(listed), rewrite=doubled))
    assert world.pull_requests.find(HEAD, BASE).node_id == opened.node_id
    stranger = PullRequests(world.api, world.directory / "elsewhere")
    with pytest.raises(Parked, match=f"several pull requests of {HEAD} into {BASE} are open: .*close all but one"):
        stranger.find(HEAD, BASE)


def test_a_repository_that_was_renamed_is_told(world):
    """Where GitHub answers for a repository under another name, a person is told to correct the remote."""
    world.open()
    world.github.script(claiming(r"^GET /repos/acme/rockets/pulls$", full_name="acme/missiles"))
    with pytest.raises(Parked, match=r"is called acme/missiles now; .*git remote set-url"):
        world.pull_requests.find(HEAD, BASE)


def test_a_look_that_brings_nothing_new_is_free(world):
    """The state is asked for with what was seen last, so that an unchanged one takes nothing from the quota."""
    opened = world.open()
    pull_requests = world.pull_requests
    first = pull_requests.state(opened.url)
    assert pull_requests.state(opened.url) == first
    assert world.github.requests[-1].status == 304
    assert world.github.requests[-1].cost == 0
    world.repository.push(HEAD, {"work": "2\n"})
    assert pull_requests.state(opened.url).head_sha == world.repository.tip(HEAD)


def test_what_is_no_pull_request_of_ours_has_no_state(world):
    """A number that is not there, and a URL of another repository, are no pull request."""
    for url in (f"http://{world.github.host}/acme/rockets/pull/5", "https://github.com/acme/rockets/pull/1", "x"):
        with pytest.raises(KeyError, match="there is no pull request"):
            world.pull_requests.state(url)


@pytest.mark.fault("G16")
def test_a_login_that_expires_in_mid_run_stops_everything_at_once(world):
    """After the token is revoked one call learns of it, and no later one asks; nothing was merged."""
    opened = world.open()
    world.github.accounts.revoke(world.github.token)
    asked = len(world.github.requests)
    for call in (lambda: world.merge(opened), world.open, lambda: world.pull_requests.find("other", BASE)):
        with pytest.raises(LoginRefused, match="Bad credentials; give GH_TOKEN a token that works"):
            call()
    assert len(world.github.requests) == asked + 1
    assert world.github.happened("merged") == []


@pytest.mark.fault("G16")
def test_single_sign_on_is_asked_for_with_its_address(world):
    """An organization that wants single sign-on leads to the address where it is given."""
    opened = world.open()
    world.github.accounts.require_single_sign_on("acme")
    with pytest.raises(
        LoginRefused, match=f"open http://{world.github.host}/orgs/acme/sso.authorization_request=A1B2C3"
    ):
        world.merge(opened)


@pytest.mark.fault("G16")
@pytest.mark.parametrize("step", ["open", "merge"])
def test_a_token_without_the_scope_is_told_what_it_lacks(new_gh, make_world, step):
    """A token that lost its scope, or a right that was taken away, parks with what to type; nothing happens."""
    world = make_world("file")
    opened = world.open()
    world.github.accounts.change(world.github.token, scopes=("gist",))
    with pytest.raises(LoginRefused, match=f"gh auth refresh --hostname {world.github.host} --scopes repo"):
        world.merge(opened) if step == "merge" else world.pull_requests.open("main", BASE, "t", "b")
    assert world.github.happened("merged") == []


@pytest.mark.fault("G15")
@pytest.mark.parametrize("step", ["open", "merge"])
def test_limits_are_passed_on_and_nothing_happens_twice(world, step):
    """A primary or a secondary limit says how long to wait; after that the same call succeeds, once."""
    opened = world.open() if step == "merge" else None
    go = world.open if opened is None else lambda: world.merge(opened)
    world.github.quota.slow_down(30)
    with pytest.raises(Throttled) as limited:
        go()
    assert 25 <= limited.value.retry_after <= 31
    with pytest.raises(Throttled):
        go()
    world.github.clock.advance(limited.value.retry_after)
    world.github.quota.use_up("core")
    with pytest.raises(Throttled) as limited:
        go()
    assert 3000 < limited.value.retry_after <= 3602
    world.github.clock.advance(limited.value.retry_after)
    go()
    assert len(world.github.happened("opened")) == 1
    assert len(world.github.happened("merged")) == (1 if step == "merge" else 0)


def test_a_limit_between_the_merge_and_the_look_loses_nothing(world):
    """A limit that is reached right after the effect is passed on; the next call finds the merge."""
    opened = world.open()
    world.github.script(meanwhile(PUT, lambda: world.github.quota.slow_down(10), after_effect=True))
    with pytest.raises(Throttled):
        world.merge(opened)
    world.github.clock.advance(11)
    assert world.merge(opened) == world.github.happened("merged")[0].sha
    assert world.asked("PUT") == 1


def test_two_threads_open_one(world):
    """Two steps of a run that ask for the same pull request at once get the same one."""
    pull_requests, found = world.pull_requests, []
    threads = [
        threading.Thread(target=lambda: found.append(pull_requests.open(HEAD, BASE, "t", "b").number)) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1, 1]
    assert world.asked("POST /repos/acme/rockets/pulls") == 1


def test_branches_with_odd_names_are_found(world):
    """What gh would replace in an address, and what means something in one, stands for itself in names of branches."""
    head = "a/{branch}&b=c#d+%20:owner"
    world.repository.push(head.replace(":", "="), {"x": "1\n"})
    head = head.replace(":", "=")
    opened = world.pull_requests.open(head, BASE, "t", "b")
    assert world.pull_requests.find(head, BASE).node_id == opened.node_id


@pytest.mark.parametrize(
    "fault",
    [
        None,
        pytest.param(answering("enqueuePullRequest", 502), id="502 before"),
        pytest.param(answering("enqueuePullRequest", 502, after_effect=True), id="502 after"),
        pytest.param(dropping("enqueuePullRequest", after_effect=True), id="reset after"),
    ],
)
def test_a_merge_queue_gets_it_once(world, fault):
    """Where the target has a queue a merge is refused for that; it is queued once, and merged when the queue goes."""
    world.repository.use_queue(BASE)
    opened = world.open()
    with pytest.raises(Refused) as refused:
        world.merge(opened)
    assert wants_queue(refused.value)
    if fault is not None:
        world.github.script(fault)
    for _ in range(2):
        assert world.pull_requests.enqueue(opened.url, opened.head_sha) is None
        assert world.repository.queued(BASE) == [opened.number]
    assert len(world.github.happened("enqueued")) == 1
    assert world.repository.release_queue(BASE) == [opened.number]
    assert world.pull_requests.enqueue(opened.url, opened.head_sha) == world.repository.tip(BASE)
    assert world.merge(opened) == world.repository.tip(BASE)


def test_a_merge_queue_takes_what_was_verified_alone(world):
    """A head that moved is not queued, also at that very moment; nor is anything where there is no queue."""
    opened = world.open()
    with pytest.raises(Refused):
        world.pull_requests.enqueue(opened.url, opened.head_sha)
    world.repository.use_queue(BASE)
    world.github.script(meanwhile("enqueuePullRequest", lambda: world.repository.push(HEAD, {"work": "2\n"})))
    for _ in range(2):
        with pytest.raises(HeadMoved):
            world.pull_requests.enqueue(opened.url, opened.head_sha)
    assert world.repository.queued(BASE) == []
