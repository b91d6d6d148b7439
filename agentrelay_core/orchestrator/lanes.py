"""The workstreams of a run: opened when a first task needs them, kept up to date, integrated when their tasks are done.

A workstream flows into another one when its merge target is that one's integration branch; it is integrated first, so
that each integration pull request holds all that was to flow into it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from agentrelay_core.failpoints import failpoint
from agentrelay_core.journal import kinds
from agentrelay_core.orchestrator.results import WorkstreamResult
from agentrelay_core.runtime import Event, IntegrationError, Parked, TaskRuntime, Throttled
from agentrelay_core.runtime.no_room import no_room
from agentrelay_core.spec import Task, TaskGraph, WorkstreamSpec
from agentrelay_core.task_runner.limited import waited_out

# What calls a method of the workspace without blocking the event loop: (method, *arguments).
Call = Callable[..., Awaitable[Any]]


# Seconds that an integration waits for limits in all.
LONGEST_LIMIT = 4 * 3600.0


class Lanes:
    """The workstreams of one run.

    Args:
        graph: The graph.
        call: Calls a method of the run's workspace.
        emit: Takes events.
        flush: Returns when all events are on the disk; `None` where none are kept.
        done: Ids of tasks that are done already.
        integrated: Workstreams that an earlier session of the run has integrated.
        entered: Workstreams that an earlier session opened; it may have been killed before it closed them.
        places: Where the workspace writes; an integration that fails while such a disk is full waits for a person.
    """

    def __init__(
        self,
        graph: TaskGraph,
        call: Call,
        emit: Callable[[Event], None],
        *,
        flush: Callable[[], Awaitable[None]] | None = None,
        done: Collection[str] = (),
        integrated: Mapping[str, WorkstreamResult] | None = None,
        entered: Collection[str] = (),
        places: Collection[Path] = (),
    ) -> None:
        self.specs = {spec.id: spec for spec in graph.workstreams}
        self.results: dict[str, WorkstreamResult] = dict(integrated or {})
        self._call = call
        self._emit = emit
        self._flush = flush
        self._target = {spec.id: self._flows_into(graph.name, spec) for spec in graph.workstreams}
        self._entered = entered
        self._places = places
        self._opened: dict[str, asyncio.Future[tuple[str, Path]]] = {}
        self._lane_of = {task.id: task.workstream_id for task in graph.tasks}
        # For each lane in use: how many of its tasks, and of the lanes that flow into it, are still to come.
        self._left = dict.fromkeys(self._in_use(graph), 0)
        for task in graph.tasks:
            if task.id not in done:
                self._left[task.workstream_id] += 1
        for lane in self._left:
            target = self._target[lane]
            if target is not None and lane not in self.results:
                self._left[target] += 1
        self._ready = [lane for lane, left in self._left.items() if not left and lane not in self.results]

    async def enter(self, task: Task, runtime: TaskRuntime, *, update: bool = True) -> None:
        """Make a task's lane ready for it: opened, with the work of its dependencies' lanes merged in.

        Args:
            task: The task.
            runtime: Gets ``integration_branch`` and ``workstream_worktree_path``.
            update: Whether that work is merged in; off for a task that only needs to be torn down.
        """
        branch, path = await self._open(task.workstream_id)
        runtime.state.integration_branch = branch
        runtime.state.workstream_worktree_path = path
        if not update:
            return
        upstream = {self._lane_of[dependency] for dependency in task.dependencies} - {task.workstream_id}
        lanes = [self.specs[lane] for lane in sorted(upstream)]
        await self._effect("update_workstream", self.specs[task.workstream_id], lanes)
        failpoint("update_workstream", "outcome")

    def task_done(self, task: Task) -> None:
        """Count a task of a lane as done."""
        self._one_less(task.workstream_id)

    def ready(self) -> list[WorkstreamSpec]:
        """Take the lanes whose tasks, and all that flows into them, are done and that are not integrated yet."""
        ready, self._ready = self._ready, []
        return [self.specs[lane] for lane in ready]

    async def integrate(self, spec: WorkstreamSpec) -> Exception | None:
        """Open, and with ``auto_merge`` merge, a lane's integration pull request; the error that prevented it."""
        self._emit(Event(kind=kinds.WORKSTREAM_INTEGRATING, workstream_id=spec.id))
        try:
            await self._open(spec.id)
            if self._flush is not None:
                await self._flush()  # an intent, durable before the effect
            url = await self._integrated(spec)
        except Exception as raised:
            exc = no_room(raised, self._places) or raised
            parked = isinstance(exc, Parked)
            text = str(exc) if isinstance(exc, IntegrationError) else f"{type(exc).__name__}: {exc}"
            self.results[spec.id] = WorkstreamResult(id=spec.id, error=text, parked=parked)
            kind = kinds.WORKSTREAM_PARKED if parked else kinds.WORKSTREAM_FAILED
            self._emit(Event(kind=kind, workstream_id=spec.id, message=text))
            return exc
        merged = spec.auto_merge and url is not None
        self.results[spec.id] = WorkstreamResult(id=spec.id, pr_url=url, merged=merged)
        data = {"pr_url": url, "merged": merged}
        self._emit(Event(kind=kinds.WORKSTREAM_INTEGRATED, workstream_id=spec.id, message=url or "", data=data))
        failpoint("integrate", "outcome")
        target = self._target[spec.id]
        if target is not None:
            self._one_less(target)
        return None

    @property
    def left(self) -> bool:
        """Whether a lane that could be integrated is not."""
        return any(not left and lane not in self.results for lane, left in self._left.items())

    async def _integrated(self, spec: WorkstreamSpec) -> str | None:
        """Integrate a lane, as often as a limit keeps it from happening; all limits together last no longer than that.

        Raises:
            Parked: They last longer.
        """
        waited = 0.0
        while True:
            try:
                url: str | None = await self._effect("integrate", spec)
            except Throttled as limit:
                pause, told = waited_out(limit, waited, LONGEST_LIMIT)
                waited += pause
                data = {"until": time.time() + pause}
                message = f"a limit to end: {told}"
                self._emit(Event(kind=kinds.WORKSTREAM_WAITING, workstream_id=spec.id, message=message, data=data))
                await asyncio.sleep(pause)
            else:
                return url

    async def close(self) -> list[str]:
        """Close the lanes that were opened, here or by an earlier session; what went wrong, in sentences."""
        problems = []
        for lane in self.specs:
            opened = self._opened.get(lane)
            if opened is None and lane not in self._entered:
                continue
            if opened is not None and (not opened.done() or opened.cancelled() or opened.exception() is not None):
                continue
            try:
                await self._effect("close_workstream", self.specs[lane])
                failpoint("close_workstream", "outcome")
            except Exception as exc:
                problems.append(f"workstream {lane!r} could not be closed: {exc}")
        return problems

    async def _open(self, lane: str) -> tuple[str, Path]:
        opened = self._opened.get(lane)
        if opened is None or (opened.done() and (opened.cancelled() or opened.exception() is not None)):
            opened = asyncio.ensure_future(self._open_once(self.specs[lane]))
            self._opened[lane] = opened
        return await asyncio.shield(opened)

    async def _open_once(self, spec: WorkstreamSpec) -> tuple[str, Path]:
        if spec.parent_workstream_id is not None:
            await self._open(spec.parent_workstream_id)
        branch, path = await self._effect("open_workstream", spec)
        self._emit(Event(kind=kinds.WORKSTREAM_OPENED, workstream_id=spec.id, message=branch, data={"branch": branch}))
        failpoint("open_workstream", "outcome")
        return branch, path

    async def _effect(self, method: str, *arguments: Any) -> Any:
        """Call a method of the workspace, which is safe to be repeated."""
        failpoint(method, "begin")
        failpoint(method, "intent")
        result = await self._call(method, *arguments)
        failpoint(method, "effect")
        return result

    def _flows_into(self, graph_name: str, spec: WorkstreamSpec) -> str | None:
        if spec.merge_target_branch is None:
            return spec.parent_workstream_id
        prefix = f"agentrelay/{graph_name}@"
        target = spec.merge_target_branch.removeprefix(prefix)
        return target if spec.merge_target_branch.startswith(prefix) and target in self.specs else None

    def _in_use(self, graph: TaskGraph) -> list[str]:
        """The lanes that hold tasks, and those that such lanes flow into, in the graph's order."""
        used: set[str] = set()
        for task in graph.tasks:
            lane: str | None = task.workstream_id
            while lane is not None and lane not in used:
                used.add(lane)
                lane = self._target[lane]
        return [lane for lane in self.specs if lane in used]

    def _one_less(self, lane: str) -> None:
        self._left[lane] -= 1
        if not self._left[lane]:
            self._ready.append(lane)
