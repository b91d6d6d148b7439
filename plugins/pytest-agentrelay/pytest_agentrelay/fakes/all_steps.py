"""The six steps together: fakes, but for those that are given; for the runner, or as a plugin for whole graphs."""

from collections.abc import Iterator
from typing import Any, Final

from agentrelay_core.hooks import Provider, RunInfo, WorkspaceProvider, hookimpl
from pytest_agentrelay.fakes.completion import FakeCompletionChecker
from pytest_agentrelay.fakes.options import DRY_RUN
from pytest_agentrelay.fakes.repository import FakeRepository, FakeWorkspace
from pytest_agentrelay.fakes.script import Script
from pytest_agentrelay.fakes.steps import FakeKickoff, FakeLauncher, FakeMerger, FakePreparer, FakeTeardown

STEPS: Final = ("preparer", "launcher", "kickoff", "completion_checker", "merger", "teardown")


def all_steps(repository: FakeRepository, script: Script, given: dict[str, Any]) -> dict[str, Any]:
    """One object for each step.

    Args:
        repository: What the fakes share.
        script: What the fake agent does.
        given: The steps that are no fakes, by name.

    Raises:
        TypeError: There is no such step.
    """
    unknown = sorted(set(given) - set(STEPS))
    if unknown:
        raise TypeError(f"there is no step {unknown[0]!r}; the steps are {', '.join(STEPS)}")
    fakes = {
        "preparer": FakePreparer(repository),
        "launcher": FakeLauncher(script),
        "kickoff": FakeKickoff(),
        "completion_checker": FakeCompletionChecker(),
        "merger": FakeMerger(repository),
        "teardown": FakeTeardown(),
    }
    return {**fakes, **given}


class FakeSteps:
    """A plugin that provides every step for every agent, and a workspace of plain directories.

    ``catalog.add(FakeSteps())``, and `run_graph` with that catalog runs whole graphs and leaves the repository alone. A
    plugin that provides a step for one framework or environment goes before it.

    Args:
        script: What each fake agent does.
        workspace: Whether it provides the workspace too; without any the steps' word is taken.
        steps: Steps that are no fakes, by name: ``preparer``, ``launcher``, ``kickoff``, ``completion_checker``,
            ``merger``, ``teardown``.

    Raises:
        TypeError: There is no such step.
    """

    def __init__(self, *, script: Script = DRY_RUN, workspace: bool = True, **steps: Any) -> None:
        self.repository = FakeRepository()
        """What the fakes share: pull requests, and what is merged."""
        self._workspace = workspace
        self._steps = all_steps(self.repository, tuple(script), steps)

    def _provider(self, name: str) -> Provider[Any]:
        step = self._steps[name]
        return Provider(factory=lambda context: step)

    def _make_workspace(self, run: RunInfo) -> FakeWorkspace:
        return FakeWorkspace(run.state_dir, self.repository)

    @hookimpl
    def agentrelay_workspace(self) -> Iterator[WorkspaceProvider]:
        """Directories in the run's state directory."""
        if self._workspace:
            yield WorkspaceProvider(name="fake", factory=self._make_workspace)

    @hookimpl
    def agentrelay_task_preparer(self) -> Iterator[Provider[Any]]:
        """The preparer."""
        yield self._provider("preparer")

    @hookimpl
    def agentrelay_task_launcher(self) -> Iterator[Provider[Any]]:
        """The launcher."""
        yield self._provider("launcher")

    @hookimpl
    def agentrelay_task_kickoff(self) -> Iterator[Provider[Any]]:
        """The kickoff."""
        yield self._provider("kickoff")

    @hookimpl
    def agentrelay_task_completion_checker(self) -> Iterator[Provider[Any]]:
        """The completion checker."""
        yield self._provider("completion_checker")

    @hookimpl
    def agentrelay_task_merger(self) -> Iterator[Provider[Any]]:
        """The merger."""
        yield self._provider("merger")

    @hookimpl
    def agentrelay_task_teardown(self) -> Iterator[Provider[Any]]:
        """The teardown."""
        yield self._provider("teardown")
