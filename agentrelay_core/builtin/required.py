"""What a step needs before it can begin, and the error that names what is missing."""

from pathlib import Path
from typing import Literal

from agentrelay_core.hooks import EnvironmentHost, Framework, StepContext
from agentrelay_core.runtime import AgentAddress, IntegrationBoundary, TaskRuntime, UserError


def required_path(runtime: TaskRuntime, field: Literal["worktree_path", "signal_dir"]) -> Path:
    """A path that the preparer sets on the task's state.

    Raises:
        ValueError: It is not set; the text names the field.
    """
    path: Path | None = getattr(runtime.state, field)
    if path is None:
        raise ValueError(f"{field} of task {runtime.task.id!r} is not set; the task must be prepared first")
    return path


def required_address(runtime: TaskRuntime) -> AgentAddress:
    """The address that the launcher's agent has.

    Raises:
        ValueError: It is not set; the text names the field.
    """
    address = runtime.artifacts.agent_address
    if address is None:
        raise ValueError(f"agent_address of task {runtime.task.id!r} is not set; its agent must be launched first")
    return address


def framework_of(context: StepContext) -> Framework:
    """The framework of the task's agent.

    Raises:
        UserError: No installed plugin declares it.
    """
    if context.framework is None:
        raise _undeclared("framework", context.runtime.task.primary_agent.framework)
    return context.framework.cls()


def host_of(context: StepContext) -> EnvironmentHost:
    """The host of the task's environment.

    Raises:
        UserError: No installed plugin declares it.
    """
    environment = context.runtime.task.primary_agent.environment
    if context.environment is None:
        raise _undeclared("environment", type(environment).__name__)
    return context.environment.host(environment)


def _undeclared(kind: str, name: str) -> UserError:
    return UserError(
        f"no installed plugin declares the {kind} {name!r}; install one that does, then see `agentrelay plugins list`",
        boundary=IntegrationBoundary.AGENT_LAUNCH,
    )
