"""One session of a run: tasks are started as places and lanes come free, and each end calls the next start.

Nothing is polled and nothing is scanned twice: the end of a task tells the schedule, and the schedule names what may
start now.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from typing import Any

from agentrelay_core.journal import Journal, JournalError, TaskRecord, kinds
from agentrelay_core.orchestrator.attempts import Attempts, fail
from agentrelay_core.orchestrator.lanes import Lanes
from agentrelay_core.orchestrator.results import Ended, RunResult, WorkstreamResult, outcome_of
from agentrelay_core.orchestrator.retries import is_parked
from agentrelay_core.orchestrator.schedule import Schedule
from agentrelay_core.runtime import Event, Fenced, TaskRuntime, is_internal
from agentrelay_core.runtime.status import DONE, FAILED, PENDING
from agentrelay_core.spec import RunSettings, Task, TaskGraph, WorkstreamSpec
from agentrelay_core.task_runner import StandardTaskRunner, TaskRunResult, Workspace
from agentrelay_core.task_runner.calls import call_step
from agentrelay_core.task_runner.waiting import may_wait

# Seconds for one call of the workspace; fetch and push have their own deadlines within it.
WORKSPACE_DEADLINE = 900.0


class Execution:
    """Runs what is not done.

    Args:
        graph: The graph, frozen.
        settings: The effective settings.
        run_id: The run's id.
        runner: Takes single tasks through their lives.
        journal: The run's memory.
        emit: Takes events: the journal's and the listeners'.
        executor: Where plain ``def`` methods run.
        workspace: The run's repository, or `None`.
        selected: Ids of the tasks to be run, done ones left out.
        earlier: How the tasks that are done already ended.
        next_attempt: Number of the next attempt of tasks that have had one.
        interrupted: What the journal knows of attempts that an earlier session began and did not finish.
        integrated: Workstreams that were integrated before.
        entered: Workstreams that earlier sessions opened, and may not have closed.
        chance: Where the jitter of pauses comes from.
    """

    def __init__(
        self,
        graph: TaskGraph,
        settings: RunSettings,
        *,
        run_id: str,
        runner: StandardTaskRunner,
        journal: Journal,
        emit: Callable[[Event], None],
        executor: Executor,
        workspace: Workspace | None,
        selected: Collection[str],
        earlier: Mapping[str, TaskRunResult],
        next_attempt: Mapping[str, int],
        interrupted: Mapping[str, TaskRecord],
        integrated: Mapping[str, WorkstreamResult],
        entered: Collection[str] = (),
        chance: random.Random | None = None,
    ) -> None:
        self._graph = graph
        self._settings = settings
        self._run_id = run_id
        self._runner = runner
        self._emit = emit
        self._executor = executor
        self._workspace = workspace
        self._next_attempt = next_attempt
        self._interrupted = interrupted
        self._by_id = {task.id: task for task in graph.tasks}
        self._results = dict(earlier)
        done = set(earlier)
        chosen = [task for task in graph.tasks if task.id in selected and task.id not in done]
        # First whose agents may be at work: nobody else must enter their lanes before.
        chosen.sort(key=lambda task: not (task.id in interrupted and interrupted[task.id].interrupted))
        self._schedule = Schedule(
            chosen, done=done, max_concurrency=settings.max_concurrency, lanes=workspace is not None
        )
        self._lanes = None
        if workspace is not None:
            self._lanes = Lanes(
                graph,
                self._call_workspace,
                emit,
                flush=journal.flush,
                done=done,
                integrated=integrated,
                entered=entered,
                places=runner.places,
            )
        self._live: dict[str, asyncio.Task[None]] = {}
        self._integrating: dict[str, asyncio.Task[None]] = {}
        self._begun: set[str] = set()
        self._unwanted: set[str] = set()
        self._blocked: dict[str, str] = {}
        self._parked: set[str] = set()
        self._internal = False
        self._launching = True
        self._cancelled = False
        self._detached = False
        self._over: asyncio.Future[None] | None = None
        self._attempts = Attempts(settings, runner, emit, self._lanes, chance)

    async def run(self) -> RunResult:
        """Run until nothing more can be done.

        Raises:
            JournalError: The run's memory failed; agents were left to go on.
            Fenced: Another process owns the run now; agents were left to go on.
            asyncio.CancelledError: The caller was cancelled: every task was stopped first.
        """
        self._over = asyncio.get_running_loop().create_future()
        self._go_on()
        try:
            await self._over
        except (JournalError, Fenced):
            await self._settle()
            raise
        except BaseException:
            self.cancel()
            await self._settle()
            raise
        await self._settle()
        return self._result()

    def cancel(self, task_id: str | None = None) -> None:
        """Stop one task, which is not begun if it was not yet, or the whole run: agents are ended, nothing is launched.

        Args:
            task_id: The task; `None` for all.

        Raises:
            KeyError: The graph has no such task.
        """
        if task_id is not None:
            if task_id not in self._by_id:
                raise KeyError(task_id)
            self._stop(task_id)
            return
        self._launching = False
        self._cancelled = True
        for live in list(self._live):
            self._stop(live)
        self._stop_waiting()
        self._go_on()

    def detach(self) -> None:
        """Launch nothing more and leave the agents that are at work to go on."""
        self._launching = False
        self._leave()
        self._go_on()

    def _leave(self) -> None:
        self._detached = True
        self._attempts.detach()
        self._runner.detach()
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        for integrating in self._integrating.values() if may_wait(self._workspace, "integrate") else ():
            integrating.cancel()

    def abort(self, error: BaseException) -> None:
        """End the run with an error, which `run` raises.

        Args:
            error: What went wrong; a cancellation is none. What cannot be recorded any more is not done either, so for
                a journal's error nothing is torn down: agents go on, as after `detach`.
        """
        if self._over is not None and not self._over.done() and not isinstance(error, asyncio.CancelledError):
            self._launching = False
            self._over.set_exception(error)
            if isinstance(error, JournalError | Fenced):
                self._leave()

    def _stop(self, task_id: str) -> None:
        self._unwanted.add(task_id)
        # One that has no first step behind it would never come to its own end if it were cancelled.
        if task_id in self._begun and task_id in self._live:
            self._live[task_id].cancel()

    def _go_on(self) -> None:
        """Start what may start; end the run when there is nothing left to wait for."""
        if self._over is None or self._over.done():
            return
        while self._launching:
            task_id = self._schedule.next()
            if task_id is None:
                break
            self._live[task_id] = asyncio.create_task(self._drive(self._by_id[task_id]))
        if self._lanes is not None and not self._cancelled and not self._detached:
            for spec in self._lanes.ready():
                self._integrating[spec.id] = asyncio.create_task(self._integrate(spec))
        if not self._live and not self._integrating:
            self._over.set_result(None)

    async def _drive(self, task: Task) -> None:
        """Take one task through its attempts, then tell the schedule."""
        self._begun.add(task.id)
        runtime = TaskRuntime(task, run_id=self._run_id, graph_name=self._graph.name)
        first = self._next_attempt.get(task.id, 0)
        try:
            if task.id in self._unwanted:
                result = await self._attempts.refuse(runtime)
            else:
                result = await self._attempts.run(runtime, first=first, record=self._interrupted.get(task.id))
        except BaseException as exc:  # a fault of ours, or of the journal, must not leave the run waiting for ever
            result = fail(runtime, exc)
            self.abort(exc)
        self._ended(runtime, result)

    def _ended(self, runtime: TaskRuntime, result: TaskRunResult) -> None:
        task = runtime.task
        self._results[task.id] = result
        del self._live[task.id]
        if result.status in DONE:
            self._schedule.done(task.id)
            if self._lanes is not None:
                self._lanes.task_done(task)
        elif result.status == FAILED:
            self._note_failure(task, runtime.failure)
        self._go_on()

    def _note_failure(self, task: Task, failure: BaseException | None) -> None:
        if is_parked(failure):
            self._parked.add(task.id)
        elif is_internal(failure):
            self._internal = True
            if self._settings.fail_fast_on_internal_error:
                self._launching = False
        for blocked in self._schedule.failed(task.id):
            self._blocked[blocked] = task.id
            self._emit(
                Event(
                    kind=kinds.TASK_BLOCKED,
                    task_id=blocked,
                    workstream_id=self._by_id[blocked].workstream_id,
                    message=f"waits for {task.id}, which failed",
                    data={"by": task.id},
                )
            )

    async def _integrate(self, spec: WorkstreamSpec) -> None:
        assert self._lanes is not None
        try:
            failure = await self._lanes.integrate(spec)
        except asyncio.CancelledError:  # of a wait for others: the next session begins it anew
            failure = None
        if failure is not None and not is_parked(failure):
            if is_internal(failure):
                self._internal = True
            if self._settings.fail_fast_on_workstream_error:
                self._launching = False
        del self._integrating[spec.id]
        self._go_on()

    async def _settle(self) -> None:
        """Wait for what was told to stop, then leave the repository as it should be."""
        waiting = [*self._live.values(), *self._integrating.values()]
        if waiting:
            await asyncio.wait(waiting)
        if self._lanes is not None and not self._detached:
            for problem in await self._lanes.close():
                self._emit(Event(kind=kinds.TASK_WARNING, message=problem))

    async def _call_workspace(self, method: str, *args: object) -> Any:
        async with asyncio.timeout(None if may_wait(self._workspace, method) else WORKSPACE_DEADLINE):
            return await call_step(self._executor, self._workspace, method, *args)

    def _result(self) -> RunResult:
        for task_id in self._schedule.left():
            self._blocked.setdefault(task_id, "")
        tasks = {
            task.id: self._results.get(task.id) or TaskRunResult(task.id, PENDING, None, None)
            for task in self._graph.tasks
        }
        lanes = {} if self._lanes is None else self._lanes.results
        ended = Ended(
            cancelled=self._cancelled,
            detached=self._detached,
            left=self._lanes is not None and self._lanes.left,
            internal=self._internal,
        )
        return RunResult(
            outcome=outcome_of(ended, tasks, lanes.values(), self._parked, self._blocked),
            tasks=tasks,
            run_id=self._run_id,
            workstreams=lanes,
            parked=frozenset(self._parked),
            blocked=self._blocked,
        )
