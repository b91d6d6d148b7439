"""From a graph to merged branches: planning, scheduling, retries, workstreams, cancellation; the embedding API."""

from agentrelay_core.orchestrator.orchestrator import Orchestrator, run_graph
from agentrelay_core.orchestrator.ownership import RunIsOwned
from agentrelay_core.orchestrator.plan import Action, Plan, PlannedTask, make_plan
from agentrelay_core.orchestrator.preflight import EnvironmentNotReady, InvalidGraph
from agentrelay_core.orchestrator.results import RunOutcome, RunResult, WorkstreamResult

__all__ = [
    "Action",
    "EnvironmentNotReady",
    "InvalidGraph",
    "Orchestrator",
    "Plan",
    "PlannedTask",
    "RunIsOwned",
    "RunOutcome",
    "RunResult",
    "WorkstreamResult",
    "make_plan",
    "run_graph",
]
