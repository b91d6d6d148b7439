"""What an agent is told after its first turn, in words that are ours alone: no agent's text is an instruction here."""

from typing import Final

NO_SIGNAL: Final = (
    "Your turn ended, but there is no signal that the task has ended: neither `.done` nor `.failed` was written. If "
    "the work is finished, commit it and run `agentrelay-task done`. If you cannot go on, run `agentrelay-task failed "
    "REASON`. Otherwise go on with the task and signal when it is finished."
)
AFTER_LIMIT: Final = (
    "A usage limit stopped you; it has ended. Go on with the task where you were, and signal at its end as your "
    "instructions say."
)
INTERRUPTED: Final = (
    "You were interrupted: the machine or your process was stopped in the middle of your work. Look at `git status` "
    "and `git log` for what there is of it, go on with the task, and signal at its end as your instructions say."
)


def gate_failed(instructions_path: str) -> str:
    """What an agent is told after its completion gate failed; the output is in its instructions.

    Args:
        instructions_path: Path of ``instructions.md``, rewritten.
    """
    return (
        f"Your work did not pass its completion gate. The last section of `{instructions_path}` has the gate's output: "
        "read it, mend the cause, commit, and signal again as before."
    )


def read_instructions(instructions_path: str) -> str:
    """The first prompt of an agent that is given its instructions by path.

    Args:
        instructions_path: Path of ``instructions.md``.
    """
    return (
        f"Read all of {instructions_path}, in parts if it is long, and do what it says. It is your task, and it "
        "tells how to signal at the end."
    )
