"""What is remembered of an attempt's session from one turn to the next, and from one orchestrator to its successor.

It lies in the run's state directory, which agents cannot reach: what an agent was told decides what it is told next.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import attrs

from agentrelay_core import StepContext
from agentrelay_core.runtime.agent_files import write_atomically

FIRST = "first"
"""The reason of an attempt's first turn."""
ANEW = "anew"
"""The reason of a turn that begins the session anew, because Claude Code kept nothing of it."""


@attrs.frozen(kw_only=True)
class Turn:
    """One turn that the session was given.

    Args:
        reason: Why: `FIRST`, ``gate``, ``nudge``, ``limit``, ``interrupted``, or `ANEW`.
        prompt: What the agent is told; empty for its instructions.
        started: Whether it is known to have been started.
        after: Where the session lived before it, for people; empty for nowhere.
        key: Which gate's failure it tells of; empty for other turns.
    """

    reason: str
    prompt: str = ""
    started: bool = False
    after: str = ""
    key: str = ""


@attrs.frozen(kw_only=True)
class Memory:
    """A session so far.

    Args:
        turns: Its turns in order.
        results: What its results say that was used, by their ids; without a terminal alone.
        used: What all of it has used, as it was reported last.
        worked: Whether some turn that is over did something.
        limits: How many limits there were in a row, with nothing done in between.
        arrived: How many prompts had arrived before the latest turn; in a terminal alone.
    """

    turns: tuple[Turn, ...] = ()
    results: Mapping[str, Mapping[str, float]] = attrs.field(factory=dict, hash=False)
    used: Mapping[str, float] = attrs.field(factory=dict, hash=False)
    worked: bool = False
    limits: int = 0
    arrived: int = 0

    @property
    def told(self) -> frozenset[str]:
        """Reasons of its turns since the last gate, which begins a new piece of work."""
        told: set[str] = set()
        for turn in self.turns:
            told = {turn.reason} if turn.reason == "gate" else told | {turn.reason}
        return frozenset(told)


def memory_path(context: StepContext) -> Path:
    """Where an attempt's memory is."""
    runtime = context.runtime
    name = f"{runtime.run_id}-{runtime.state.attempt_num}.json"
    return context.run.state_dir / "claude" / runtime.task.id / name


def read_memory(context: StepContext) -> Memory:
    """What is remembered; nothing before the first turn."""
    try:
        data = json.loads(memory_path(context).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Memory()
    turns = tuple(Turn(**turn) for turn in data.pop("turns"))
    return Memory(turns=turns, **data)


def write_memory(context: StepContext, memory: Memory) -> None:
    """Remember; whole or not at all."""
    path = memory_path(context)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, json.dumps(attrs.asdict(memory)).encode())


def unstarted_turn(context: StepContext, label: str) -> Turn | None:
    """The turn that was remembered last and never started; `None` where there is none.

    Args:
        context: The task.
        label: Where the session was found to live: elsewhere than before the turn means that it was started.
    """
    memory = read_memory(context)
    if not memory.turns or memory.turns[-1].started:
        return None
    last = memory.turns[-1]
    if last.after == label:
        return last
    mark_started(context)
    return None


def mark_started(context: StepContext) -> None:
    """Remember that the last turn is under way."""
    memory = read_memory(context)
    turns = (*memory.turns[:-1], attrs.evolve(memory.turns[-1], started=True))
    write_memory(context, attrs.evolve(memory, turns=turns))
