"""One task's life: the six step protocols, the tables that choose their implementations, and the standard runner."""

from typing import TYPE_CHECKING, Any

from agentrelay_core.spec import TearDownMode
from agentrelay_core.task_runner.completion import TaskCompletionSignal
from agentrelay_core.task_runner.dispatch import ANY, NoImplementationError, StepDispatch
from agentrelay_core.task_runner.protocols import (
    TaskCompletionChecker,
    TaskKickoff,
    TaskLauncher,
    TaskMerger,
    TaskPreparer,
    TaskRunner,
    TaskTeardown,
)
from agentrelay_core.task_runner.result import TaskRunResult
from agentrelay_core.task_runner.workspace import Evidence, Workspace

if TYPE_CHECKING:
    from agentrelay_core.task_runner.runner import StandardTaskRunner as StandardTaskRunner

__all__ = [
    "ANY",
    "Evidence",
    "NoImplementationError",
    "StandardTaskRunner",
    "StepDispatch",
    "TaskCompletionChecker",
    "TaskCompletionSignal",
    "TaskKickoff",
    "TaskLauncher",
    "TaskMerger",
    "TaskPreparer",
    "TaskRunResult",
    "TaskRunner",
    "TaskTeardown",
    "TearDownMode",
    "Workspace",
]


def __getattr__(name: str) -> Any:
    if name != "StandardTaskRunner":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # The runner needs asyncio; those who only declare steps, as plugins do, need not wait for its import.
    from agentrelay_core.task_runner.runner import StandardTaskRunner

    globals()[name] = StandardTaskRunner
    return StandardTaskRunner
