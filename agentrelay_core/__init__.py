"""agentrelay: relays coding work across agents; a graph of tasks becomes merged branches.

Every public name can be imported from here. Names are resolved on first use (PEP 562), so that importing the package
costs next to nothing.
"""

from typing import TYPE_CHECKING

from agentrelay_core.lazy import lazy_names

# For type checkers; a test says that both lists are the same.
if TYPE_CHECKING:
    from agentrelay_core.graph import (
        load_graph as load_graph,
    )
    from agentrelay_core.hooks import (
        AgentCommand as AgentCommand,
    )
    from agentrelay_core.hooks import (
        Catalog as Catalog,
    )
    from agentrelay_core.hooks import (
        EnvironmentHost as EnvironmentHost,
    )
    from agentrelay_core.hooks import (
        EnvironmentType as EnvironmentType,
    )
    from agentrelay_core.hooks import (
        Forge as Forge,
    )
    from agentrelay_core.hooks import (
        ForgeProvider as ForgeProvider,
    )
    from agentrelay_core.hooks import (
        Framework as Framework,
    )
    from agentrelay_core.hooks import (
        FrameworkType as FrameworkType,
    )
    from agentrelay_core.hooks import (
        Liveness as Liveness,
    )
    from agentrelay_core.hooks import (
        Progress as Progress,
    )
    from agentrelay_core.hooks import (
        Provider as Provider,
    )
    from agentrelay_core.hooks import (
        PullRequest as PullRequest,
    )
    from agentrelay_core.hooks import (
        RunInfo as RunInfo,
    )
    from agentrelay_core.hooks import (
        StepContext as StepContext,
    )
    from agentrelay_core.hooks import (
        WorkspaceProvider as WorkspaceProvider,
    )
    from agentrelay_core.hooks import (
        hookimpl as hookimpl,
    )
    from agentrelay_core.orchestrator import (
        Orchestrator as Orchestrator,
    )
    from agentrelay_core.orchestrator import (
        RunResult as RunResult,
    )
    from agentrelay_core.orchestrator import (
        run_graph as run_graph,
    )
    from agentrelay_core.runtime import (
        Agent as Agent,
    )
    from agentrelay_core.runtime import (
        AgentAddress as AgentAddress,
    )
    from agentrelay_core.runtime import (
        AgentFailure as AgentFailure,
    )
    from agentrelay_core.runtime import (
        Event as Event,
    )
    from agentrelay_core.runtime import (
        ExpectedTaskFailureError as ExpectedTaskFailureError,
    )
    from agentrelay_core.runtime import (
        Fenced as Fenced,
    )
    from agentrelay_core.runtime import (
        HeadMoved as HeadMoved,
    )
    from agentrelay_core.runtime import (
        IntegrationBoundary as IntegrationBoundary,
    )
    from agentrelay_core.runtime import (
        IntegrationError as IntegrationError,
    )
    from agentrelay_core.runtime import (
        IntegrationFailureClass as IntegrationFailureClass,
    )
    from agentrelay_core.runtime import (
        Internal as Internal,
    )
    from agentrelay_core.runtime import (
        InternalIntegrationError as InternalIntegrationError,
    )
    from agentrelay_core.runtime import (
        Lost as Lost,
    )
    from agentrelay_core.runtime import (
        Parked as Parked,
    )
    from agentrelay_core.runtime import (
        ProtocolViolation as ProtocolViolation,
    )
    from agentrelay_core.runtime import (
        TaskArtifacts as TaskArtifacts,
    )
    from agentrelay_core.runtime import (
        TaskRuntime as TaskRuntime,
    )
    from agentrelay_core.runtime import (
        TaskState as TaskState,
    )
    from agentrelay_core.runtime import (
        TaskStatus as TaskStatus,
    )
    from agentrelay_core.runtime import (
        Throttled as Throttled,
    )
    from agentrelay_core.runtime import (
        Transient as Transient,
    )
    from agentrelay_core.runtime import (
        UserError as UserError,
    )
    from agentrelay_core.runtime import (
        agent_environment as agent_environment,
    )
    from agentrelay_core.runtime import (
        classify_integration_error as classify_integration_error,
    )
    from agentrelay_core.signals import (
        SignalCompletionChecker as SignalCompletionChecker,
    )
    from agentrelay_core.spec import (
        AdrVerbosity as AdrVerbosity,
    )
    from agentrelay_core.spec import (
        AgentConfig as AgentConfig,
    )
    from agentrelay_core.spec import (
        AgentEnvironment as AgentEnvironment,
    )
    from agentrelay_core.spec import (
        AgentRole as AgentRole,
    )
    from agentrelay_core.spec import (
        Deadlines as Deadlines,
    )
    from agentrelay_core.spec import (
        InputFrom as InputFrom,
    )
    from agentrelay_core.spec import (
        RetryPolicy as RetryPolicy,
    )
    from agentrelay_core.spec import (
        ReviewConfig as ReviewConfig,
    )
    from agentrelay_core.spec import (
        RunSettings as RunSettings,
    )
    from agentrelay_core.spec import (
        TaggedPath as TaggedPath,
    )
    from agentrelay_core.spec import (
        Task as Task,
    )
    from agentrelay_core.spec import (
        TaskGraph as TaskGraph,
    )
    from agentrelay_core.spec import (
        WorkstreamSpec as WorkstreamSpec,
    )
    from agentrelay_core.task_runner import (
        ANY as ANY,
    )
    from agentrelay_core.task_runner import (
        Evidence as Evidence,
    )
    from agentrelay_core.task_runner import (
        NoImplementationError as NoImplementationError,
    )
    from agentrelay_core.task_runner import (
        StandardTaskRunner as StandardTaskRunner,
    )
    from agentrelay_core.task_runner import (
        StepDispatch as StepDispatch,
    )
    from agentrelay_core.task_runner import (
        TaskCompletionChecker as TaskCompletionChecker,
    )
    from agentrelay_core.task_runner import (
        TaskCompletionSignal as TaskCompletionSignal,
    )
    from agentrelay_core.task_runner import (
        TaskKickoff as TaskKickoff,
    )
    from agentrelay_core.task_runner import (
        TaskLauncher as TaskLauncher,
    )
    from agentrelay_core.task_runner import (
        TaskMerger as TaskMerger,
    )
    from agentrelay_core.task_runner import (
        TaskPreparer as TaskPreparer,
    )
    from agentrelay_core.task_runner import (
        TaskRunner as TaskRunner,
    )
    from agentrelay_core.task_runner import (
        TaskRunResult as TaskRunResult,
    )
    from agentrelay_core.task_runner import (
        TaskTeardown as TaskTeardown,
    )
    from agentrelay_core.task_runner import (
        TearDownMode as TearDownMode,
    )
    from agentrelay_core.task_runner import (
        Workspace as Workspace,
    )

# Public names by the room that exports them.
_ROOMS = {
    "agentrelay_core.spec": (
        "AdrVerbosity AgentConfig AgentEnvironment AgentRole Deadlines InputFrom RetryPolicy ReviewConfig RunSettings "
        "TaggedPath Task TaskGraph WorkstreamSpec"
    ),
    "agentrelay_core.runtime": (
        "Agent AgentAddress AgentFailure Event ExpectedTaskFailureError Fenced HeadMoved IntegrationBoundary "
        "IntegrationError IntegrationFailureClass Internal InternalIntegrationError Lost Parked ProtocolViolation "
        "TaskArtifacts TaskRuntime TaskState TaskStatus Throttled Transient UserError agent_environment "
        "classify_integration_error"
    ),
    "agentrelay_core.task_runner": (
        "ANY Evidence NoImplementationError StandardTaskRunner StepDispatch TaskCompletionChecker "
        "TaskCompletionSignal TaskKickoff TaskLauncher TaskMerger TaskPreparer TaskRunResult TaskRunner TaskTeardown "
        "TearDownMode Workspace"
    ),
    "agentrelay_core.hooks": (
        "AgentCommand Catalog EnvironmentHost EnvironmentType Forge ForgeProvider Framework FrameworkType Liveness "
        "Progress Provider PullRequest RunInfo StepContext WorkspaceProvider hookimpl"
    ),
    "agentrelay_core.signals": "SignalCompletionChecker",
    "agentrelay_core.graph": "load_graph",
    "agentrelay_core.orchestrator": "Orchestrator RunResult run_graph",
}
__getattr__, __all__ = lazy_names(__name__, _ROOMS)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
