"""From a graph to merged branches: planning, scheduling, retries, workstreams, cancellation; the embedding API."""

from typing import TYPE_CHECKING

from agentrelay_core.lazy import lazy_names

if TYPE_CHECKING:
    from agentrelay_core.orchestrator.orchestrator import Orchestrator as Orchestrator
    from agentrelay_core.orchestrator.orchestrator import run_graph as run_graph
    from agentrelay_core.orchestrator.ownership import RunIsOwned as RunIsOwned
    from agentrelay_core.orchestrator.plan import Action as Action
    from agentrelay_core.orchestrator.plan import Plan as Plan
    from agentrelay_core.orchestrator.plan import PlannedTask as PlannedTask
    from agentrelay_core.orchestrator.plan import make_plan as make_plan
    from agentrelay_core.orchestrator.preflight import EnvironmentNotReady as EnvironmentNotReady
    from agentrelay_core.orchestrator.preflight import InvalidGraph as InvalidGraph
    from agentrelay_core.orchestrator.results import RunOutcome as RunOutcome
    from agentrelay_core.orchestrator.results import RunResult as RunResult
    from agentrelay_core.orchestrator.results import WorkstreamResult as WorkstreamResult

# Names by the module that has them, imported on first use: a command that needs one module should not load them all.
_HOMES = {
    "agentrelay_core.orchestrator.orchestrator": "Orchestrator run_graph",
    "agentrelay_core.orchestrator.ownership": "RunIsOwned",
    "agentrelay_core.orchestrator.plan": "Action Plan PlannedTask make_plan",
    "agentrelay_core.orchestrator.preflight": "EnvironmentNotReady InvalidGraph",
    "agentrelay_core.orchestrator.results": "RunOutcome RunResult WorkstreamResult",
}
__getattr__, __all__ = lazy_names(__name__, _HOMES)
