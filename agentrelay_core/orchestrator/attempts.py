"""One task's attempts: each runs in its lane, a failure may be tried again, an end is recorded before it counts."""

import asyncio
import contextlib
import math
import random
import time
from collections.abc import Callable

from agentrelay_core.failpoints import failpoint
from agentrelay_core.journal import TaskRecord, kinds
from agentrelay_core.orchestrator.lanes import Lanes
from agentrelay_core.orchestrator.recording import finish_data
from agentrelay_core.orchestrator.retries import attempts_allowed, is_retryable, retry_pause
from agentrelay_core.runtime import (
    Event,
    TaskArtifacts,
    TaskRuntime,
    TaskState,
    Throttled,
    classify_integration_error,
)
from agentrelay_core.runtime.events import task_event
from agentrelay_core.runtime.no_room import no_room
from agentrelay_core.runtime.secrets import without_secrets
from agentrelay_core.runtime.status import ENDED, FAILED, PENDING, PR_MERGED, RUNNING
from agentrelay_core.spec import RunSettings
from agentrelay_core.task_runner import StandardTaskRunner, TaskRunResult


class Attempts:
    """Takes tasks through their attempts.

    Args:
        settings: The effective settings.
        runner: Takes a task through one attempt.
        emit: Takes events.
        lanes: The run's workstreams, `None` without a repository.
        chance: Where the jitter of pauses comes from.
    """

    def __init__(
        self,
        settings: RunSettings,
        runner: StandardTaskRunner,
        emit: Callable[[Event], None],
        lanes: Lanes | None,
        chance: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._runner = runner
        self._emit = emit
        self._lanes = lanes
        self._random = chance or random.Random()
        self._leaving = asyncio.Event()

    def detach(self) -> None:
        """Begin no further attempt: pauses before a retry end, and what has not reached its runner is left."""
        self._leaving.set()

    async def run(self, runtime: TaskRuntime, *, first: int = 0, record: TaskRecord | None = None) -> TaskRunResult:
        """Take a task to its end, over as many attempts as it may have.

        Args:
            runtime: The task, PENDING.
            first: Number of the next attempt; those before belong to earlier sessions of the run.
            record: What the journal knows of an attempt that an earlier session began and did not finish; that attempt
                goes on, and the failures before it count.

        Returns:
            How its last attempt ended; a task that was cancelled has failed.

        Raises:
            JournalError: The end could not be recorded.
        """
        task = runtime.task
        runtime.state.attempt_num = first
        series = first if record is None else record.first_attempt
        allowed = attempts_allowed(task, self._settings)
        try:
            while True:
                if record is None:
                    self._emit(task_event(kinds.TASK_STARTED, runtime))
                    result = await self._attempt(runtime)
                    retryable = is_retryable(runtime)
                else:
                    self._emit(task_event(kinds.TASK_RESUMED, runtime))
                    result, retryable = await self._resume(runtime, record)
                    if runtime.artifacts.ended == "died" and runtime.unwatched:
                        allowed += 1  # the machine's end, not the agent's
                    record = None
                free = isinstance(runtime.failure, Throttled) and runtime.failure.retry_after is not None
                series += free  # a limit that says when it ends costs no attempt
                tried = runtime.state.attempt_num - series + 1
                if runtime.state.status != FAILED or tried >= allowed or not retryable:
                    break
                pause = retry_pause(task.retry, tried - 1, runtime.failure, self._random)
                data = {"delay": round(pause, 3), "error": runtime.state.error, **({"free": True} if free else {})}
                self._emit(task_event(kinds.TASK_RETRYING, runtime, runtime.state.error or "", data))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._leaving.wait()
                if self._leaving.is_set():
                    break
                _renew(runtime)
        except asyncio.CancelledError as exc:
            result = fail(runtime, exc)
        return self._record(runtime, result)

    async def refuse(self, runtime: TaskRuntime) -> TaskRunResult:
        """Let a task fail that was cancelled before its first attempt.

        Args:
            runtime: The task, PENDING.

        Raises:
            JournalError: The end could not be recorded.
        """
        return self._record(runtime, fail(runtime, asyncio.CancelledError()))

    def _record(self, runtime: TaskRuntime, result: TaskRunResult) -> TaskRunResult:
        if runtime.state.status in ENDED:
            data = finish_data(runtime, result)
            self._emit(task_event(kinds.TASK_FINISHED, runtime, result.error or "", data))
            # Not flushed: what hangs on this task has its own intents, which stand behind this end in one record.
            failpoint("teardown", "outcome")
        return result

    async def _attempt(self, runtime: TaskRuntime) -> TaskRunResult:
        if self._lanes is not None:
            try:
                await self._lanes.enter(runtime.task, runtime)
            except Exception as exc:
                return fail(runtime, no_room(exc, self._runner.places) or exc)
        if self._leaving.is_set():
            return TaskRunResult.from_runtime(runtime)
        return await self._runner.run(runtime, teardown_mode=self._settings.teardown_mode)

    async def _resume(self, runtime: TaskRuntime, record: TaskRecord) -> tuple[TaskRunResult, bool]:
        """Go on with an attempt that an earlier session left; how it ended, and whether another one may help."""
        runtime.resumed = True
        # Clocks jump: no time is less than none.
        runtime.seconds_used = max(0.0, time.time() - (record.started_at or math.inf))
        runtime.gates_failed = record.gates_failed
        runtime.turn_due = record.turn_due
        runtime.agent_done = record.parked and (record.agent_done or record.pr_url is not None)
        runtime.artifacts.agent_data = record.agent
        try:
            ended = record.teardown_due or await self._was_merged(runtime, record)
            if ended and self._lanes is not None:
                await self._lanes.enter(runtime.task, runtime, update=False)
        except Exception as exc:  # nobody can tell, so nothing of it is done again; other tasks go on
            return fail(runtime, no_room(exc, self._runner.places) or exc), is_retryable(runtime)
        if not ended:
            result = await self._attempt(runtime)
            return result, is_retryable(runtime)
        state, artifacts = runtime.state, runtime.artifacts
        state.status = record.status if record.teardown_due else PR_MERGED
        state.error = record.error
        artifacts.pr_url, artifacts.concerns = record.pr_url, list(record.concerns)
        await self._runner.finish(runtime, teardown_mode=self._settings.teardown_mode)
        if record.parked:  # a person has acted since, or will be asked again
            runtime.failure = None
            runtime.state = TaskState(attempt_num=state.attempt_num)
            runtime.artifacts = TaskArtifacts(concerns=artifacts.concerns)
            result = await self._attempt(runtime)
            return result, is_retryable(runtime)
        return TaskRunResult.from_runtime(runtime, record.failure_class), record.retryable

    async def _was_merged(self, runtime: TaskRuntime, record: TaskRecord) -> bool:
        """Whether the attempt had come as far as its merge, and that has happened: its branch may be gone since."""
        if record.pr_url is None or record.branch is None or self._lanes is None:
            return False
        await self._lanes.enter(runtime.task, runtime, update=False)
        runtime.state.branch_name = record.branch
        if not await self._runner.is_merged(runtime):
            runtime.state.branch_name = None
            return False
        self._emit(task_event(kinds.EFFECT_RECOVERED, runtime, "merge", {"recovered": True}))
        return True


def fail(runtime: TaskRuntime, failure: BaseException) -> TaskRunResult:
    """Mark a task as failed outside of its runner; one that has ended already stays as it ended."""
    state = runtime.state
    if state.status == PENDING:
        state.transition(RUNNING)
    if state.status not in ENDED:
        state.transition(FAILED)
        cancelled = isinstance(failure, asyncio.CancelledError)
        error = "CancelledError: cancelled" if cancelled else f"{type(failure).__name__}: {failure}"
        state.error = without_secrets(runtime, error)
        runtime.failure = failure
    return TaskRunResult.from_runtime(runtime, classify_integration_error(failure))


def _renew(runtime: TaskRuntime) -> None:
    """Make a failed runtime ready for its next attempt; what it told people stays."""
    state = runtime.state
    state.transition(PENDING)
    runtime.last_error = state.error
    runtime.failure = None
    runtime.resumed = runtime.turn_due = runtime.agent_done = runtime.unwatched = False
    runtime.gates_failed = 0
    runtime.seconds_used = 0.0
    runtime.state = TaskState(attempt_num=state.attempt_num + 1)
    runtime.artifacts = TaskArtifacts(concerns=runtime.artifacts.concerns)
