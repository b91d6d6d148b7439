"""What plugins are told of a session of a run."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from agentrelay_core.hooks import RunInfo
from agentrelay_core.spec import RunSettings, TaskGraph


def run_info(
    graph: TaskGraph,
    *,
    run_id: str,
    repository: Path | None,
    state_dir: Path,
    settings: RunSettings,
    helper_fds: tuple[int, ...],
    report: Callable[[str, str], None],
) -> RunInfo:
    """Make it, in the event loop of the session.

    Args:
        graph: The graph.
        run_id: The run's id.
        repository: The user's repository, if there is one.
        state_dir: The run's directory.
        settings: The effective settings.
        helper_fds: Descriptors that helper processes inherit.
        report: Takes what a workstream waits for, in the event loop's thread.
    """
    described = {task.id: task.description for task in graph.tasks}
    loop = asyncio.get_running_loop()

    def tell(lane: str, message: str) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the run is over
            loop.call_soon_threadsafe(report, lane, message)

    return RunInfo(
        run_id=run_id,
        graph_name=graph.name,
        repository=repository,
        state_dir=state_dir,
        dependency_descriptions={
            task.id: {dependency: described[dependency] for dependency in task.dependencies} for task in graph.tasks
        },
        settings=settings,
        workstreams=tuple(graph.workstreams),
        helper_fds=helper_fds,
        report=tell,
    )
