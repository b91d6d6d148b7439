"""What the user asked for: frozen, hashable data that running never changes."""

from agentrelay_core.spec.agents import AdrVerbosity, AgentConfig, AgentEnvironment, AgentRole, UnknownEnvironment
from agentrelay_core.spec.frozen import FrozenMapping, freeze, thaw
from agentrelay_core.spec.graph import DEFAULT_WORKSTREAM, TaskGraph, WorkstreamSpec
from agentrelay_core.spec.limits import Deadlines, RetryPolicy
from agentrelay_core.spec.settings import RunSettings, TearDownMode
from agentrelay_core.spec.tasks import InputFrom, ReviewConfig, TaggedPath, Task

__all__ = [
    "DEFAULT_WORKSTREAM",
    "AdrVerbosity",
    "AgentConfig",
    "AgentEnvironment",
    "AgentRole",
    "Deadlines",
    "FrozenMapping",
    "InputFrom",
    "RetryPolicy",
    "ReviewConfig",
    "RunSettings",
    "TaggedPath",
    "Task",
    "TaskGraph",
    "TearDownMode",
    "UnknownEnvironment",
    "WorkstreamSpec",
    "freeze",
    "thaw",
]
