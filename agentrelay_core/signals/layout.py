"""Where the protocol's files lie and what they are called; one directory for each attempt of each task."""

from pathlib import Path
from typing import Final

SCHEMA_VERSION: Final = 1

MANIFEST: Final = "manifest.json"
POLICIES: Final = "policies.json"
CONTEXT: Final = "context.md"
HELPER: Final = "agentrelay-task"
DONE: Final = ".done"
FAILED: Final = ".failed"
CONCERNS: Final = "concerns.log"
OUTPUTS: Final = "outputs.json"


def signal_directory(repository: Path, graph_name: str, task_id: str, run_id: str, attempt_num: int) -> Path:
    """The directory of one attempt, ``.workflow/<graph>/signals/<task>/<run>-<attempt>`` in the repository.

    Args:
        repository: The user's repository.
        graph_name: The graph.
        task_id: The task.
        run_id: The run.
        attempt_num: The attempt, from 0.
    """
    return repository / ".workflow" / graph_name / "signals" / task_id / f"{run_id}-{attempt_num}"
