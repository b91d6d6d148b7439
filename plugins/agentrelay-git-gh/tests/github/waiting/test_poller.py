"""The one poller of a run: what it asks, how often, and what its watchers get."""

import asyncio
import threading
from itertools import pairwise
from random import Random

import attrs
import pytest
from agentrelay_git_gh.github.checks import Check
from agentrelay_git_gh.github.failures import LoginRefused
from agentrelay_git_gh.github.pace import Allowance
from agentrelay_git_gh.github.poller import Poller, _NobodyWatches
from agentrelay_git_gh.github.snapshots import Snapshot
from agentrelay_git_gh.github.watches import Limited
from hypothesis import given
from hypothesis import strategies as some
from pytest_agentrelay.virtual_loop import EPOCH, VirtualLoop

from agentrelay_core.runtime import Parked, Throttled

HOUR = 3600.0


async def watched(poller, number=1, *, seconds):
    """Watch a pull request for some time; the looks, each with its time."""
    looks = []
    loop = asyncio.get_running_loop()
    with poller.watching(number) as watch:
        try:
            async with asyncio.timeout(seconds):
                while True:
                    look = await watch.next()
                    looks.append((loop.time(), look))
        except TimeoutError:
            return looks


@pytest.mark.parametrize("lanes", [1, 50])
@pytest.mark.parametrize("bustle", ["nothing changes", "something changes all the time", "one after the other"])
def test_fifty_pull_requests_cost_at_most_300_calls_in_any_hour(github, poller, wait, virtual_clock, bustle, lanes):
    """Whatever happens to fifty open pull requests, of one lane or of as many, no hour sees more than 300 calls."""
    for number in range(1, 51):
        base = f"agentrelay/g@lane{number % lanes}"
        github.protect(base, "build")
        github.show(number, base=base, merge_state="BLOCKED", checks=[("build", "")])
    chance = Random(2)

    def changes():
        if bustle == "something changes all the time":
            number = chance.randint(1, 50)
            github.show(number, checks=[("build", ""), (f"x{chance.random()}", "success")])

    github.on_look = changes

    async def late(number):
        await asyncio.sleep(number * 60 if bustle == "one after the other" else 0)
        with pytest.raises(Parked):
            await wait.until_clear(number, deadline=1.5 * HOUR)

    async def all_of_them():
        await asyncio.gather(*(late(number) for number in range(1, 51)))

    virtual_clock.run_until_complete(all_of_them())
    assert virtual_clock.time() >= 1.5 * HOUR
    assert github.most_in_an_hour() <= 300
    assert poller.allowance.made == len(github.times)


def test_the_first_looks_are_quick_and_the_later_ones_seldom(github, poller, virtual_clock):
    """Looks come after 2, 5 and 15 seconds, then up to a minute apart, as long as nothing changes."""
    github.show(1)
    looks = virtual_clock.run_until_complete(watched(poller, seconds=2 * HOUR))
    times = [time for time, _ in looks]
    assert [round(time) for time in times[:4]] == [0, 2, 7, 22]
    pauses = [after - before for before, after in pairwise(times[3:])]
    assert max(pauses) <= 60.1
    assert max(pauses[8:]) > 45
    assert 100 <= len(times) <= 300


def test_after_a_change_looks_are_quick_again(github, poller, virtual_clock):
    """A look that shows something new is followed by others after 2 and 5 seconds."""
    github.show(1)

    async def changing():
        waiting = asyncio.create_task(watched(poller, seconds=HOUR))
        await asyncio.sleep(HOUR / 2)
        github.show(1, draft=True)
        return await waiting

    looks = virtual_clock.run_until_complete(changing())
    drafts = [time for time, look in looks if look.draft]
    assert [round(time - drafts[0]) for time in drafts[:4]] == [0, 2, 7, 22]


def test_one_question_is_about_all_of_them(github, poller, virtual_clock):
    """Fifty watched pull requests are looked at by one call, the fifty-first needs another."""
    for number in range(1, 52):
        github.show(number)

    async def together(count):
        github.times.clear()
        await asyncio.gather(*(watched(poller, number, seconds=1) for number in range(1, count + 1)))
        return len(github.times)

    assert virtual_clock.run_until_complete(together(50)) == 1
    assert virtual_clock.run_until_complete(together(51)) == 2


def test_all_checks_are_read_however_many(github, poller, virtual_clock):
    """Checks beyond the first hundred are read by further calls, for all pull requests at once."""
    for number in (1, 2):
        github.show(number, checks=[(f"check{count}", "success") for count in range(250)])
    github.show(3, checks=[("build", "success")])

    async def together():
        return await asyncio.gather(*(watched(poller, number, seconds=1) for number in (1, 2, 3)))

    shown = [looks[0][1] for looks in virtual_clock.run_until_complete(together())]
    assert [len(look.checks) for look in shown] == [250, 250, 1]
    assert all(look.complete for look in shown)
    assert len(github.times) == 3


def test_checks_of_two_commits_are_not_mixed(github, poller, virtual_clock):
    """Where the head moves between two pages, the look says that it is not complete."""
    github.show(1, checks=[(f"check{count}", "success") for count in range(150)])

    def moved():
        if len(github.times) == 2:
            checks = [Check(name=f"check{count}", commit="b" * 40, app="ci", number=1) for count in range(150)]
            github.show(1, checks=checks, head_sha="b" * 40)

    github.on_look = moved
    (_, look), *_ = virtual_clock.run_until_complete(watched(poller, seconds=1))
    assert not look.complete
    assert {check.commit for check in look.checks} == {"a" * 40}


def test_a_newcomer_is_looked_at_soon(github, poller, virtual_clock):
    """One who begins to watch while the poller rests waits two seconds, not a minute."""
    github.show(1)
    github.show(2)

    async def later():
        first = asyncio.create_task(watched(poller, 1, seconds=HOUR))
        await asyncio.sleep(HOUR / 2)
        begun = virtual_clock.time()
        with poller.watching(2) as watch:
            await watch.next()
        first.cancel()
        return virtual_clock.time() - begun

    assert virtual_clock.run_until_complete(later()) <= 2.1


def test_nobody_watches_nobody_asks(github, poller, virtual_clock):
    """When the last watcher leaves, the poller ends, and begins again with the next one."""
    github.show(1)

    async def come_and_go():
        await watched(poller, seconds=10)
        asked = len(github.times)
        await asyncio.sleep(HOUR)
        assert len(github.times) == asked
        assert len(asyncio.all_tasks()) == 1
        assert await watched(poller, seconds=1)

    virtual_clock.run_until_complete(come_and_go())


def test_a_pull_request_that_is_not_there(github, poller, virtual_clock):
    """One that GitHub does not show is told as such, and the others are shown all the same."""
    github.show(1)

    async def both():
        return await asyncio.gather(*(watched(poller, number, seconds=1) for number in (1, 2)))

    first, second = virtual_clock.run_until_complete(both())
    assert isinstance(first[0][1], Snapshot)
    assert second[0][1] is None


def test_a_login_that_does_not_work_ends_every_wait_at_once(github, poller, virtual_clock):
    """A refused login reaches all watchers with one message and after one call, and a later one is told it anew."""
    github.failures = [LoginRefused("log in"), LoginRefused("log in again")]

    async def all_of_them():
        return await asyncio.gather(
            *(watched(poller, number, seconds=HOUR) for number in range(1, 11)), return_exceptions=True
        )

    for message in ("log in", "log in again"):
        failures = virtual_clock.run_until_complete(all_of_them())
        assert {str(failure) for failure in failures} == {message}
        assert {type(failure) for failure in failures} == {LoginRefused}
    assert len(github.times) == 2
    assert virtual_clock.time() < 1


def test_who_comes_while_a_call_is_given_up_is_served(github, poller, virtual_clock):
    """A call that is given up because its last watcher left is made again for one who has come meanwhile."""
    github.show(1)
    github.failures = [_NobodyWatches()]
    assert virtual_clock.run_until_complete(watched(poller, seconds=1))
    github.failures = [_NobodyWatches()]
    poller._nobody.clear()
    assert virtual_clock.run_until_complete(poller.protection("lane")).checks == ()


def test_a_limit_is_waited_out(github, poller, virtual_clock):
    """While GitHub limits us nobody asks; each watcher, also a new one, is told until when, and then it goes on."""
    github.show(1)
    github.show(2)
    github.failures = [Throttled("slow down", retry_after=600)]

    async def limited():
        first = asyncio.create_task(watched(poller, 1, seconds=700))
        await asyncio.sleep(300)
        return await watched(poller, 2, seconds=400), await first

    late, first = virtual_clock.run_until_complete(limited())
    for looks in (late, first):
        assert looks[0][1] == Limited(until=EPOCH + 600, reason="slow down")
        assert isinstance(looks[1][1], Snapshot)
    assert github.times[:2] == pytest.approx([0, 600], abs=0.01)


def test_a_reserve_is_left_to_people(github, poller, virtual_clock):
    """Where a fifth of the quota is left, we look every ten minutes until it is counted anew, and then as usual."""
    github.show(1)
    github.rate = {"limit": 5000, "remaining": 1000, "resetAt": "2023-11-14T23:03:20Z"}  # 50 minutes after the epoch

    def counted_anew():
        if virtual_clock.time() > 2999:
            github.rate = {"limit": 5000, "remaining": 5000, "resetAt": "2023-11-15T00:03:20Z"}

    github.on_look = counted_anew
    looks = virtual_clock.run_until_complete(watched(poller, seconds=HOUR))
    times = [time for time, _ in looks]
    assert times[:6] == pytest.approx([0, 600, 1200, 1800, 2400, 3000], abs=0.1)
    assert len(times) > 15


def test_what_a_branch_asks_for_is_read_once(github, poller, virtual_clock):
    """Fifty who ask at once cost two calls; one who doubts the answer asks again after ten minutes, conditionally."""
    github.protect("agentrelay/g@lane", "build")

    async def asking():
        found = await asyncio.gather(*(poller.protection("agentrelay/g@lane") for _ in range(50)))
        assert len(set(found)) == 1
        assert len(github.times) == 2
        await poller.protection("agentrelay/g@lane", again=True)
        assert len(github.times) == 2
        await asyncio.sleep(601)
        assert await poller.protection("agentrelay/g@lane", again=True) == found[0]
        assert len(github.unchanged) == 2
        await asyncio.sleep(601)
        github.protect("agentrelay/g@lane", "build", "lint")
        return await poller.protection("agentrelay/g@lane", again=True)

    changed = virtual_clock.run_until_complete(asking())
    assert [requirement.name for requirement in changed.checks] == ["build", "lint"]


def test_rulesets_and_apps_are_read(github, poller, virtual_clock):
    """Checks of rulesets, the app that must have run one, and other rules are known; any app is no app."""
    one = {"context": "build", "integration_id": 15368}
    github.protect(
        "lane",
        rules=(
            {"type": "required_status_checks", "parameters": {"required_status_checks": [one, {"context": "lint"}]}},
            {"type": "required_signatures"},
            {"type": "pull_request", "parameters": {"required_review_thread_resolution": True}},
        ),
    )
    classic = {"enforcement_level": "everyone", "contexts": ["a", "b"], "checks": [{"context": "a", "app_id": -1}]}
    github.pages["repos/octo/work/branches/lane"] = {"protection": {"required_status_checks": classic}}
    found = virtual_clock.run_until_complete(poller.protection("lane"))
    assert [(check.name, check.app_id) for check in found.checks] == [
        ("a", None),
        ("b", None),
        ("build", 15368),
        ("lint", None),
    ]
    classic["enforcement_level"] = "off"
    off = virtual_clock.run_until_complete(Poller(github).protection("lane"))
    assert [check.name for check in off.checks] == ["build", "lint"]
    assert found.other == ("signed commits", "every conversation resolved")


def test_a_branch_that_is_not_told_is_no_branch_without_protection(github, poller, virtual_clock):
    """Where GitHub does not say what a branch asks for, a person is asked; and asked again when that was mended."""
    with pytest.raises(Parked, match=r"does not tell what gone .* asks for .*HTTP 404.*`checks:`"):
        virtual_clock.run_until_complete(poller.protection("gone"))
    github.protect("gone")
    assert virtual_clock.run_until_complete(poller.protection("gone")).checks == ()


@given(some.lists(some.floats(0, 60), min_size=100, max_size=200), some.integers(20, 60))
def test_no_hour_sees_more_than_is_allowed(pauses, calls):
    """However calls are asked for, those made in any hour are no more than the allowance."""
    allowance = Allowance(calls=calls, burst=calls // 3)
    made: list[float] = []
    now = 0.0
    for pause in pauses:
        now += pause
        made.append(now + allowance.take(now))
    made.sort()
    for first in range(len(made)):
        assert sum(1 for time in made[first:] if time < made[first] + HOUR - 0.001) <= calls


@attrs.define
class SlowGitHub:
    """Answers when it is told to."""

    inner: object
    begun: threading.Event = attrs.field(factory=threading.Event)
    may_answer: threading.Event = attrs.field(factory=threading.Event)
    threads: list[int] = attrs.field(factory=list)

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def pausing(self, pause):
        return self

    def ask(self, text, variables=None):
        self.threads.append(threading.get_ident())
        self.begun.set()
        assert self.may_answer.wait(60)
        return self.inner.ask(text, variables)


async def test_the_event_loop_is_not_held_up(github):
    """While GitHub is slow the loop goes on, a watcher can give up, and no task of the poller's is left after it."""
    github.show(1)
    slow = SlowGitHub(github)
    poller = Poller(slow)
    waiting = asyncio.create_task(watched(poller, seconds=60))
    await asyncio.to_thread(slow.begun.wait, 60)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert slow.threads[0] != threading.get_ident()
    slow.may_answer.set()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.wait(others, timeout=60)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert len(slow.threads) == 1


def test_a_poller_serves_one_loop_after_another(github, poller):
    """A poller that was used in a loop that is closed goes on in the next one."""
    github.show(1)
    for _ in range(2):
        loop = VirtualLoop()
        assert loop.run_until_complete(watched(poller, seconds=10))
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
