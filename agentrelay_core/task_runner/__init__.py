"""One task's life: the six step protocols, the tables that choose their implementations, and the standard runner."""

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
from agentrelay_core.task_runner.runner import StandardTaskRunner
from agentrelay_core.task_runner.workspace import Evidence, Workspace

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
