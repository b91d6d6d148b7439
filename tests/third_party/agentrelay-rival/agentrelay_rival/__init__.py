"""Another launcher of scribes in local processes: a conflict on purpose."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agentrelay_core import Provider, StepContext, hookimpl
from agentrelay_core.builtin.environment import ProcessEnvironment

if TYPE_CHECKING:
    from agentrelay_scribe.launcher import ScribeLauncher


@hookimpl
def agentrelay_task_launcher() -> "Iterator[Provider[ScribeLauncher]]":
    """The very key of agentrelay-scribe."""
    yield Provider(framework="scribe", environment=ProcessEnvironment, factory=_launcher)


def _launcher(context: StepContext) -> "ScribeLauncher":
    from agentrelay_scribe.launcher import ScribeLauncher

    return ScribeLauncher(context)
