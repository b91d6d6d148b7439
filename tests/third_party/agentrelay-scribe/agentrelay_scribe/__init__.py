"""The framework ``scribe``, and its own launcher in local processes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from agentrelay_core import FrameworkType, Provider, StepContext, hookimpl
from agentrelay_core.builtin.environment import ProcessEnvironment

if TYPE_CHECKING:
    from agentrelay_core import Framework
    from agentrelay_scribe.launcher import ScribeLauncher


@attrs.frozen(kw_only=True)
class ScribeOptions:
    """Keys of an agent with ``framework: scribe``."""

    style: str = "plain"


@hookimpl
def agentrelay_frameworks() -> Iterator[FrameworkType]:
    """A scribe writes who launched it."""
    yield FrameworkType(
        name="scribe", cls=_framework, default_environment="process", options=ScribeOptions, needs=("sh",)
    )


@hookimpl
def agentrelay_task_launcher() -> "Iterator[Provider[ScribeLauncher]]":
    """One step for one exact key; everywhere else the built-in launcher serves."""
    yield Provider(framework="scribe", environment=ProcessEnvironment, factory=_launcher)


def _framework() -> "Framework":
    from agentrelay_scribe.framework import Scribe

    return Scribe()


def _launcher(context: StepContext) -> "ScribeLauncher":
    from agentrelay_scribe.launcher import ScribeLauncher

    return ScribeLauncher(context)
