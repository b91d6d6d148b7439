"""The one poller of a run: whoever waits for a pull request registers it here, and all are looked at by one question.

It looks as long as somebody watches. A limit of GitHub's makes it wait, and every watcher is told until when; any other
failure ends the wait of all of them at once, with the same message.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, Final, Protocol, TypeVar

import attrs

from agentrelay_core.runtime import Throttled
from agentrelay_git_gh.github.answers import Answer
from agentrelay_git_gh.github.limits import Budget, HostLimits
from agentrelay_git_gh.github.pace import Allowance, Pace, sparing
from agentrelay_git_gh.github.protection import Protection, ProtectionReader
from agentrelay_git_gh.github.sites import Site
from agentrelay_git_gh.github.snapshots import (
    AT_ONCE,
    Snapshot,
    further_question,
    question,
    read_budget,
    read_snapshot,
    with_further,
)
from agentrelay_git_gh.github.watches import Limited, Look, Watch

T = TypeVar("T")

_NEWCOMER: Final = 2.0  # seconds until a pull request that is watched from now on is looked at; others may come with it
_UNTOLD: Final = 60.0  # seconds to wait for the end of a limit of which GitHub does not say when it ends
_PROTECTION_STALE: Final = 600.0  # seconds for which nobody asks again what a branch asks for


class Api(Protocol):
    """What is needed of the adapter that all calls pass, see `GitHubApi`."""

    @property
    def site(self) -> Site:
        """The repository."""

    @property
    def limits(self) -> HostLimits:
        """What is known of the host."""

    def ask(self, text: str, variables: Mapping[str, object] | None = None) -> Mapping[str, Any]:
        """Ask a GraphQL query."""

    def read(
        self,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        etag: str | None = None,
        accept: Collection[int] = (),
    ) -> Answer:
        """GET something."""

    def pausing(self, pause: Callable[[float], None]) -> "Api":
        """The same with another way to pause between tries."""


@attrs.frozen(kw_only=True)
class _Asked:
    asked_at: float
    answer: "asyncio.Task[Protection]"


class _NobodyWatches(Exception):
    """Ends a call that would be tried again."""


class Poller:
    """Looks at pull requests of one repository for all who wait for them, from one event loop at a time.

    Args:
        api: What every call passes.
        allowance: Calls that may be made.
        chance: Where jitter comes from.
        wall: The time, seconds since the epoch.
    """

    def __init__(
        self,
        api: Api,
        *,
        allowance: Allowance | None = None,
        chance: Random | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._nobody = threading.Event()
        self.api = api.pausing(self._pause)
        self.wall = wall
        self.allowance = allowance or Allowance()
        self._pace = Pace(chance or Random())
        self._watches: set[Watch] = set()
        self._shown: dict[int, Look] = {}
        self._budget: Budget | None = None
        self._limit: Limited | None = None
        self._task: asyncio.Task[None] | None = None
        self._stirred = asyncio.Event()
        self._protections = ProtectionReader(api.site, self.api.read)
        self._protected: dict[str, _Asked] = {}

    @contextmanager
    def watching(self, number: int) -> Iterator[Watch]:
        """Have a pull request looked at for as long as the body of the ``with`` runs.

        Args:
            number: Its number.
        """
        watch = Watch(number, self._ensure)
        self._watches.add(watch)
        self._nobody.clear()
        if self._limit is not None:
            watch.show(self._limit)
        self._ensure()
        self._stirred.set()
        try:
            yield watch
        finally:
            self._watches.discard(watch)
            if not self._watches:
                self._nobody.set()
            self._stirred.set()

    async def call(self, function: Callable[..., T], *arguments: Any, calls: int = 1) -> T:
        """Call the adapter in a thread, once the allowance has room.

        Args:
            function: What makes the calls.
            arguments: Its arguments.
            calls: How many it makes.
        """
        for _ in range(calls):
            await asyncio.sleep(self.allowance.take(self._now()))
        return await asyncio.to_thread(function, *arguments)

    async def protection(self, branch: str, *, again: bool = False) -> Protection:
        """What a branch asks for before a merge, read once.

        Args:
            branch: Its name.
            again: Whether what was read some minutes ago may be wrong; read anew if the allowance has room.
        """
        while True:
            known = self._protected.get(branch)
            if known is None or _failed(known.answer) or (again and self._may_be_read_anew(known.asked_at)):
                answer = asyncio.create_task(self.call(self._protections.of, branch, calls=2))
                known = self._protected[branch] = _Asked(asked_at=self._now(), answer=answer)
            try:
                return await asyncio.shield(known.answer)  # many may wait for it, and one of them may give up
            except _NobodyWatches:  # it was given up with those who asked first
                if self._nobody.is_set():
                    raise

    def _may_be_read_anew(self, read_at: float) -> bool:
        rest = self.api.limits.budget("core")
        has_room = self.allowance.has_room(self._now()) and (rest is None or rest.spare() > 0)
        return has_room and self._now() - read_at >= _PROTECTION_STALE

    def _pause(self, seconds: float) -> None:
        """Pause between tries of a call, in its thread; when nobody watches any more, nobody waits for its answer."""
        if self._nobody.wait(seconds):
            raise _NobodyWatches

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _ensure(self) -> None:
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._stirred = asyncio.Event()
            self._task = loop.create_task(self._run(), name="agentrelay-github-poller")

    async def _run(self) -> None:
        while self._watches:
            try:
                await self._look()
            except Throttled as limit:
                seconds = _UNTOLD if limit.retry_after is None else limit.retry_after
                self._limit = Limited(until=self.wall() + seconds, reason=limit.message)
                self._show_all({watch.number: self._limit for watch in self._watches})
                await self._rest(seconds, firm=True)
                self._limit = None
            except _NobodyWatches:
                continue  # somebody may have come since
            except Exception as failure:
                for watch in self._watches:
                    watch.fail(failure)
                return
            else:
                await self._rest(max(self._pace.next(), sparing(self._budget, self.wall())), firm=False)

    async def _look(self) -> None:
        numbers = sorted({watch.number for watch in self._watches})
        shown: dict[int, Look] = {}
        for start in range(0, len(numbers), AT_ONCE):
            shown.update(await self._ask(numbers[start : start + AT_ONCE]))
        if shown != {number: self._shown.get(number) for number in shown}:
            self._pace.changed()
        self._shown = shown
        self._show_all(shown)

    def _show_all(self, shown: Mapping[int, Look]) -> None:
        for watch in self._watches:
            if watch.number in shown:
                watch.show(shown[watch.number])

    async def _ask(self, numbers: Sequence[int]) -> dict[int, Look]:
        answer = await self._query(question(numbers))
        found = {number: read_snapshot(number, answer) for number in numbers}
        shown: dict[int, Look] = {number: snapshot for number, (snapshot, _) in found.items()}
        cursors = {number: cursor for number, (_, cursor) in found.items() if cursor is not None}
        while cursors:
            answer = await self._query(further_question(cursors))
            beyond: dict[int, str] = {}
            for number in cursors:
                snapshot = shown[number]
                assert isinstance(snapshot, Snapshot)
                shown[number], cursor = with_further(snapshot, answer)
                if cursor is not None:
                    beyond[number] = cursor
            cursors = beyond
        return shown

    async def _query(self, text: str) -> Mapping[str, Any]:
        site = self.api.site
        answer = await self.call(self.api.ask, text, {"owner": site.owner, "name": site.name})
        self._budget = read_budget(answer) or self.api.limits.budget("graphql")
        return answer

    async def _rest(self, seconds: float, *, firm: bool) -> None:
        """Wait for the next look; not so long for a newcomer, unless the wait is firm, and no longer for nobody."""
        until = self._now() + seconds
        watched = frozenset(self._watches)
        while self._watches and (left := until - self._now()) > 0:
            self._stirred.clear()
            try:
                async with asyncio.timeout(left):
                    await self._stirred.wait()
            except TimeoutError:
                return
            if not firm and not self._watches <= watched:
                until = min(until, self._now() + _NEWCOMER)
                watched = frozenset(self._watches)


def _failed(task: "asyncio.Task[Protection]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
