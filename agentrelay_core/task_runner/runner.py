"""The standard life of a task: prepare → launch → kickoff → wait → publish → verify → gate → merge → teardown.

`StandardTaskRunner` holds what serves every task; `Life` in ``life.py`` is one task's way through the steps.
"""

import asyncio
from collections.abc import Collection, Coroutine
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from agentrelay_core.failpoints import failpoint
from agentrelay_core.runtime import EventListener, IntegrationFailureClass, TaskRuntime, TaskStatus, Throttled
from agentrelay_core.runtime import classify_integration_error as classify
from agentrelay_core.runtime.events import careful
from agentrelay_core.runtime.no_room import no_room
from agentrelay_core.runtime.secrets import without_secrets
from agentrelay_core.runtime.status import DONE, FAILED, PENDING, RUNNING
from agentrelay_core.spec import TearDownMode
from agentrelay_core.task_runner.calls import is_async
from agentrelay_core.task_runner.culprits import culprit
from agentrelay_core.task_runner.dispatch import StepDispatch
from agentrelay_core.task_runner.effects import DURABLE, EFFECT_OF, EffectRecorder
from agentrelay_core.task_runner.life import Life
from agentrelay_core.task_runner.limited import after_limit
from agentrelay_core.task_runner.protocols import (
    TaskCompletionChecker,
    TaskKickoff,
    TaskLauncher,
    TaskMerger,
    TaskPreparer,
    TaskTeardown,
)
from agentrelay_core.task_runner.result import TaskRunResult
from agentrelay_core.task_runner.signature import check_step
from agentrelay_core.task_runner.step_calls import Detached
from agentrelay_core.task_runner.waiting import may_wait
from agentrelay_core.task_runner.watchdog import Interruption, Watchdog
from agentrelay_core.task_runner.workspace import Workspace

SMALLEST_POOL = 8


class Way(NamedTuple):
    """How a step's method is called.

    Attributes:
        is_async: Whether it is ``async def``.
        reconciles: Whether the step can reconcile.
        effect: Its effect's name.
        durable: Whether its effect's intent must be durable before.
        may_wait: Whether it may wait for others.
    """

    is_async: bool
    reconciles: bool
    effect: str | None
    durable: bool
    may_wait: bool


class StandardTaskRunner:
    """Runs tasks through the six steps.

    Args:
        preparer: Table of preparers; so for each step.
        launcher: Table of launchers.
        kickoff: Table of kickoffs.
        completion_checker: Table of completion checkers.
        merger: Table of mergers.
        teardown: Table of teardowns.
        workspace: The run's repository; without one the steps' word is taken.
        on_event: Called with each event; one that raises is logged once and ends nothing.
        executor: Where plain ``def`` steps run; default a pool of the runner's own.
        recorder: Told of effects before they begin and when they are found done; for a run that can be resumed.
        watchdog: Ends waits that are overdue; default one of the runner's own.
        places: Where steps write; what fails while the disk of one of them is full waits for a person.
    """

    def __init__(
        self,
        *,
        preparer: StepDispatch[TaskPreparer],
        launcher: StepDispatch[TaskLauncher],
        kickoff: StepDispatch[TaskKickoff],
        completion_checker: StepDispatch[TaskCompletionChecker],
        merger: StepDispatch[TaskMerger],
        teardown: StepDispatch[TaskTeardown],
        workspace: Workspace | None = None,
        on_event: EventListener | None = None,
        executor: Executor | None = None,
        recorder: EffectRecorder | None = None,
        watchdog: Watchdog | None = None,
        places: Collection[Path] = (),
    ) -> None:
        self.preparer = preparer
        self.launcher = launcher
        self.kickoff = kickoff
        self.completion_checker = completion_checker
        self.merger = merger
        self.teardown = teardown
        self.workspace = workspace
        self.on_event = None if on_event is None else careful(on_event)
        self.executor = executor or ThreadPoolExecutor(SMALLEST_POOL, thread_name_prefix="agentrelay-step")
        self.recorder = recorder
        self.watchdog = watchdog or Watchdog()
        self.places = places
        self._lives: dict[Life, None] = {}
        self.ways: dict[tuple[type, str], Way] = {}

    async def run(self, runtime: TaskRuntime, *, teardown_mode: TearDownMode = TearDownMode.ALWAYS) -> TaskRunResult:
        """Run a task to its end.

        Args:
            runtime: The task, PENDING.
            teardown_mode: When the teardown step runs.

        Returns:
            How it ended; after `detach`, a result whose status is still that of a running task.

        Raises:
            ValueError: The task is not PENDING.
            asyncio.CancelledError: The run was cancelled: the task is FAILED and its agent stopped.
        """
        status = runtime.state.status
        if status != PENDING:
            raise ValueError(f"a task must be PENDING to be run; {runtime.task.id!r} is {TaskStatus(status).name}")
        life = Life(self, runtime, self.watchdog.watch())
        self._lives[life] = None
        failure_class: IntegrationFailureClass | None = None
        cancelled: asyncio.CancelledError | None = None
        try:
            runtime.state.transition(RUNNING)
            failure_class = await life.live()
        except Detached:
            return TaskRunResult.from_runtime(runtime)
        except asyncio.CancelledError as exc:
            cancelled = exc
            _fail(runtime, "CancelledError: cancelled", exc)
        except Exception as raised:
            failure = no_room(raised, self.places) or raised
            blame = "" if life.calling is None else culprit(failure, *life.calling, runtime)
            _fail(runtime, f"{type(failure).__name__}: {_text(failure)}{blame}", failure)
            failure_class = classify(failure)
        finally:
            self._lives.pop(life, None)
            if life.detached or cancelled is not None:
                self.watchdog.forget(life.wait)

        if cancelled is not None:
            await _shielded(self._stop(life, teardown_mode))
            raise cancelled
        result = TaskRunResult.from_runtime(runtime, failure_class)  # teardown changes no outcome
        try:
            if self.recorder is not None:
                await self.recorder.ended(runtime, result)
            failpoint("merge", "outcome")
        except Detached:
            self.watchdog.forget(life.wait)
            return result
        except asyncio.CancelledError:
            await _shielded(life.end(teardown_mode, stop_agent=True))
            self.watchdog.forget(life.wait)
            raise
        await self._end(life, teardown_mode)
        return result

    async def _stop(self, life: Life, teardown_mode: TearDownMode) -> None:
        """Note the end of a task that was cancelled, and stop its agent; the latter even if the former fails."""
        try:
            if self.recorder is not None:
                await self.recorder.ended(life.runtime, TaskRunResult.from_runtime(life.runtime))
        except Detached:
            return
        await life.end(teardown_mode, stop_agent=True)

    async def is_merged(self, runtime: TaskRuntime) -> bool:
        """Ask a resumed task's merger alone whether its merge has happened, for what was torn down since.

        Args:
            runtime: The task, resumed, with its branches' names on the state.
        """
        life = Life(self, runtime, self.watchdog.watch())
        try:
            return await life.is_merged()
        except Throttled as limit:
            return bool(await after_limit(life, limit, life.is_merged))
        finally:
            self.watchdog.forget(life.wait)

    async def finish(self, runtime: TaskRuntime, *, teardown_mode: TearDownMode = TearDownMode.ALWAYS) -> None:
        """Tear down a task whose attempt ended in an earlier session that was killed before it came to that.

        Args:
            runtime: The task, resumed, with the status that its attempt ended with.
            teardown_mode: When the teardown step runs.
        """
        life = Life(self, runtime, self.watchdog.watch())
        try:
            await life.find_again()
        except Exception as exc:
            runtime.artifacts.concerns.append(f"teardown_failed: {exc}")
        await self._end(life, teardown_mode)

    async def _end(self, life: Life, teardown_mode: TearDownMode) -> None:
        try:
            await life.end(teardown_mode)
        except asyncio.CancelledError:
            await _shielded(life.end(teardown_mode, stop_agent=True))
            raise
        finally:
            self.watchdog.forget(life.wait)
            life.runtime.reporter = None  # else the two would keep each other until the garbage collector comes

    def way_to_call(self, step: object, method: str) -> Way:
        """Find out, once per class, how a step's method is called; a step that cannot be called is refused.

        Args:
            step: The step.
            method: Its method.

        Raises:
            StepSignatureError: It cannot be called as it would be.
        """
        kind = type(step)
        way = self.ways.get((kind, method))
        if way is None:
            check_step(step, method)
            effect = EFFECT_OF.get(method)
            reconciles = getattr(kind, "reconcile", None) is not None
            way = Way(is_async(step, method), reconciles, effect, effect in DURABLE, may_wait(step, method))
            if hasattr(kind, method):
                self.ways[kind, method] = way
        return way

    def detach(self) -> None:
        """Leave the agents of all tasks under way to go on: their waits end, without teardown.

        A task in a short step finishes that step first.
        """
        for life in list(self._lives):
            life.detached = True
            if life.wait.detachable:
                life.wait.interrupt(Interruption.DETACHED)


def _fail(runtime: TaskRuntime, error: str, exc: BaseException) -> None:
    if runtime.state.status in DONE:
        return
    runtime.state.transition(FAILED)
    runtime.state.error = without_secrets(runtime, error)
    runtime.failure = exc


def _text(exc: Exception) -> str:
    # KeyError shows the repr of a plain message.
    if type(exc) is KeyError and len(exc.args) == 1:
        return str(exc.args[0])
    return str(exc)


async def _shielded(work: Coroutine[Any, Any, None]) -> None:
    """Finish `work` even if the awaiting task is cancelled again; its own deadline bounds it."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                return
