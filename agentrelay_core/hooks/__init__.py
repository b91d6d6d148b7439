"""What plugins declare: ten hooks, the records they return, how plugins are found, and the catalog made of them."""

from typing import TYPE_CHECKING

from agentrelay_core.lazy import lazy_names

if TYPE_CHECKING:
    from agentrelay_core.hooks.catalog import Catalog as Catalog
    from agentrelay_core.hooks.contexts import AgentCommand as AgentCommand
    from agentrelay_core.hooks.contexts import EnvironmentHost as EnvironmentHost
    from agentrelay_core.hooks.contexts import Forge as Forge
    from agentrelay_core.hooks.contexts import Framework as Framework
    from agentrelay_core.hooks.contexts import Liveness as Liveness
    from agentrelay_core.hooks.contexts import Progress as Progress
    from agentrelay_core.hooks.contexts import PullRequest as PullRequest
    from agentrelay_core.hooks.contexts import RunInfo as RunInfo
    from agentrelay_core.hooks.contexts import StepContext as StepContext
    from agentrelay_core.hooks.markers import hookimpl as hookimpl
    from agentrelay_core.hooks.records import EnvironmentType as EnvironmentType
    from agentrelay_core.hooks.records import ForgeProvider as ForgeProvider
    from agentrelay_core.hooks.records import FrameworkType as FrameworkType
    from agentrelay_core.hooks.records import Provider as Provider
    from agentrelay_core.hooks.records import WorkspaceProvider as WorkspaceProvider

# Imported on first use: a plugin's declarations need the records alone.
_HOMES = {
    "agentrelay_core.hooks.catalog": "Catalog",
    "agentrelay_core.hooks.contexts": (
        "AgentCommand EnvironmentHost Forge Framework Liveness Progress PullRequest RunInfo StepContext"
    ),
    "agentrelay_core.hooks.markers": "hookimpl",
    "agentrelay_core.hooks.records": "EnvironmentType ForgeProvider FrameworkType Provider WorkspaceProvider",
}
__getattr__, __all__ = lazy_names(__name__, _HOMES)
