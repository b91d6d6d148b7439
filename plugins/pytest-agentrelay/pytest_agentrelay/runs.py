"""The real life of a task with some steps of one's own: what is not given is done by the fakes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs

from agentrelay_core import (
    Event,
    StandardTaskRunner,
    StepDispatch,
    TaskRunResult,
    TaskRuntime,
    TearDownMode,
    Workspace,
)
from pytest_agentrelay.fakes.all_steps import all_steps
from pytest_agentrelay.fakes.options import DRY_RUN
from pytest_agentrelay.fakes.repository import FakeRepository, FakeWorkspace
from pytest_agentrelay.fakes.script import Script
from pytest_agentrelay.runtimes import make_runtime


@attrs.frozen(kw_only=True)
class StepsRun:
    """A life that has ended.

    Args:
        result: How.
        runtime: The task, as it was left.
        events: What was told meanwhile, in order.
    """

    result: TaskRunResult
    runtime: TaskRuntime
    events: tuple[Event, ...]


class StepsRunner:
    """Runs tasks through the standard life.

    Args:
        root: The directory that everything is made in.
    """

    def __init__(self, root: Path) -> None:
        self.repository = FakeRepository()
        """What the fake steps share: pull requests, and what is merged."""
        self._root = root

    async def __call__(
        self,
        runtime: TaskRuntime | None = None,
        *,
        script: Script = DRY_RUN,
        workspace: Workspace | None | bool = True,
        teardown_mode: TearDownMode = TearDownMode.ALWAYS,
        **steps: Any,
    ) -> StepsRun:
        """Run one task to its end.

        Args:
            runtime: The task, PENDING; by default a new one.
            script: What the fake agent does, unless a launcher is given.
            workspace: The workspace; True means the fake one, and without any the steps' word is taken.
            teardown_mode: When the teardown step runs.
            steps: Steps by name: ``preparer``, ``launcher``, ``kickoff``, ``completion_checker``, ``merger``,
                ``teardown``; fakes for the others.

        Raises:
            TypeError: There is no such step.
            ValueError: The task is not PENDING.
        """
        every = all_steps(self.repository, script, steps)
        if isinstance(workspace, bool):
            workspace = FakeWorkspace(self._root, self.repository) if workspace else None
        runtime = runtime or make_runtime(self._root, prepared=False)
        events: list[Event] = []
        tables: Any = {name: _table(step) for name, step in every.items()}
        with ThreadPoolExecutor(thread_name_prefix="step") as executor:
            runner = StandardTaskRunner(**tables, workspace=workspace, on_event=events.append, executor=executor)
            result = await runner.run(runtime, teardown_mode=teardown_mode)
        return StepsRun(result=result, runtime=runtime, events=tuple(events))


def _table(step: Any) -> StepDispatch[Any]:
    return StepDispatch(default=lambda _: step)
