"""What a forge does with pull requests until they are merged: each is opened once, and found by whoever comes later."""

import asyncio
from typing import Any, ClassVar, Final

from agentrelay_core.hooks import PullRequest
from pytest_agentrelay.compliance.audit import Outside, beyond, is_own_python, outside_effects, started_programs
from pytest_agentrelay.compliance.faults import fault, name_of, raised
from pytest_agentrelay.compliance.forge_calls import TITLE, ForgeCalls, Offer, misshapen
from pytest_agentrelay.compliance.steps import awaited

AT_ONCE: Final = 4
# Remotes as people have them, and what no forge knows.
_REMOTES: Final = (
    *("https://example.invalid/somebody/project.git", "git@example.invalid:somebody/project.git"),
    *("ssh://git@example.invalid:22/somebody/project", "file:///srv/project.git", "../project", "C:\\project"),
    *("", "https://[", "https://example.invalid:port/", "\u00a0\N{SNOWMAN}"),
)


class OpeningChecks(ForgeCalls):
    """How a forge finds and opens pull requests, and tells of them.

    Attributes:
        foreign_url: The URL of a pull request that is none of the forge's.
    """

    foreign_url: ClassVar[str] = "https://example.invalid/somebody/else/pull/1"

    def test_signature(self) -> None:
        """The factory makes a forge with `find`, `open`, `state` and `merge`, which take what the core gives."""
        record = self.record
        try:
            forge = self.make_forge()
        except Exception as error:
            fault(
                f"the factory of the forge {record.name!r} {raised(error)}.",
                "make the forge of the run that it is given; what a server says is for its methods to tell.",
            )
        wrong = misshapen(forge)
        if wrong is not None:
            fault(*wrong)

    def test_recognises_any_remote(self) -> None:
        """`recognises` says yes or no to any remote's URL; for that it may start what ``needs`` names, and no more."""
        recognises, needs = self.record.recognises, {*self.record.needs}
        for url in _REMOTES:
            said: Any = "nothing"
            found: list[Outside] = []
            try:
                recognises(url)  # the first time may import what it needs
                with outside_effects() as found:
                    said = recognises(url)
            except Exception as error:
                said = raised(error)
            more = beyond(found, needs)
            if not isinstance(said, bool) or more:
                told = f"touches the world: {more[0]}" if more else f"gave {said!r}"
                fault(
                    f"`recognises` of the forge {self.record.name!r}, asked for {url!r}, {told}.",
                    "look at the text, or ask a program of your `needs` about logins, and return True or False; where "
                    "none is a remote of yours, return False.",
                )

    def test_finds_none_where_there_is_none(self) -> None:
        """`find` gives `None` for branches of which no pull request was opened."""
        forge, offer = self.ready_forge(), self.offered()
        found = self.run(lambda: self.find(forge, offer))
        if found is not None:
            fault(
                f"{name_of(forge, 'find')} gave {found!r} for branches without a pull request.",
                "return None where there is none.",
            )

    def test_what_is_opened_is_found(self) -> None:
        """`find` and `state` tell of an open pull request what `open` was given, under the same URL."""
        self.run(self._found_open)

    async def _found_open(self) -> None:
        forge, offer = self.ready_forge(), self.offered()
        url = await self.opened(forge, offer)
        due = {"url": url, "head": offer.head, "base": offer.base, "title": TITLE, "state": "open"}
        for method, answer in (
            ("find", await self.find(forge, offer)),
            ("state", await self.answer(forge, "state", url)),
        ):
            wrong = _differences(answer, due)
            if isinstance(answer, PullRequest) and answer.head_sha not in (None, offer.sha):
                wrong.append(f"head_sha {answer.head_sha!r} instead of {offer.sha!r}")
            if wrong:
                fault(
                    f"{name_of(forge, method)} tells of {url}, which is open: {', '.join(wrong)}.",
                    "return a PullRequest with url, head, base and title as they were opened and state='open'.",
                )

    def test_opening_again_opens_no_second(self) -> None:
        """`open` returns the pull request of the two branches that is open already."""
        self.run(self._opened_again)

    async def _opened_again(self) -> None:
        forge, offer = self.ready_forge(), self.offered()
        first, second = await self.opened(forge, offer), await self.opened(forge, offer)
        if first != second:
            fault(
                f"{name_of(forge, 'open')} was called again and opened {second} beside {first}.",
                "look for an open pull request of the two branches first, and return it.",
            )

    def test_another_target_is_another(self) -> None:
        """A pull request is told apart by source and target: of one source, each target has its own."""
        self.run(self._another_target)

    async def _another_target(self) -> None:
        forge = self.ready_forge()
        offers = (self.offered(base="first"), self.offered(base="second"))
        first = await self.opened(forge, offers[0])
        early = await self.find(forge, offers[1])
        second = await self.opened(forge, offers[1])
        if early is not None or first == second:
            fault(
                f"{name_of(forge, 'find' if early is not None else 'open')} takes {first} for the pull request of "
                f"{offers[1].head} into {offers[1].base}; its target is {offers[0].base}.",
                "compare both branches, the source and the target.",
            )

    def test_a_forge_made_anew_knows_it(self) -> None:
        """What was opened is found by a forge that is made anew, so that a crash in between makes no second one."""
        self.run(self._made_anew)

    async def _made_anew(self) -> None:
        forge, offer = self.ready_forge(), self.offered()
        url = await self.opened(forge, offer)
        if await self.opened(forge, offer) != url:
            return  # test_opening_again_opens_no_second tells
        anew = self.ready_forge()
        found = await self.find(anew, offer)
        again = await self.opened(anew, offer)
        if getattr(found, "url", None) != url or again != url:
            fault(
                f"{name_of(anew, 'find')} of a forge made anew gave {found!r} for {url}, and its `open` gave {again}.",
                "keep nothing in memory alone: ask the server, or write into `run.state_dir` before `open` returns.",
            )
        await self.state(anew, url)

    def test_opened_at_once_each_is_there(self) -> None:
        """Pull requests that several threads open at once are each there, each with a URL of its own."""
        self.run(self._at_once)

    async def _at_once(self) -> None:
        forge = self.ready_forge()
        offers = [self.offered(f"at-once-{number}", "at-once") for number in range(AT_ONCE)]
        urls = await asyncio.gather(*(self.opened(forge, offer) for offer in offers))
        found = [getattr(await self.find(forge, offer), "url", None) for offer in offers]
        if len({*urls}) < AT_ONCE or found != urls:
            fault(
                f"{name_of(forge, 'open')} was called by {AT_ONCE} threads at once and gave {', '.join(urls)}; "
                f"`find` then gave {', '.join(map(str, found))}.",
                "tasks end at the same time: hold a lock, or let the server choose the number, while one is opened.",
            )

    def test_the_unknown_is_a_key_error(self) -> None:
        """`state` raises `KeyError` for a URL under which there is no pull request: agents may name any."""
        self.run(self._unknown)

    async def _unknown(self) -> None:
        forge, offer = self.ready_forge(), self.offered()
        url = await self.opened(forge, offer)
        for unknown in (self.foreign_url, f"{url}0000"):
            try:
                said = f"returned {await awaited(forge, 'state', unknown)!r}"
            except KeyError:
                continue
            except Exception as error:
                said = raised(error)
            fault(
                f"{name_of(forge, 'state')} {said} for {unknown!r}, which is no pull request of this forge.",
                'raise KeyError(f"there is no pull request {pr!r}").',
            )

    def test_needs_are_declared(self) -> None:
        """Every program that the forge starts is in ``needs`` of its `ForgeProvider`."""
        offer, forge = self.offered(), self.ready_forge()
        with started_programs() as found:
            self.run(lambda: self._round(forge, offer))
        declared = {"sh", *self.record.needs}
        missing = [name for name in found if not {name, name.rpartition("/")[2]} & declared and not is_own_python(name)]
        if missing:
            program = missing[0].rpartition("/")[2]
            fault(
                f"{name_of(forge)} starts {program}, which no `needs` names.",
                f"add it: ForgeProvider(…, needs=({program!r},)); `agentrelay plugins doctor` tells users from it what "
                "to install.",
            )

    async def _round(self, forge: Any, offer: Offer) -> None:
        await self.find(forge, offer)
        url = await self.opened(forge, offer)
        await self.state(forge, url)
        await self.merged(forge, url, offer.sha)


def _differences(answer: Any, due: dict[str, str]) -> list[str]:
    """What an answer says differently, each as words."""
    if not isinstance(answer, PullRequest):
        return [f"{answer!r}, which is no PullRequest"]
    told = {name: getattr(answer, name) for name in due}
    return [f"{name} {told[name]!r} instead of {value!r}" for name, value in due.items() if told[name] != value]
