"""What can go wrong where the outside world is touched: one hierarchy, each class with a fixed policy.

The class says what happens next (``truth.md``, ``faults.md``); `IntegrationFailureClass` is the coarse view of it that
a task's result carries.
"""

from enum import StrEnum
from typing import ClassVar


class IntegrationBoundary(StrEnum):
    """Which part of the outside world an error came from."""

    WORKSPACE = "workspace"
    SIGNAL = "signal"
    PULL_REQUEST = "pull_request"
    AGENT_LAUNCH = "agent_launch"


class IntegrationFailureClass(StrEnum):
    """Whether trying again may help."""

    EXPECTED_TASK_FAILURE = "expected_task_failure"
    INTERNAL_ERROR = "internal_error"


class IntegrationError(Exception):
    """Something failed at the boundary to the outside world.

    Args:
        message: What was wrong, in a sentence.
        boundary: Where it was noticed.
        failure_class: Whether a retry may help.

    Attributes:
        internal: Whether it is a fault of ours, of a plugin or of the machine, to which fail-fast reacts.
    """

    internal: ClassVar[bool] = False

    def __init__(self, message: str, *, boundary: IntegrationBoundary, failure_class: IntegrationFailureClass) -> None:
        super().__init__(message)
        self.message = message
        self.boundary = boundary
        self.failure_class = failure_class


class ExpectedTaskFailureError(IntegrationError):
    """A failure that belongs to the work; a retry may help."""

    def __init__(self, message: str, *, boundary: IntegrationBoundary) -> None:
        super().__init__(message, boundary=boundary, failure_class=IntegrationFailureClass.EXPECTED_TASK_FAILURE)


class InternalIntegrationError(IntegrationError):
    """A failure of ours, of a plugin or of the machine; a retry will not help."""

    internal = True

    def __init__(self, message: str, *, boundary: IntegrationBoundary) -> None:
        super().__init__(message, boundary=boundary, failure_class=IntegrationFailureClass.INTERNAL_ERROR)


class _Fault(IntegrationError):
    """Base of the classes below: a fixed failure class and a usual boundary."""

    default_boundary: ClassVar[IntegrationBoundary] = IntegrationBoundary.WORKSPACE
    fixed_class: ClassVar[IntegrationFailureClass] = IntegrationFailureClass.INTERNAL_ERROR

    def __init__(self, message: str, *, boundary: IntegrationBoundary | None = None) -> None:
        super().__init__(message, boundary=boundary or self.default_boundary, failure_class=self.fixed_class)


class UserError(_Fault):
    """The input is wrong; nothing was started (exit 2 or 3)."""


class Transient(_Fault):
    """Likely to pass when tried again soon."""

    fixed_class = IntegrationFailureClass.EXPECTED_TASK_FAILURE


class Throttled(_Fault):
    """A limit was reached; to be tried again when told.

    Args:
        message: What was limited.
        retry_after: Seconds until the limit ends, where known.
        boundary: Where it was noticed.
    """

    default_boundary = IntegrationBoundary.PULL_REQUEST
    fixed_class = IntegrationFailureClass.EXPECTED_TASK_FAILURE

    def __init__(
        self, message: str, *, retry_after: float | None = None, boundary: IntegrationBoundary | None = None
    ) -> None:
        super().__init__(message, boundary=boundary)
        self.retry_after = retry_after


class Parked(_Fault):
    """Needs a person; other tasks go on (exit 4 when only parked work is left)."""


class HeadMoved(Parked):
    """What would be merged is not what was verified: it is verified again, and after a few times a person is asked."""


class AgentFailure(_Fault):
    """The agent, or its work, failed; the next attempt may succeed."""

    default_boundary = IntegrationBoundary.AGENT_LAUNCH
    fixed_class = IntegrationFailureClass.EXPECTED_TASK_FAILURE


class ProtocolViolation(_Fault):
    """The agent broke the file protocol; the attempt is set aside and not retried automatically."""

    default_boundary = IntegrationBoundary.SIGNAL


class Lost(_Fault):
    """The state of something outside is unknown; never treated as dead."""

    default_boundary = IntegrationBoundary.AGENT_LAUNCH


class Fenced(_Fault):
    """Another process owns the run now; stop at once and clean up nothing (exit 75)."""


class Internal(_Fault):
    """A fault of ours or of a plugin; this task or the run stops and its state is kept (exit 70)."""

    internal = True


def is_internal(failure: BaseException | None) -> bool:
    """Whether a failure is ours, a plugin's or the machine's: what fail-fast reacts to, and exit code 70."""
    # What is no Exception, as a cancellation, is nobody's fault.
    return isinstance(failure, Exception) and (not isinstance(failure, IntegrationError) or failure.internal)


def classify_integration_error(exc: BaseException) -> IntegrationFailureClass:
    """The coarse failure class of any exception; what is no `IntegrationError` is ``INTERNAL_ERROR``."""
    if isinstance(exc, IntegrationError):
        return exc.failure_class
    return IntegrationFailureClass.INTERNAL_ERROR
