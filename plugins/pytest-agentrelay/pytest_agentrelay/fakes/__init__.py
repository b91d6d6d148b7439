"""The fakes, as a plugin like any other: framework ``fake`` and environment ``in_process``.

Only records are made here; each factory imports its implementation on first use, so that asking costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agentrelay_core.hooks import EnvironmentType, FrameworkType, hookimpl
from agentrelay_core.lazy import lazy_names
from pytest_agentrelay.fakes.environment import InProcess as InProcess
from pytest_agentrelay.fakes.options import FakeOptions as FakeOptions

if TYPE_CHECKING:
    from agentrelay_core.hooks import EnvironmentHost, Framework
    from agentrelay_core.spec import AgentEnvironment
    from pytest_agentrelay.fakes.agent import FakeAgent as FakeAgent
    from pytest_agentrelay.fakes.all_steps import FakeSteps as FakeSteps
    from pytest_agentrelay.fakes.framework import FakeFramework as FakeFramework
    from pytest_agentrelay.fakes.host import InProcessHost as InProcessHost
    from pytest_agentrelay.fakes.repository import FakeRepository as FakeRepository
    from pytest_agentrelay.fakes.repository import FakeWorkspace as FakeWorkspace
    from pytest_agentrelay.fakes.steps import FakeCompletionChecker as FakeCompletionChecker
    from pytest_agentrelay.fakes.steps import FakeKickoff as FakeKickoff
    from pytest_agentrelay.fakes.steps import FakeLauncher as FakeLauncher
    from pytest_agentrelay.fakes.steps import FakeMerger as FakeMerger
    from pytest_agentrelay.fakes.steps import FakePreparer as FakePreparer
    from pytest_agentrelay.fakes.steps import FakeTeardown as FakeTeardown

_HOMES = {
    "pytest_agentrelay.fakes.all_steps": "FakeSteps",
    "pytest_agentrelay.fakes.agent": "FakeAgent",
    "pytest_agentrelay.fakes.framework": "FakeFramework",
    "pytest_agentrelay.fakes.host": "InProcessHost",
    "pytest_agentrelay.fakes.repository": "FakeRepository FakeWorkspace",
    "pytest_agentrelay.fakes.steps": (
        "FakeCompletionChecker FakeKickoff FakeLauncher FakeMerger FakePreparer FakeTeardown"
    ),
}
__getattr__, _lazy = lazy_names(__name__, _HOMES)
__all__ = ["FakeOptions", "InProcess", *_lazy]


@hookimpl
def agentrelay_environments() -> Iterator[EnvironmentType]:
    """``in_process``: a thread of the orchestrator's own process."""
    yield EnvironmentType(name="in_process", cls=InProcess, host=_host)


@hookimpl
def agentrelay_frameworks() -> Iterator[FrameworkType]:
    """``fake``: an agent that does what its script says."""
    yield FrameworkType(name="fake", cls=_framework, default_environment="in_process", options=FakeOptions)


def _host(environment: AgentEnvironment) -> EnvironmentHost:
    from pytest_agentrelay.fakes.host import InProcessHost

    return InProcessHost()


def _framework() -> Framework:
    from pytest_agentrelay.fakes.framework import FakeFramework

    return FakeFramework()
