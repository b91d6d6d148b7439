"""What a step needs before it can begin, and the error that names what is missing."""

from pathlib import Path
from typing import Any, Literal, overload

from agentrelay_core.runtime import TaskRuntime

_SET_BY = {
    "integration_branch": "open its workstream first",
    "workstream_worktree_path": "open its workstream first",
    "branch_name": "prepare the task first",
    "worktree_path": "prepare the task first",
    "signal_dir": "prepare the task first",
}


@overload
def required(runtime: TaskRuntime, field: Literal["integration_branch", "branch_name"]) -> str: ...
@overload
def required(
    runtime: TaskRuntime, field: Literal["workstream_worktree_path", "worktree_path", "signal_dir"]
) -> Path: ...
def required(runtime: TaskRuntime, field: str) -> Any:
    """A value that must be on the task's state.

    Args:
        runtime: The task.
        field: The field of its state.

    Raises:
        ValueError: It is not set; the text names the field and what sets it.
    """
    value = getattr(runtime.state, field)
    if value is None:
        raise ValueError(f"{field} of task {runtime.task.id!r} is not set; {_SET_BY[field]}")
    return value
