"""One task's life: the six step protocols, the tables that choose their implementations, and the standard runner."""

from typing import TYPE_CHECKING

from agentrelay_core.lazy import lazy_names

if TYPE_CHECKING:
    from agentrelay_core.spec.settings import TearDownMode as TearDownMode
    from agentrelay_core.task_runner.completion import TaskCompletionSignal as TaskCompletionSignal
    from agentrelay_core.task_runner.dispatch import ANY as ANY
    from agentrelay_core.task_runner.dispatch import NoImplementationError as NoImplementationError
    from agentrelay_core.task_runner.dispatch import StepDispatch as StepDispatch
    from agentrelay_core.task_runner.protocols import TaskCompletionChecker as TaskCompletionChecker
    from agentrelay_core.task_runner.protocols import TaskKickoff as TaskKickoff
    from agentrelay_core.task_runner.protocols import TaskLauncher as TaskLauncher
    from agentrelay_core.task_runner.protocols import TaskMerger as TaskMerger
    from agentrelay_core.task_runner.protocols import TaskPreparer as TaskPreparer
    from agentrelay_core.task_runner.protocols import TaskRunner as TaskRunner
    from agentrelay_core.task_runner.protocols import TaskTeardown as TaskTeardown
    from agentrelay_core.task_runner.result import TaskRunResult as TaskRunResult
    from agentrelay_core.task_runner.runner import StandardTaskRunner as StandardTaskRunner
    from agentrelay_core.task_runner.waiting import waits_for_others as waits_for_others
    from agentrelay_core.task_runner.workspace import Evidence as Evidence
    from agentrelay_core.task_runner.workspace import Workspace as Workspace

# Imported on first use: those who only declare steps, as plugins do, need neither the runner nor what steps exchange.
_HOMES = {
    "agentrelay_core.spec.settings": "TearDownMode",
    "agentrelay_core.task_runner.completion": "TaskCompletionSignal",
    "agentrelay_core.task_runner.dispatch": "ANY NoImplementationError StepDispatch",
    "agentrelay_core.task_runner.protocols": (
        "TaskCompletionChecker TaskKickoff TaskLauncher TaskMerger TaskPreparer TaskRunner TaskTeardown"
    ),
    "agentrelay_core.task_runner.result": "TaskRunResult",
    "agentrelay_core.task_runner.runner": "StandardTaskRunner",
    "agentrelay_core.task_runner.waiting": "waits_for_others",
    "agentrelay_core.task_runner.workspace": "Evidence Workspace",
}
__getattr__, __all__ = lazy_names(__name__, _HOMES)
