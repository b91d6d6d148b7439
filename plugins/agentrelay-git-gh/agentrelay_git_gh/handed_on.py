"""Files that one task makes and another builds upon: noted when the work is verified, told when the other is prepared.

An agent's own list can be changed by agents that come later, so it is read once, strictly, and kept out of their reach.
"""

import json
import re

from agentrelay_core.runtime.agent_files import write_atomically
from agentrelay_core.spec import TaggedPath, Task
from agentrelay_git_gh.attempts import Attempt


def keep_outputs(attempt: Attempt) -> None:
    """Note which files an attempt's agent says that it made.

    Args:
        attempt: The attempt, its agent's work done.

    Raises:
        ProtocolViolation: The list is not what the agent's helper writes.
    """
    from agentrelay_core.signals import read_outputs  # not needed to list plugins
    from agentrelay_core.signals.layout import OUTPUTS, SCHEMA_VERSION
    from agentrelay_core.signals.manifest import paths_by_category

    outputs = paths_by_category(read_outputs(attempt.signal_dir))
    attempt.copies.mkdir(mode=0o700, parents=True, exist_ok=True)
    document = json.dumps({"schema_version": SCHEMA_VERSION, "outputs": outputs})
    write_atomically(attempt.copies / OUTPUTS, document.encode(), 0o600)


def input_files(attempt: Attempt, task: Task) -> dict[str, tuple[TaggedPath, ...]]:
    """The files that the tasks made which a task takes its input from, by those tasks' ids.

    Args:
        attempt: The task's own attempt.
        task: The task.
    """
    return {source.task: _made_by(attempt, source.task) for source in task.inputs_from}


def _made_by(attempt: Attempt, task_id: str) -> tuple[TaggedPath, ...]:
    """What the last attempt of another task of this run made whose work was verified."""
    from agentrelay_core.signals import read_outputs
    from agentrelay_core.signals.layout import OUTPUTS

    name = re.compile(rf"{re.escape(attempt.owner.run)}-(\d+)")
    folder = attempt.copies.parent.parent / task_id
    found = ((name.fullmatch(path.parent.name), path.parent) for path in folder.glob(f"*/{OUTPUTS}"))
    numbered = [(int(match[1]), path) for match, path in found if match is not None]
    return read_outputs(max(numbered)[1]) if numbered else ()
