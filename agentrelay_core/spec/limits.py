"""How long to wait and how often to try: the numbers that a task may set for itself."""

import attrs

from agentrelay_core.spec.frozen import names


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """When a failed task is tried again. The pause before a retry has full jitter.

    Args:
        initial_interval: Longest pause before the first retry, in seconds.
        backoff_coefficient: What that pause is multiplied by for each further retry.
        maximum_interval: Upper bound of the pause, in seconds.
        maximum_attempts: Attempts in all; `None` leaves the run's ``max_task_attempts`` in force.
        non_retryable: Names of error classes that are never retried, for example ``AgentFailure``.
    """

    initial_interval: float = 1.0
    backoff_coefficient: float = 2.0
    maximum_interval: float = 60.0
    maximum_attempts: int | None = None
    non_retryable: tuple[str, ...] = attrs.field(default=(), converter=names)


@attrs.frozen(kw_only=True)
class Deadlines:
    """How long each wait of a task may last, in seconds.

    Args:
        launch: Until the launcher has returned a live agent.
        kickoff: Until the agent has its instructions.
        stall: Time without progress after which people are warned.
        stall_stop: Time without progress after which the agent is stopped; `None` never stops it.
        gate: For one run of the completion gate.
        wall: For one attempt's whole wait.
    """

    launch: float = 60.0
    kickoff: float = 120.0
    stall: float = 900.0
    stall_stop: float | None = None
    gate: float = 600.0
    wall: float = 14_400.0
