"""What is happening: the mutable side of a task, its agent, its errors and the events people see."""

from agentrelay_core.runtime.agent import Agent, AgentAddress
from agentrelay_core.runtime.environment import agent_environment
from agentrelay_core.runtime.errors import (
    AgentFailure,
    ExpectedTaskFailureError,
    Fenced,
    IntegrationBoundary,
    IntegrationError,
    IntegrationFailureClass,
    Internal,
    InternalIntegrationError,
    Lost,
    Parked,
    ProtocolViolation,
    Throttled,
    Transient,
    UserError,
    classify_integration_error,
)
from agentrelay_core.runtime.events import Event, EventListener
from agentrelay_core.runtime.state import TaskArtifacts, TaskRuntime, TaskState
from agentrelay_core.runtime.status import TaskStatus

__all__ = [
    "Agent",
    "AgentAddress",
    "AgentFailure",
    "Event",
    "EventListener",
    "ExpectedTaskFailureError",
    "Fenced",
    "IntegrationBoundary",
    "IntegrationError",
    "IntegrationFailureClass",
    "Internal",
    "InternalIntegrationError",
    "Lost",
    "Parked",
    "ProtocolViolation",
    "TaskArtifacts",
    "TaskRuntime",
    "TaskState",
    "TaskStatus",
    "Throttled",
    "Transient",
    "UserError",
    "agent_environment",
    "classify_integration_error",
]
