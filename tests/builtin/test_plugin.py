"""The embedded default as a plugin: what it declares, and what asking it costs."""

import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from agentrelay_core import builtin
from agentrelay_core.builtin.environment import ProcessEnvironment
from agentrelay_core.processes import run_captured
from agentrelay_core.spec import AgentEnvironment
from agentrelay_core.task_runner import ANY
from agentrelay_core.task_runner.signature import check_step


def test_entry_point_is_the_cores_own() -> None:
    """It is found as any plugin is, by an entry point of the group ``agentrelay.v1``."""
    assert [point.value for point in entry_points(group="agentrelay.v1", name="builtin")] == ["agentrelay_core.builtin"]


def test_what_it_declares() -> None:
    """One framework, one environment, and the three steps that are composed of any framework and environment."""
    (environment,) = builtin.agentrelay_environments()
    assert (environment.name, environment.cls) == ("process", ProcessEnvironment)
    (framework,) = builtin.agentrelay_frameworks()
    assert (framework.name, framework.default_environment) == ("command", "process")
    for hook in (
        builtin.agentrelay_task_launcher,
        builtin.agentrelay_task_kickoff,
        builtin.agentrelay_task_completion_checker,
    ):
        (provider,) = hook()
        assert (provider.framework, provider.environment, provider.needs) == (ANY, AgentEnvironment, ())


def test_steps_have_the_signatures_that_are_due(prepared: Callable[..., Any]) -> None:
    """The runner's own check passes for each step."""
    context = prepared("true").context
    for hook, method in (
        (builtin.agentrelay_task_launcher, "launch"),
        (builtin.agentrelay_task_kickoff, "kickoff"),
        (builtin.agentrelay_task_completion_checker, "wait_for_completion"),
    ):
        (provider,) = hook()
        check_step(provider.factory(context), method)


def test_asking_imports_no_implementation() -> None:
    """Its records are had without the modules that do the work."""
    script = (
        "import sys; from agentrelay_core import builtin\n"
        "for name in dir(builtin):\n"
        "    if name.startswith('agentrelay_'): list(getattr(builtin, name)())\n"
        "print(*sorted(module for module in sys.modules if module.startswith('agentrelay_core.builtin.')))"
    )
    printed = run_captured([sys.executable, "-c", script], deadline=30).stdout.decode().split()
    assert printed == ["agentrelay_core.builtin.environment", "agentrelay_core.builtin.options"]
