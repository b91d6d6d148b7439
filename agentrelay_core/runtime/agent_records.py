"""Where the records of agents are: in the run's state directory, which agents cannot reach, by task, run and attempt.

The name is made of what the journal knows, so that an agent is found whose start nobody lived to write down.
"""

from collections.abc import Iterator
from pathlib import Path

AGENTS = "agents"


def agent_record(state_dir: Path, task_id: str, run_id: str, attempt_num: int) -> Path:
    """The directory of an attempt's record.

    Args:
        state_dir: The run's state directory.
        task_id: The task.
        run_id: The run.
        attempt_num: The attempt, from 0.
    """
    return state_dir / AGENTS / task_id / f"{run_id}-{attempt_num}"


def agent_records(state_dir: Path, run_id: str) -> Iterator[tuple[str, int, Path]]:
    """The records of all of a run's attempts.

    Args:
        state_dir: The run's state directory.
        run_id: The run.

    Yields:
        Task, attempt and directory, in the order of tasks and attempts.
    """
    found = []
    for directory in (state_dir / AGENTS).glob(f"*/{run_id}-*"):
        attempt = directory.name.removeprefix(f"{run_id}-")
        if attempt.isdecimal():
            found.append((directory.parent.name, int(attempt), directory))
    yield from sorted(found)
