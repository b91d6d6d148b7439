"""What plugins declare: ten hooks, the records they return, how plugins are found, and the catalog made of them."""

from typing import TYPE_CHECKING, Any

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

# What plugins need to declare is imported at once; what is made of it when somebody asks.
if TYPE_CHECKING:
    from agentrelay_core.hooks.catalog import Catalog as Catalog

__all__ = [
    "AgentCommand",
    "Catalog",
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


def __getattr__(name: str) -> Any:
    if name != "Catalog":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from agentrelay_core.hooks.catalog import Catalog

    globals()[name] = Catalog
    return Catalog
