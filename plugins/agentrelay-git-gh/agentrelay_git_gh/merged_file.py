"""The file that says in a task's directory that its work is merged."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from agentrelay_core.runtime import TaskRuntime
from agentrelay_git_gh.attempts import attempt_of_task
from agentrelay_git_gh.git.setup import replace_text
from agentrelay_git_gh.places import Places

MERGED_FILE: Final = ".merged"


def write_merged(runtime: TaskRuntime) -> None:
    """Write it, with the time; a task without a directory has none.

    Args:
        runtime: The task, just merged.
    """
    if runtime.state.signal_dir is not None:
        _write(runtime.state.signal_dir)


def write_if_missing(places: Places, runtime: TaskRuntime) -> None:
    """Write it for a merge of an earlier session, where the run asks for that before it knows the task's directory.

    Args:
        places: Where the task's files are.
        runtime: The task.
    """
    directory = runtime.state.signal_dir or attempt_of_task(places, runtime).signal_dir
    if directory.is_dir() and not directory.is_symlink() and not (directory / MERGED_FILE).exists():
        _write(directory)


def _write(directory: Path) -> None:
    replace_text(directory / MERGED_FILE, f"{datetime.now(UTC).isoformat()}\n")
