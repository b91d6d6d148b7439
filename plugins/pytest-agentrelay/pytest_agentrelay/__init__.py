"""The test kit for authors of agentrelay plugins: fixtures, fakes and compliance classes.

What fixtures give is named here for annotations; each name is imported on first use, because pytest imports this
package in every run.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_agentrelay.agents import AgentMaker as AgentMaker
    from pytest_agentrelay.git import GitRepository as GitRepository
    from pytest_agentrelay.github import EmulatedGitHub as EmulatedGitHub
    from pytest_agentrelay.leaks.check import LeakCheck as LeakCheck
    from pytest_agentrelay.runs import StepsRun as StepsRun
    from pytest_agentrelay.runs import StepsRunner as StepsRunner
    from pytest_agentrelay.runtimes import make_runtime as make_runtime
    from pytest_agentrelay.virtual_loop import StuckError as StuckError
    from pytest_agentrelay.virtual_loop import VirtualLoop as VirtualLoop

_HOMES = {
    "AgentMaker": "agents",
    "EmulatedGitHub": "github",
    "GitRepository": "git",
    "LeakCheck": "leaks.check",
    "StepsRun": "runs",
    "StepsRunner": "runs",
    "StuckError": "virtual_loop",
    "VirtualLoop": "virtual_loop",
    "make_runtime": "runtimes",
}
__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # the core's lazy_names would load the core's package

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
