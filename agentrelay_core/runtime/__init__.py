"""What is happening: the mutable side of a task, its agent, its errors and the events people see."""

from typing import TYPE_CHECKING

from agentrelay_core.lazy import lazy_names

if TYPE_CHECKING:
    from agentrelay_core.runtime.agent import Agent as Agent
    from agentrelay_core.runtime.agent import AgentAddress as AgentAddress
    from agentrelay_core.runtime.environment import agent_environment as agent_environment
    from agentrelay_core.runtime.errors import AgentFailure as AgentFailure
    from agentrelay_core.runtime.errors import ExpectedTaskFailureError as ExpectedTaskFailureError
    from agentrelay_core.runtime.errors import Fenced as Fenced
    from agentrelay_core.runtime.errors import HeadMoved as HeadMoved
    from agentrelay_core.runtime.errors import IntegrationBoundary as IntegrationBoundary
    from agentrelay_core.runtime.errors import IntegrationError as IntegrationError
    from agentrelay_core.runtime.errors import IntegrationFailureClass as IntegrationFailureClass
    from agentrelay_core.runtime.errors import Internal as Internal
    from agentrelay_core.runtime.errors import InternalIntegrationError as InternalIntegrationError
    from agentrelay_core.runtime.errors import Lost as Lost
    from agentrelay_core.runtime.errors import Parked as Parked
    from agentrelay_core.runtime.errors import ProtocolViolation as ProtocolViolation
    from agentrelay_core.runtime.errors import Throttled as Throttled
    from agentrelay_core.runtime.errors import Transient as Transient
    from agentrelay_core.runtime.errors import UserError as UserError
    from agentrelay_core.runtime.errors import classify_integration_error as classify_integration_error
    from agentrelay_core.runtime.errors import is_internal as is_internal
    from agentrelay_core.runtime.events import Event as Event
    from agentrelay_core.runtime.events import EventListener as EventListener
    from agentrelay_core.runtime.state import TaskArtifacts as TaskArtifacts
    from agentrelay_core.runtime.state import TaskRuntime as TaskRuntime
    from agentrelay_core.runtime.state import TaskState as TaskState
    from agentrelay_core.runtime.status import TaskStatus as TaskStatus

# Imported on first use: who tells of an error, or reads a journal, needs no task's state.
_HOMES = {
    "agentrelay_core.runtime.agent": "Agent AgentAddress",
    "agentrelay_core.runtime.environment": "agent_environment",
    "agentrelay_core.runtime.errors": (
        "AgentFailure ExpectedTaskFailureError Fenced HeadMoved IntegrationBoundary IntegrationError "
        "IntegrationFailureClass Internal InternalIntegrationError Lost Parked ProtocolViolation Throttled Transient "
        "UserError classify_integration_error is_internal"
    ),
    "agentrelay_core.runtime.events": "Event EventListener",
    "agentrelay_core.runtime.state": "TaskArtifacts TaskRuntime TaskState",
    "agentrelay_core.runtime.status": "TaskStatus",
}
__getattr__, __all__ = lazy_names(__name__, _HOMES)
