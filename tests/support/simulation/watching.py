"""What must hold all the time: each event is judged when it is told, and each record when it is on the disk."""

import hashlib
from collections.abc import Sequence

from agentrelay_core import Event, TaskGraph, TaskStatus
from agentrelay_core.journal import RunState, apply, kinds
from agentrelay_core.orchestrator import RunResult
from agentrelay_core.runtime.status import DONE
from simulation.world import World


class Watcher:
    """Judges one simulation.

    Args:
        graph: What is run.
        world: Where it is run.
    """

    def __init__(self, graph: TaskGraph, world: World) -> None:
        self.graph = graph
        self.world = world
        self.state = RunState()
        self.events = 0
        self._most = graph.settings.max_concurrency
        self._allowed = graph.settings.max_task_attempts
        self._tasks = {task.id: task for task in graph.tasks}
        self._at_work: set[str] = set()
        self._trace = hashlib.sha256()

    @property
    def digest(self) -> str:
        """What was told so far, in a number: virtual times, kinds, tasks, attempts and messages."""
        return self._trace.hexdigest()

    def session_began(self) -> None:
        """Nothing is at work in a new process."""
        self._at_work.clear()

    def told(self, event: Event, now: float) -> None:
        """Judge an event."""
        self.events += 1
        message = "" if event.kind.startswith("run_") else event.message  # run ids are made of the real time
        self._trace.update(f"{now:.6f} {event.kind} {event.task_id} {event.attempt_num} {message}\n".encode())
        if event.kind in (kinds.TASK_STARTED, kinds.TASK_RESUMED):
            self._begins(event)
        elif event.kind == kinds.TASK_FINISHED:
            self._at_work.discard(event.task_id)

    def durable(self, events: Sequence[Event]) -> None:
        """Take events into account that are on the disk."""
        for event in events:
            apply(self.state, event)
            if event.kind == kinds.TASK_STARTED:
                record = self.state.tasks[event.task_id]
                tried = record.attempt_num - record.first_attempt + 1
                if tried > self._allowed + self.world.unwatched_ends.get(event.task_id, 0):
                    self._violated(f"{event.task_id} has attempt {tried} of {self._allowed}")

    def run_ended(self, result: RunResult) -> None:
        """Judge the end of a run that was neither cut off nor left."""
        failed = {task_id for task_id, each in result.tasks.items() if each.status == TaskStatus.FAILED}
        unreachable: set[str] = set()
        for task in self.graph.tasks:  # each comes after what it depends on
            if any(dependency in failed or dependency in unreachable for dependency in task.dependencies):
                unreachable.add(task.id)
        if set(result.blocked) != unreachable:
            self._violated(f"blocked are {sorted(result.blocked)}, and not {sorted(unreachable)}")
        merged = {task_id for task_id, each in result.tasks.items() if each.status in DONE}
        if merged != set(self.world.merged):
            self._violated(f"told and merged differ in {sorted(merged ^ set(self.world.merged))}")
        if merged | failed | unreachable != set(self._tasks):
            self._violated("a task is neither merged, failed nor blocked")
        living = [attempt for attempt, agent in self.world.agents.items() if agent.stopped is None]
        if living:
            self._violated(f"agents were never stopped: {living}")

    def _begins(self, event: Event) -> None:
        task_id = event.task_id
        if event.kind == kinds.TASK_STARTED and task_id in self._at_work and not event.attempt_num:
            self._violated(f"{task_id} begins twice")
        self._at_work.add(task_id)
        if len(self._at_work) > self._most:
            self._violated(f"{len(self._at_work)} tasks are at work")
        record = self.state.tasks.get(task_id)
        if record is not None and record.finished_at is not None and record.status in DONE:
            self._violated(f"{task_id} is done and begins again")
        for dependency in self._tasks[task_id].dependencies:
            if self.state.tasks[dependency].status not in DONE:
                self._violated(f"{task_id} begins before {dependency} is done")

    def _violated(self, what: str) -> None:
        self.world.violations.append(what)
