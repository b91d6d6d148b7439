"""Which task may start next: counters that fall, never a rescan.

A task is ready when its last dependency is done; it starts when its lane is free and a place is left. Everything here
is plain bookkeeping, linear in tasks and dependencies, and knows nothing of asyncio.
"""

import heapq
from collections.abc import Collection, Iterable

from agentrelay_core.spec import Task


class Schedule:
    """The order of a graph's tasks.

    Args:
        tasks: The tasks that are to be run, in the order that wins among equals.
        done: Ids of tasks that are done already.
        max_concurrency: Tasks at work at one time.
        lanes: Whether tasks of one workstream exclude each other, as those that share a worktree do.
    """

    def __init__(
        self, tasks: Iterable[Task], *, done: Collection[str] = (), max_concurrency: int, lanes: bool = True
    ) -> None:
        todo = [task for task in tasks if task.id not in done]
        self._rank = {task.id: rank for rank, task in enumerate(todo)}
        self._ids = [task.id for task in todo]
        self._lane = [task.workstream_id if lanes else None for task in todo]
        self._missing = [0] * len(todo)
        self._dependants: list[list[int]] = [[] for _ in todo]
        self._max_concurrency = max_concurrency
        self._busy: set[str] = set()
        self._lane_queue: dict[str, list[int]] = {}
        self._ready: list[int] = []
        self._running = 0
        self._settled = bytearray(len(todo))
        for rank, task in enumerate(todo):
            missing = {dependency for dependency in task.dependencies if dependency not in done}
            self._missing[rank] = len(missing)
            for dependency in missing:
                upstream = self._rank.get(dependency)
                # A dependency that is neither done nor to be run keeps its dependants waiting.
                if upstream is not None:
                    self._dependants[upstream].append(rank)
            if not missing:
                self._ready.append(rank)

    @property
    def running(self) -> int:
        """How many tasks are at work."""
        return self._running

    def next(self) -> str | None:
        """Take the next task that may start; `None` when none may."""
        while self._ready and self._running < self._max_concurrency:
            rank = heapq.heappop(self._ready)
            if self._settled[rank]:
                continue
            lane = self._lane[rank]
            if lane is not None:
                if lane in self._busy:
                    heapq.heappush(self._lane_queue.setdefault(lane, []), rank)
                    continue
                self._busy.add(lane)
            self._running += 1
            return self._ids[rank]
        return None

    def done(self, task_id: str) -> None:
        """A running task is done: its dependants come nearer."""
        rank = self._leave(task_id)
        for dependant in self._dependants[rank]:
            self._missing[dependant] -= 1
            if not self._missing[dependant]:
                heapq.heappush(self._ready, dependant)

    def failed(self, task_id: str) -> list[str]:
        """A running task failed: what hangs on it is blocked.

        Returns:
            The ids of all tasks, near and far, that are blocked by this failure and were not before.
        """
        rank = self._leave(task_id)
        blocked: list[str] = []
        frontier = [rank]
        while frontier:
            for dependant in self._dependants[frontier.pop()]:
                if not self._settled[dependant]:
                    self._settled[dependant] = 1
                    blocked.append(self._ids[dependant])
                    frontier.append(dependant)
        return blocked

    def left(self) -> list[str]:
        """Ids of tasks that were neither started nor blocked, in order."""
        return [task_id for rank, task_id in enumerate(self._ids) if not self._settled[rank]]

    def _leave(self, task_id: str) -> int:
        rank = self._rank[task_id]
        self._settled[rank] = 1
        self._running -= 1
        lane = self._lane[rank]
        if lane is not None:
            self._busy.discard(lane)
            queue = self._lane_queue.get(lane)
            if queue:
                heapq.heappush(self._ready, heapq.heappop(queue))
        return rank
