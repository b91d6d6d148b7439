"""Whether, and after how long, a failed task is tried again: the policy of the error's own class (faults.md)."""

import random

from agentrelay_core.runtime import (
    AgentFailure,
    IntegrationError,
    IntegrationFailureClass,
    Parked,
    TaskRuntime,
    Throttled,
)
from agentrelay_core.spec import RetryPolicy, RunSettings, Task


def attempts_allowed(task: Task, settings: RunSettings) -> int:
    """How many attempts a task has in all."""
    retry = task.retry
    if retry is not None and retry.maximum_attempts is not None:
        return retry.maximum_attempts
    return settings.max_task_attempts


def is_retryable(runtime: TaskRuntime) -> bool:
    """Whether the way a task failed leaves room for another attempt.

    An agent's own "failed", and a gate that failed, do; so do the classes ``AgentFailure``, ``Transient`` and
    ``Throttled``, unless the task's policy names them ``non_retryable``.
    """
    failure = runtime.failure
    retry = runtime.task.retry
    if failure is None:
        return retry is None or AgentFailure.__name__ not in retry.non_retryable
    if not isinstance(failure, IntegrationError):
        return False
    if retry is not None and type(failure).__name__ in retry.non_retryable:
        return False
    return failure.failure_class is IntegrationFailureClass.EXPECTED_TASK_FAILURE


def is_parked(failure: BaseException | None) -> bool:
    """Whether a failure waits for a person."""
    return isinstance(failure, Parked)


def retry_pause(policy: RetryPolicy | None, retry: int, failure: BaseException | None, random_: random.Random) -> float:
    """How long to wait before a retry, with full jitter.

    Args:
        policy: The task's policy, or `None` for the default one.
        retry: Which retry it is, from 0.
        failure: What ended the last attempt; a limit says itself when it ends.
        random_: Source of the jitter.

    Returns:
        Seconds.
    """
    if isinstance(failure, Throttled) and failure.retry_after is not None:
        return failure.retry_after
    policy = policy or RetryPolicy()
    longest = min(policy.maximum_interval, policy.initial_interval * policy.backoff_coefficient**retry)
    return random_.uniform(0, longest)
