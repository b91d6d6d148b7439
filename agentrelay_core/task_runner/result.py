"""What a task's run came to; a mirror of the runtime, which stays the one source of truth."""

import attrs

from agentrelay_core.runtime import IntegrationFailureClass, TaskRuntime, TaskStatus


@attrs.frozen
class TaskRunResult:
    """The end of one run of a task.

    Args:
        task_id: The task.
        status: Its status at the end.
        pr_url: Its pull request, if it has one.
        error: Why it failed, if it failed.
        failure_class: The coarse class of a step's error; `None` where the agent itself said that it failed.
    """

    task_id: str
    status: TaskStatus
    pr_url: str | None
    error: str | None
    failure_class: IntegrationFailureClass | None = None

    @classmethod
    def from_runtime(
        cls, runtime: TaskRuntime, failure_class: IntegrationFailureClass | None = None
    ) -> "TaskRunResult":
        """Mirror a runtime.

        Args:
            runtime: The task's runtime.
            failure_class: The coarse class of the error that ended it, if a step raised one.
        """
        return cls(runtime.task.id, runtime.state.status, runtime.artifacts.pr_url, runtime.state.error, failure_class)
