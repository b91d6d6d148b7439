"""What the user asked for: frozen, hashable data that running never changes."""

from typing import TYPE_CHECKING

from agentrelay_core.lazy import lazy_names

if TYPE_CHECKING:
    from agentrelay_core.spec.agents import AdrVerbosity as AdrVerbosity
    from agentrelay_core.spec.agents import AgentConfig as AgentConfig
    from agentrelay_core.spec.agents import AgentRole as AgentRole
    from agentrelay_core.spec.agents import UnknownEnvironment as UnknownEnvironment
    from agentrelay_core.spec.environment import AgentEnvironment as AgentEnvironment
    from agentrelay_core.spec.frozen import FrozenMapping as FrozenMapping
    from agentrelay_core.spec.frozen import freeze as freeze
    from agentrelay_core.spec.frozen import thaw as thaw
    from agentrelay_core.spec.graph import DEFAULT_WORKSTREAM as DEFAULT_WORKSTREAM
    from agentrelay_core.spec.graph import TaskGraph as TaskGraph
    from agentrelay_core.spec.graph import WorkstreamSpec as WorkstreamSpec
    from agentrelay_core.spec.limits import Deadlines as Deadlines
    from agentrelay_core.spec.limits import RetryPolicy as RetryPolicy
    from agentrelay_core.spec.settings import RunSettings as RunSettings
    from agentrelay_core.spec.settings import TearDownMode as TearDownMode
    from agentrelay_core.spec.tasks import InputFrom as InputFrom
    from agentrelay_core.spec.tasks import ReviewConfig as ReviewConfig
    from agentrelay_core.spec.tasks import TaggedPath as TaggedPath
    from agentrelay_core.spec.tasks import Task as Task

# Imported on first use: the first thing that any command needs of this room are its suggestions, not its classes.
_HOMES = {
    "agentrelay_core.spec.agents": "AdrVerbosity AgentConfig AgentRole UnknownEnvironment",
    "agentrelay_core.spec.environment": "AgentEnvironment",
    "agentrelay_core.spec.frozen": "FrozenMapping freeze thaw",
    "agentrelay_core.spec.graph": "DEFAULT_WORKSTREAM TaskGraph WorkstreamSpec",
    "agentrelay_core.spec.limits": "Deadlines RetryPolicy",
    "agentrelay_core.spec.settings": "RunSettings TearDownMode",
    "agentrelay_core.spec.tasks": "InputFrom ReviewConfig TaggedPath Task",
}
__getattr__, __all__ = lazy_names(__name__, _HOMES)
