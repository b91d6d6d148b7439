"""What plugins declare: ten hooks, the records they return, how plugins are found, and the catalog made of them."""

from agentrelay_core.hooks.records import (
    AgentCommand,
    EnvironmentHost,
    EnvironmentType,
    Forge,
    ForgeProvider,
    Framework,
    FrameworkType,
    Liveness,
    Progress,
    Provider,
    PullRequest,
    RunInfo,
    StepContext,
    WorkspaceProvider,
)
from agentrelay_core.hooks.specs import hookimpl

__all__ = [
    "AgentCommand",
    "EnvironmentHost",
    "EnvironmentType",
    "Forge",
    "ForgeProvider",
    "Framework",
    "FrameworkType",
    "Liveness",
    "Progress",
    "Provider",
    "PullRequest",
    "RunInfo",
    "StepContext",
    "WorkspaceProvider",
    "hookimpl",
]
