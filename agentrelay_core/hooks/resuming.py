"""What installed steps and hosts cannot do when a run goes on after a crash, for ``plugins doctor``.

Whether a step can reconcile is a matter of its class, which only its factory knows. So each is made once, for a task
that nobody runs; one that cannot be made like that is not judged.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentrelay_core.hooks.contexts import RunInfo, StepContext
from agentrelay_core.hooks.pins import provider_key
from agentrelay_core.hooks.records import EnvironmentType
from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.spec import AgentConfig, Task
from agentrelay_core.task_runner import ANY

if TYPE_CHECKING:
    from agentrelay_core.hooks.catalog import Catalog

# Waiting again and tearing down again change nothing; of these steps one wants to know.
_STEPS: Mapping[str, str] = {
    "task_preparer": "is prepared again",
    "task_launcher": "starts its agent again",
    "task_kickoff": "tells its agent again to begin",
    "task_merger": "is merged again",
}


def limits(catalog: "Catalog") -> Iterator[tuple[str, str]]:
    """What is not found again after a crash, because a step or a host cannot look for it.

    Args:
        catalog: The plugins.

    Yields:
        Who it is, by plugin and key, and what that means, in a sentence.
    """
    for key, offers in catalog.offers.items():
        kind = key.partition(":")[0]
        for offer in offers:
            subject = f"{offer.plugin.title} ({key})"
            if kind == "environment":
                yield from ((subject, text) for text in _of_host(offer.record))
            elif kind in _STEPS:
                yield from ((subject, text) for text in _of_step(_STEPS[kind], offer.record))


def _of_step(again: str, provider: Any) -> Iterator[str]:
    step = _made(lambda: provider.factory(_context(provider)))
    if step is not None and not hasattr(step, "reconcile"):
        yield f"{type(step).__name__} has no reconcile: a task that a crash interrupts there {again}."


def _of_host(record: EnvironmentType) -> Iterator[str]:
    host = _made(lambda: record.host(record.cls()))
    if host is None:
        return
    name = type(host).__name__
    if not hasattr(host, "adopt"):
        yield f"{name} has no adopt: its agents are not adopted after a crash."
    if not hasattr(host, "find"):
        yield f"{name} has no find: an agent that was started right before a crash is not adopted."


def _context(provider: Any) -> StepContext:
    framework, environment = provider_key(provider)
    agent = AgentConfig(framework="command" if framework == ANY else framework, environment=environment())
    run = RunInfo(run_id="doctor", graph_name="doctor", repository=Path(), state_dir=Path())
    return StepContext(runtime=TaskRuntime(Task(id="doctor", primary_agent=agent)), run=run)


def _made(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except Exception:  # whatever a plugin's factory needs a real task for; a run will tell if it is broken
        return None
