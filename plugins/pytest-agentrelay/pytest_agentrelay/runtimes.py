"""The runtime of a task as a step meets it: small, with every path below a directory of the test's own."""

from pathlib import Path
from typing import Any

from agentrelay_core import TaskRuntime
from agentrelay_core.signals import signal_directory
from agentrelay_core.spec import AgentConfig, Task
from pytest_agentrelay.fakes import InProcess

RUN = "20300101T000000Z-cafe"
GRAPH = "graph"


def make_runtime(
    root: Path, *, prepared: bool = True, attempt: int = 0, run_id: str = RUN, graph_name: str = GRAPH, **fields: Any
) -> TaskRuntime:
    """Make a fresh runtime.

    Args:
        root: The directory that everything is made in.
        prepared: Whether the task is as a preparer leaves it, its directories and an ``instructions.md`` made; if not,
            it is as the orchestrator hands it to the preparer.
        attempt: The attempt, from 0.
        run_id: The run's id.
        graph_name: The graph's name.
        fields: Fields of the `Task`; by default its id is ``task``, its agent the fake one in this process.

    Returns:
        The runtime, PENDING.
    """
    agent = AgentConfig(framework="fake", environment=InProcess())
    task = Task(**{"id": "task", "description": "Do it.", "primary_agent": agent, **fields})
    runtime = TaskRuntime(task, run_id=run_id, graph_name=graph_name)
    state = runtime.state
    state.attempt_num = attempt
    state.integration_branch = f"agentrelay/{graph_name}@{task.workstream_id}"
    state.workstream_worktree_path = root / "workstreams" / task.workstream_id / task.id
    if prepared:
        state.branch_name = f"agentrelay/{graph_name}/{task.id}" + (f"@{attempt}" if attempt else "")
        state.worktree_path = state.workstream_worktree_path
        state.signal_dir = signal_directory(root, graph_name, task.id, run_id, attempt)
        for path in (state.worktree_path, state.signal_dir):
            path.mkdir(parents=True, exist_ok=True)
        (state.signal_dir / "instructions.md").write_text(f"{task.description}\n", encoding="utf-8")
    return runtime
