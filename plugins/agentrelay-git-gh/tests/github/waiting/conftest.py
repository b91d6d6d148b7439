"""A GitHub that counts how often it is asked, in made-up time: what hours of waiting cost is measured in a moment."""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import attrs
import pytest
from agentrelay_git_gh.github.answers import Answer
from agentrelay_git_gh.github.checks import Check
from agentrelay_git_gh.github.clearing import clear
from agentrelay_git_gh.github.limits import HostLimits
from agentrelay_git_gh.github.poller import Poller
from agentrelay_git_gh.github.sites import Site
from agentrelay_git_gh.github.snapshots import Snapshot
from pytest_agentrelay.virtual_loop import VirtualLoop

HEAD = "a" * 40
PAGE = 100
ASKED = re.compile(r'pullRequest\(number: (\d+)\) \{.*?contexts\(first: 100(?:, after: "(\d+)")?\)', re.DOTALL)


class CountingGitHub:
    """Stands where the adapter stands, shows what a test sets, and notes the time of each call."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self.site = Site(host="github.com", owner="octo", name="work")
        self.limits = HostLimits(loop.wall_time)
        self.pulls: dict[int, Snapshot] = {}
        self.pages: dict[str, Any] = {}
        self.failures: list[Exception] = []
        self.rate: dict[str, Any] | None = None
        self.times: list[float] = []
        self.paths: list[str] = []
        self.unchanged: list[str] = []
        self.on_look: Callable[[], None] = lambda: None

    def show(self, number: int = 1, **fields: Any) -> None:
        """Change what a pull request looks like; at first it is open and may be merged."""
        checks = [_check(check) for check in fields.pop("checks", ())]
        if checks:
            fields["checks"] = tuple(checks)
        before = self.pulls.get(number) or Snapshot(
            number=number,
            url=f"https://github.com/octo/work/pull/{number}",
            state="open",
            mergeable="MERGEABLE",
            merge_state="CLEAN",
            head_sha=HEAD,
            base="lane",
        )
        self.pulls[number] = attrs.evolve(before, **fields)

    def protect(self, branch: str = "lane", *names: str, rules: tuple[dict[str, Any], ...] = ()) -> None:
        """Let a branch ask for checks, and for what rules say."""
        asked = {"required_status_checks": {"enforcement_level": "everyone", "contexts": names, "checks": []}}
        self.pages[f"repos/octo/work/branches/{branch}"] = {"name": branch, "protection": asked}
        self.pages[f"repos/octo/work/rules/branches/{branch}"] = list(rules)

    def ask(self, text: str, variables: Any = None) -> dict[str, Any]:
        self._count("graphql")
        assert variables == {"owner": "octo", "name": "work"}
        asked = {int(number): int(after or 0) for number, after in ASKED.findall(text)}
        assert text.count("pullRequest(") == len(asked) <= 50
        shown = {
            f"p{number}": _shown(self.pulls[number], after) if number in self.pulls else None
            for number, after in asked.items()
        }
        return {"repository": shown, "rateLimit": self.rate}

    def read(self, path: str, *, query: Any = None, etag: str | None = None, accept: Any = ()) -> Answer:
        self._count(path)
        page = self.pages.get(path.replace("%2F", "/").replace("%40", "@"))
        if page is None:
            assert 404 in accept
            return Answer(status=404)
        body = page if isinstance(page, bytes) else json.dumps(page).encode()
        if etag == f'"{hash(body)}"':
            self.unchanged.append(path)
            return Answer(status=304)
        return Answer(status=200, headers={"etag": f'"{hash(body)}"'}, body=body)

    def pausing(self, pause: Callable[[float], None]) -> "CountingGitHub":
        return self

    def most_in_an_hour(self) -> int:
        """The most calls that any hour has seen."""
        return max(sum(1 for time in self.times if first <= time < first + 3600) for first in self.times)

    def _count(self, what: str) -> None:
        self.times.append(self.loop.time())
        self.paths.append(what)
        self.on_look()
        if self.failures:
            raise self.failures.pop(0)


def _check(given: Check | tuple[str, str]) -> Check:
    if isinstance(given, Check):
        return given
    return Check(name=given[0], conclusion=given[1], commit=HEAD, app="ci", app_id=1, number=1)


def _shown(pull: Snapshot, after: int) -> dict[str, Any]:
    nodes = [_node(check) for check in pull.checks]
    page = nodes[after : after + PAGE]
    more = after + PAGE < len(nodes)
    contexts = {"pageInfo": {"hasNextPage": more, "endCursor": str(after + PAGE)}, "nodes": page}
    oid = pull.checks[0].commit if pull.checks else pull.head_sha
    commit = {"oid": oid, "statusCheckRollup": {"contexts": contexts} if nodes else None}
    return {
        "number": pull.number,
        "url": pull.url,
        "state": pull.state.upper(),
        "isDraft": pull.draft,
        "mergeable": pull.mergeable,
        "mergeStateStatus": pull.merge_state,
        "headRefOid": pull.head_sha,
        "baseRefName": pull.base,
        "reviewDecision": pull.review or None,
        "isMergeQueueEnabled": pull.has_queue,
        "mergeQueueEntry": pull.queued and {"state": pull.queued.state.upper(), "position": pull.queued.position},
        "commits": {"nodes": [{"commit": commit}]},
    }


def _node(check: Check) -> dict[str, Any]:
    if check.is_status:
        state = check.conclusion.upper() or "PENDING"
        return {
            "__typename": "StatusContext",
            "context": check.name,
            "state": state,
            "targetUrl": check.url,
            "description": check.title,
            "isRequired": check.required,
        }
    return {
        "__typename": "CheckRun",
        "databaseId": check.number,
        "name": check.name,
        "status": "COMPLETED" if check.conclusion else "IN_PROGRESS",
        "conclusion": check.conclusion.upper() or None,
        "detailsUrl": check.url,
        "title": check.title,
        "isRequired": check.required,
        "checkSuite": {"app": {"slug": check.app, "databaseId": check.app_id}},
    }


@attrs.define
class Wait:
    """A wait for a pull request, and what it told.

    Args:
        poller: The run's poller.
        loop: The time it waits in.
    """

    poller: Poller
    loop: VirtualLoop
    told: list[str] = attrs.field(factory=list)
    files: tuple[str, ...] = ()
    older: tuple[str, ...] = ()

    def until_clear(self, number: int = 1, **fields: Any) -> Coroutine[Any, Any, Snapshot]:
        """Wait until the pull request may be merged."""
        given = {"checks": "required", "deadline": 4 * 3600.0} | fields
        return clear(
            self.poller,
            number,
            HEAD,
            tell=lambda state, detail: self.told.append(f"{self.loop.time():.0f} {state}: {detail}"),
            conflicts=lambda look: self.files,
            is_older=self.older.__contains__,
            **given,
        )

    def run(self, *then: tuple[float, Callable[[], None]], **fields: Any) -> Snapshot:
        """Wait, and let things happen after so many seconds each."""

        async def at(seconds: float, happens: Callable[[], None]) -> None:
            await asyncio.sleep(seconds)
            happens()

        async def both() -> Snapshot:
            tasks = [asyncio.create_task(at(*one)) for one in then]
            try:
                return await self.until_clear(**fields)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

        return self.loop.run_until_complete(both())


@pytest.fixture
def github(virtual_clock: VirtualLoop) -> CountingGitHub:
    """A GitHub of made-up time, on which nothing is protected."""
    github = CountingGitHub(virtual_clock)
    github.protect()
    return github


@pytest.fixture
def poller(github: CountingGitHub, virtual_clock: VirtualLoop) -> Poller:
    """The poller of a run there."""
    return Poller(github, chance=Random(1), wall=virtual_clock.wall_time)


@pytest.fixture
def wait(poller: Poller, virtual_clock: VirtualLoop) -> Wait:
    """A wait for a pull request there."""
    return Wait(poller, virtual_clock)
