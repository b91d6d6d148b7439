"""What outlives an orchestrator: agents and what they made, with the effects that must never happen twice.

Each decision comes from a generator of its own, named after the seed, the task, the attempt and the matter, so that it
does not depend on what was asked before it.
"""

import random

import attrs

from agentrelay_core import TaskRuntime

HOUR = 3600.0
DAY = 24 * HOUR
# How agents end, and how many of a hundred do so; an agent that hangs is alive for ever.
FATES = {"done": 86.0, "fails": 5.0, "dies": 4.0, "hangs": 2.5, "asks": 1.5, "cheats": 0.6, "breaks": 0.4}

Attempt = tuple[str, int]


@attrs.define(kw_only=True)
class SimulatedAgent:
    """One agent.

    Args:
        fate: How it ends; one of `FATES`.
        began: When it was launched, in virtual seconds.
        ends: When it ends by itself, or stops to do anything.
        stopped: When it was stopped from outside.
    """

    fate: str
    began: float
    ends: float
    stopped: float | None = None

    def alive(self, now: float) -> bool:
        """Whether it still exists."""
        return self.stopped is None and (self.fate == "hangs" or now < self.ends)

    def cpu_seconds(self, now: float) -> float:
        """CPU time it has used; an agent that hangs uses no more."""
        return min(now, self.ends) - self.began


class World:
    """The outside of a run.

    Args:
        seed: Where everything comes from.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.agents: dict[Attempt, SimulatedAgent] = {}
        self.latest: dict[str, SimulatedAgent] = {}
        self.prepared: set[Attempt] = set()
        self.kicked_off: set[Attempt] = set()
        self.merged: dict[str, int] = {}
        self.answered: set[str] = set()
        self.waiting_for_person: set[str] = set()
        self.unwatched_ends: dict[str, int] = {}
        self.violations: list[str] = []

    def dice(self, runtime: TaskRuntime, matter: str) -> random.Random:
        """The generator for one matter of one attempt."""
        return random.Random(f"{self.seed}/{runtime.task.id}/{runtime.state.attempt_num}/{matter}")

    def launch(self, runtime: TaskRuntime, now: float) -> SimulatedAgent:
        """Start an attempt's agent, with a length of minutes to days."""
        attempt = runtime.task.id, runtime.state.attempt_num
        before = self.latest.get(runtime.task.id)
        if before is not None and before.alive(now):
            self.violations.append(f"{attempt} is launched while an earlier agent of the task is alive")
        if attempt in self.agents:
            self.violations.append(f"{attempt} is launched twice")
        if runtime.task.id in self.merged:
            self.violations.append(f"{attempt} is launched though the task is merged")
        if any(dependency not in self.merged for dependency in runtime.task.dependencies):
            self.violations.append(f"{attempt} is launched before its dependencies are merged")
        dice = self.dice(runtime, "agent")
        [fate] = dice.choices(list(FATES), list(FATES.values()))
        length = min(HOUR * dice.lognormvariate(0, 1.3), 4 * DAY)
        agent = SimulatedAgent(fate=fate, began=now, ends=now + length)
        self.agents[attempt] = self.latest[runtime.task.id] = agent
        return agent

    def merge(self, runtime: TaskRuntime) -> None:
        """Merge an attempt's work."""
        task_id, attempt_num = runtime.task.id, runtime.state.attempt_num
        if task_id in self.merged:
            self.violations.append(f"{task_id} is merged twice, by attempts {self.merged[task_id]} and {attempt_num}")
        self.merged[task_id] = attempt_num

    def answer(self) -> None:
        """A person does what everyone waits for."""
        self.answered |= self.waiting_for_person
        self.waiting_for_person.clear()
