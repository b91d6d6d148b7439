"""What an attempt has used so far, told as a total: to tell it again, by whoever goes on after a crash, counts it once.

Each source knows a part. The transcripts have the tokens of all answers and no cost; the results of turns without a
terminal have both, but none is written by a turn that was cut off; a terminal's status line has the cost.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from agentrelay_core import StepContext
from agentrelay_core.runtime import agent_environment
from agentrelay_tmux_claude.claude.arguments import session_id
from agentrelay_tmux_claude.claude.memory import Memory, read_memory, write_memory
from agentrelay_tmux_claude.claude.transcript import Told, transcripts_of
from agentrelay_tmux_claude.claude.usage import Usage


class Account:
    """The account of one attempt, kept by whoever waits for it.

    Args:
        context: The task.
    """

    def __init__(self, context: StepContext) -> None:
        self._context = context
        self._session = session_id(context.runtime)
        self._told = Usage()

    def transcripts(self) -> Told:
        """What the transcripts tell; it blocks for as long as reading them takes."""
        return transcripts_of(self._session, agent_environment(self._context.runtime))

    def tell(self, told: Usage, *, results: Mapping[str, Usage] | None = None, cost_usd: float = 0.0) -> Memory:
        """Report the total, where it is another than was reported last.

        Args:
            told: What the transcripts count.
            results: What is new of results, by their ids.
            cost_usd: What the status line says of all of the session.

        Returns:
            What is remembered of the session now.
        """
        memory = read_memory(self._context)
        kept = {**memory.results, **{name: attrs.asdict(used) for name, used in (results or {}).items()}}
        by_results = sum((_usage(used) for used in kept.values()), Usage())
        total = _usage(memory.used).most(told).most(by_results).most(Usage(cost_usd=cost_usd))
        if kept != memory.results or attrs.asdict(total) != memory.used:
            memory = attrs.evolve(memory, results=kept, used=attrs.asdict(total))
            write_memory(self._context, memory)
        if total != self._told:
            self._context.runtime.report("task_usage", str(total), {**attrs.asdict(total), "of": self._session})
            self._told = total
        return memory


def _usage(kept: Mapping[str, Any]) -> Usage:
    return Usage(**kept)
