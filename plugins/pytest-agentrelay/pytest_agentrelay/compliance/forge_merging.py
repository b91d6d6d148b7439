"""What a forge does when it merges: the commit that was named, into its own target, once."""

from agentrelay_core.hooks import PullRequest
from pytest_agentrelay.compliance.faults import fault, name_of, raised
from pytest_agentrelay.compliance.forge_calls import ForgeCalls, is_full_hash
from pytest_agentrelay.compliance.steps import awaited


class MergingChecks(ForgeCalls):
    """How a forge merges, judged by where the target branch stands afterwards."""

    def test_merges(self) -> None:
        """When `merge` returns, the target stands at the commit whose full hash it gave, and `state` says so."""
        self.run(self._merged_once)

    async def _merged_once(self) -> None:
        forge, offer = self.ready_forge(), self.offered()
        url = await self.opened(forge, offer)
        merge = await self.merged(forge, url, offer.sha)
        if not is_full_hash(merge):
            fault(
                f"{name_of(forge, 'merge')} returned {merge!r} for {url}.",
                "return the full hash of the commit that merged it.",
            )
        tip = self.tip(offer.base)
        if tip != merge:
            fault(
                f"{name_of(forge, 'merge')} returned {merge} for {url}, and {offer.base} stands at {tip}.",
                "merge into the target branch, look at it, and return the commit that is there; raise if it is not.",
            )
        told = await self.state(forge, url)
        if (told.state, told.merge_sha) != ("merged", merge):
            fault(
                f"{name_of(forge, 'state')} says {told.state!r} with merge_sha {told.merge_sha!r} of {url}, which was "
                f"merged by {merge}.",
                "return state='merged' and the same merge_sha that `merge` gave.",
            )

    def test_merging_again_changes_nothing(self) -> None:
        """Called again, also by a forge made anew, `merge` leaves the target where it is and returns the same."""
        self.run(self._merged_again)

    async def _merged_again(self) -> None:
        forge, offer = self.ready_forge(), self.offered()
        url = await self.opened(forge, offer)
        merge = await self.merged(forge, url, offer.sha)
        tip = self.tip(offer.base)
        anew = self.ready_forge()
        for each, who in ((forge, "again"), (anew, "by a forge made anew")):
            if each is anew and await self.find(each, offer) is None:
                return  # test_a_forge_made_anew_knows_it and test_what_is_merged_is_found tell
            try:
                second: object = await awaited(each, "merge", url, offer.sha)
            except Exception as error:
                second = raised(error)
            now = self.tip(offer.base)
            if second != merge or now != tip:
                fault(
                    f"{name_of(each, 'merge')} was called {who} for {url}, gave {second} after {merge}, and "
                    f"{offer.base} stands at {now} after {tip}.",
                    "ask first whether it is merged, and return its merge commit then: a crash between the merge and "
                    "its record makes us call it again.",
                )

    def test_another_head_is_refused(self) -> None:
        """A commit that is not the tip of the source is refused, and nothing is merged: what came later is unknown."""
        self.run(self._another_head)

    async def _another_head(self) -> None:
        forge, offer = self.ready_forge(), self.offered()
        url = await self.opened(forge, offer)
        newer, before = self.offered(), self.tip(offer.base)
        try:
            said = f"returned {await awaited(forge, 'merge', url, offer.sha)!r}"
        except Exception as error:
            said = raised(error)
        now, told = self.tip(offer.base), await self.state(forge, url)
        if said.startswith("returned") or now != before or told.state != "open":
            fault(
                f"{name_of(forge, 'merge')} {said} for {offer.sha}, while {newer.sha} is the tip of {url}; "
                f"{offer.base} stands at {now} after {before}, and `state` says {told.state!r}.",
                "give the server the expected head, or compare it with the tip of the source, and raise an "
                "agentrelay_core error (Transient, if asking again may help) that names both commits.",
            )

    def test_what_is_merged_is_found(self) -> None:
        """`find` gives a pull request that is merged as well, so that nobody opens it again after a crash."""
        self.run(self._found_merged)

    async def _found_merged(self) -> None:
        forge, offer = self.ready_forge(), self.offered()
        url = await self.opened(forge, offer)
        await self.merged(forge, url, offer.sha)
        found = await self.find(forge, offer)
        if not isinstance(found, PullRequest) or found.url != url:
            fault(
                f"{name_of(forge, 'find')} gave {found!r} for the branches of {url}, which is merged.",
                "look among the merged and closed ones too; of several, return the newest.",
            )

    def test_two_do_not_mix(self) -> None:
        """Merging a pull request leaves another one open, and its target where it is."""
        self.run(self._merged_alone)

    async def _merged_alone(self) -> None:
        forge = self.ready_forge()
        one, other = self.offered("one"), self.offered("two")
        first, second = await self.opened(forge, one), await self.opened(forge, other)
        before = self.tip(other.base)
        await self.merged(forge, first, one.sha)
        told, now = await self.state(forge, second), self.tip(other.base)
        if told.state != "open" or now != before:
            fault(
                f"{name_of(forge, 'merge')} was given {first}; {second} is now {told.state!r}, and its target stands "
                f"at {now} after {before}.",
                "merge what the call names and nothing else.",
            )
