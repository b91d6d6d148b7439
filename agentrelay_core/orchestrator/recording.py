"""What the run's memory is told of a task: each fact under a name of its own, on the disk before what hangs on it."""

from collections.abc import Awaitable, Callable
from typing import Any

from agentrelay_core.journal import Journal, JournalError, kinds
from agentrelay_core.orchestrator.retries import is_parked, is_retryable
from agentrelay_core.runtime import Event, Fenced, TaskRuntime
from agentrelay_core.runtime.events import task_event
from agentrelay_core.runtime.status import PR_MERGED
from agentrelay_core.task_runner import TaskRunResult
from agentrelay_core.task_runner.step_calls import Detached

# Effects of whose intent the event before it tells, as their order is fixed: that the task is prepared, or its gate
# failed; that its pull request is being merged.
_TOLD = frozenset({"launch", "merge"})


class JournalRecorder:
    """Records effects on the outside world, as an `EffectRecorder` of the runner.

    Args:
        journal: The run's memory.
        emit: Takes events: the journal's and the listeners'.
        abort: Ends the run with an error, agents left to go on.
    """

    def __init__(self, journal: Journal, emit: Callable[[Event], None], abort: Callable[[BaseException], None]) -> None:
        self._journal = journal
        self._emit = emit
        self._abort = abort

    def intend(self, runtime: TaskRuntime, effect: str) -> Awaitable[None]:
        """Give what ends when it is on the disk that an effect may have begun.

        Raises:
            Detached: It cannot be recorded, so the effect must not begin and the task is left as it is.
        """
        if effect not in _TOLD:
            self._emit(task_event(kinds.INTENT, runtime, effect))
        return self._flush()

    def recovered(self, runtime: TaskRuntime, effect: str) -> None:
        """Note that an effect had happened already and was not repeated."""
        self._emit(task_event(kinds.EFFECT_RECOVERED, runtime, effect, {"recovered": True}))

    async def ended(self, runtime: TaskRuntime, result: TaskRunResult) -> None:
        """Note how an attempt ended, before it is torn down.

        Raises:
            Detached: It cannot be recorded, so nothing is torn down.
        """
        data = {**finish_data(runtime, result), "retryable": is_retryable(runtime)}
        self._emit(task_event(kinds.TASK_ENDED, runtime, result.error or "", data))
        if result.status != PR_MERGED:  # a merge is found in the repository; another end is nowhere else
            await self._flush()

    async def _flush(self) -> None:
        try:
            await self._journal.flush()
        except (JournalError, Fenced) as error:
            self._abort(error)
            raise Detached from error


def finish_data(runtime: TaskRuntime, result: TaskRunResult) -> dict[str, Any]:
    """What the records of an attempt's end carry."""
    return {
        "status": str(result.status),
        "pr_url": result.pr_url,
        "error": result.error,
        "failure_class": None if result.failure_class is None else result.failure_class.value,
        "parked": is_parked(runtime.failure),
        **({"agent_done": True} if runtime.artifacts.work_kept and is_parked(runtime.failure) else {}),
        "concerns": list(runtime.artifacts.concerns),
    }
