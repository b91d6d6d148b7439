"""What every merger must do: the task's own pull request is merged, once, before the step returns."""

import asyncio
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from agentrelay_core.runtime import TaskRuntime, TaskStatus
from pytest_agentrelay.compliance.faults import fault, name_of, raised
from pytest_agentrelay.compliance.repositories import make_repository, prepared
from pytest_agentrelay.compliance.steps import StepCompliance, awaited


class MergerCompliance(StepCompliance):
    """Checks of a merger, in a real git repository. Two methods must be given: see the first two."""

    step: ClassVar[str] = "task_merger"
    method: ClassVar[str] = "merge_pr"
    foreign_url: ClassVar[str] = "https://example.invalid/somebody/else/pull/1"

    def open_pull_request(self, runtime: TaskRuntime) -> str:
        """Do some work on the task's branch and open its pull request; return the URL. It must be overridden.

        Args:
            runtime: The task, prepared.
        """
        fault(
            f"{type(self).__name__} does not say how a pull request is opened.",
            "override open_pull_request(self, runtime) -> str: change a file, commit it, open the pull request.",
        )

    def was_merged(self, runtime: TaskRuntime, url: str) -> int:
        """How often the pull request was merged into the integration branch, by evidence. It must be overridden.

        Args:
            runtime: The task.
            url: What `open_pull_request` gave.
        """
        fault(
            f"{type(self).__name__} does not say how one sees that a pull request was merged.",
            "override was_merged(self, runtime, url) -> int: count the merges in the integration branch itself.",
        )

    @property
    def repository(self) -> Path | None:
        """A repository with one commit."""
        return make_repository(self.place / "repository")

    def make_runtime(self, name: str = "one") -> TaskRuntime:
        """A task that is prepared by the preparer of the plugins' tables; without one, its workstream is open."""
        return prepared(self.make_task(name), self.make_run(), self.catalog)

    async def before(self, runtime: TaskRuntime) -> tuple[Any, ...]:
        """Open the pull request."""
        url = await asyncio.to_thread(self.open_pull_request, runtime)
        runtime.artifacts.pr_url = url
        if runtime.state.status is TaskStatus.RUNNING:
            runtime.state.transition(TaskStatus.PR_CREATED)
        return (url,)

    def test_merges(self) -> None:
        """When `merge_pr` returns, the pull request is in the integration branch."""
        runtime, url, count = self.run(self._merged)
        if count != 1:
            how = "is not in" if count == 0 else f"was merged {count} times into"
            fault(
                f"{name_of(self.step_for(runtime), 'merge_pr')} returned, and {url} {how} the integration branch.",
                "merge it, look at the branch that it went to, and return only when it is there; "
                "raise an IntegrationError when it is not.",
            )

    async def _merged(self, name: str = "one") -> tuple[TaskRuntime, str, int]:
        runtime = self.make_runtime(name)
        step = self.step_for(runtime)
        (url,) = await self.before(runtime)
        await self.perform(step, runtime, url)
        return runtime, url, await self._count(runtime, url)

    async def _count(self, runtime: TaskRuntime, url: str) -> int:
        return await asyncio.to_thread(self.was_merged, runtime, url)

    def test_merging_again_merges_once(self) -> None:
        """Called again, also by a step made anew, `merge_pr` does not merge a second time."""
        self.run(self._again)

    async def _again(self) -> None:
        runtime, url, first = await self._merged()
        step = self.step_for(runtime)
        with suppress(Exception):  # that it raises is for test_already_merged_is_success to say
            await awaited(step, "merge_pr", runtime, url)
        count = await self._count(runtime, url)
        if first == 1 and count != 1:
            fault(
                f"{name_of(step, 'merge_pr')} was called again and {url} is now merged {count} times.",
                "ask first whether it is merged: a crash between the merge and its record makes us call it again.",
            )

    def test_already_merged_is_success(self) -> None:
        """A pull request that is merged already is what was wanted: no exception."""
        self.run(self._already)

    async def _already(self) -> None:
        runtime, url, _ = await self._merged()
        step = self.step_for(runtime)
        try:
            await awaited(step, "merge_pr", runtime, url)
        except Exception as error:
            fault(
                f"{name_of(step, 'merge_pr')} {raised(error)} for {url}, which is merged already.",
                "return when the pull request is merged, whoever merged it.",
            )

    def test_refuses_a_foreign_pull_request(self) -> None:
        """A URL that is not the task's pull request is refused: agents may name any."""
        self.run(self._foreign)

    async def _foreign(self) -> None:
        runtime = self.make_runtime()
        step = self.step_for(runtime)
        await self.before(runtime)
        with suppress(Exception):
            await awaited(step, "merge_pr", runtime, self.foreign_url)
            fault(
                f"{name_of(step, 'merge_pr')} returned for {self.foreign_url}, which is not the task's pull request.",
                "look the pull request up by the task's branch and the integration branch, and raise ProtocolViolation "
                "if its URL is another.",
            )

    def test_two_tasks_do_not_mix(self) -> None:
        """Two pull requests that are merged at once are each merged once."""
        self.run(self._two)

    async def _two(self) -> None:
        runtimes = [self.make_runtime("one"), self.make_runtime("two")]
        steps = [self.step_for(runtime) for runtime in runtimes]
        urls = [(await self.before(runtime))[0] for runtime in runtimes]
        await self.call(steps[0], runtimes[0], urls[0])
        if await self._count(runtimes[0], urls[0]) != 1:
            return  # test_merges tells
        early = await self._count(runtimes[1], urls[1])
        if early:
            fault(
                f"{name_of(steps[0], 'merge_pr')} was given {urls[0]} and merged {urls[1]}, another task's.",
                "merge what the call names and nothing else.",
            )
        await self.call(steps[1], runtimes[1], urls[1])
        if await self._count(runtimes[1], urls[1]) != 1:
            fault(
                f"{name_of(steps[1], 'merge_pr')} did not merge {urls[1]} after another task's pull request.",
                "take everything from the arguments of each call; keep nothing between calls.",
            )

    def test_writes_merged(self) -> None:
        """``.merged`` in the signal directory tells in ISO format when it was merged, in UTC."""
        runtime, _, _ = self.run(self._merged)
        signal_dir = runtime.state.signal_dir
        path = None if signal_dir is None else signal_dir / ".merged"
        moment = None
        if path is not None and path.is_file():
            with suppress(ValueError):
                moment = datetime.fromisoformat(path.read_text(encoding="utf-8").strip())
        if path is not None and (moment is None or moment.tzinfo is None or moment.utcoffset()):
            fault(
                f"{name_of(self.step_for(runtime), 'merge_pr')} writes no time, in UTC, into {path}.",
                'write f"{datetime.now(UTC).isoformat()}\\n" to signal_dir / ".merged" once it is merged.',
            )
