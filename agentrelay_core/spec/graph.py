"""The whole of what was asked: tasks, the workstreams that they flow into, and how the run behaves."""

from collections.abc import Iterable
from typing import Any

import attrs

from agentrelay_core.spec.frozen import freeze
from agentrelay_core.spec.settings import RunSettings
from agentrelay_core.spec.tasks import Task

DEFAULT_WORKSTREAM = "default"


def _checks(value: str | Iterable[str] | None) -> str | tuple[str, ...] | None:
    return value if value is None or isinstance(value, str) else tuple(value)


@attrs.frozen(kw_only=True)
class WorkstreamSpec:
    """A lane of work with an integration branch of its own.

    Args:
        id: Unique in the graph.
        parent_workstream_id: The lane that this one branches off and flows back into.
        base_branch: What the integration branch is cut from; default the parent's integration branch, without a
            parent the repository's default branch.
        merge_target_branch: Where the integration pull request goes; the same default.
        auto_merge: Whether the integration pull request is merged when the lane's tasks are done.
        isolation: Frozen plain value for plugins that honour it.
        checks: Which of the forge's checks the lane's pull requests need; `None` leaves the run's ``checks`` in force.
    """

    id: str
    parent_workstream_id: str | None = None
    base_branch: str | None = None
    merge_target_branch: str | None = None
    auto_merge: bool = False
    isolation: Any = attrs.field(default=None, converter=freeze)
    checks: str | tuple[str, ...] | None = attrs.field(default=None, converter=_checks)


def _with_default(workstreams: Iterable[WorkstreamSpec]) -> tuple[WorkstreamSpec, ...]:
    given = tuple(workstreams)
    if any(workstream.id == DEFAULT_WORKSTREAM for workstream in given):
        return given
    return (WorkstreamSpec(id=DEFAULT_WORKSTREAM), *given)


def _tasks(tasks: Iterable[Task]) -> tuple[Task, ...]:
    return tuple(tasks)


@attrs.frozen(kw_only=True)
class TaskGraph:
    """A graph of tasks. The workstream ``default`` always exists.

    Args:
        name: Becomes a branch prefix and directories.
        tasks: The tasks, in the order of the file.
        workstreams: The lanes; ``default`` is added in front where it is not named.
        max_workstream_depth: How deep workstreams may nest below one without a parent.
        settings: How the run behaves.
    """

    name: str
    tasks: tuple[Task, ...] = attrs.field(converter=_tasks)
    workstreams: tuple[WorkstreamSpec, ...] = attrs.field(default=(), converter=_with_default)
    max_workstream_depth: int = 1
    settings: RunSettings = RunSettings()

    def task(self, task_id: str) -> Task:
        """The task of that id; `KeyError` if there is none."""
        for task in self.tasks:
            if task.id == task_id:
                return task
        raise KeyError(task_id)

    def workstream(self, workstream_id: str) -> WorkstreamSpec:
        """The workstream of that id; `KeyError` if there is none."""
        for workstream in self.workstreams:
            if workstream.id == workstream_id:
                return workstream
        raise KeyError(workstream_id)
