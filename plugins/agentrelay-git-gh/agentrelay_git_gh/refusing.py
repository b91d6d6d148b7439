"""Everything that keeps a run from beginning, in one error: whoever mends one thing need not come back for the next."""

from collections.abc import Sequence

from agentrelay_core.runtime import UserError


def refuse(problems: Sequence[str]) -> None:
    """Refuse to begin.

    Args:
        problems: A sentence each, with what to type.

    Raises:
        UserError: There are problems.
    """
    if len(problems) == 1:
        raise UserError(problems[0])
    if problems:
        listed = "\n  ".join(problems)
        raise UserError(f"this graph cannot run here yet:\n  {listed}")


def parted(problem: str) -> tuple[str, str]:
    """What is wrong, and what to type: the two halves of such a sentence."""
    what, separator, mend = problem.rpartition("; ")
    return (what, mend) if separator else (problem, "")
