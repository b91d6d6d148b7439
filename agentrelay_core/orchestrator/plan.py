"""What a run will do, worked out before it does anything: the object that a dry run shows is the one a run consumes."""

import functools
from collections import defaultdict
from collections.abc import Collection, Iterator
from enum import StrEnum

import attrs

from agentrelay_core.journal import RunState, TaskRecord
from agentrelay_core.orchestrator.results import RunOutcome, RunResult, WorkstreamResult
from agentrelay_core.runtime.status import DONE
from agentrelay_core.spec import Task, TaskGraph
from agentrelay_core.task_runner import TaskRunResult


class Action(StrEnum):
    """What will become of a task."""

    RUN = "run"
    SKIP = "skip"
    WAIT = "wait"


@attrs.frozen(kw_only=True)
class PlannedTask:
    """What will become of one task, and why.

    Args:
        task: The task.
        action: ``run`` it, ``skip`` it because it is done or not selected, or let it ``wait`` for what is not run.
        reason: Why.
        attempt_num: The number of its next attempt.
        wave: How many tasks must be done one after the other before it may start.
    """

    task: Task
    action: Action
    reason: str
    attempt_num: int = 0
    wave: int = 0


@attrs.frozen(kw_only=True)
class Plan:
    """What a run will do.

    Args:
        run_id: The run that goes on, or empty for a new one.
        tasks: The tasks in an order in which they may run.
        width: The largest number of tasks that can be at work at one time.
        conflicts: Pairs of tasks that may run at one time and name the same file.
        finished: How the tasks that are done already ended.
        interrupted: What the journal knows of attempts that were begun and not finished; they go on.
        integrated: Workstreams that are integrated already.
        open_workstreams: Workstreams that were used and still wait for their integration.
        entered: Workstreams that earlier sessions opened, and may not have closed.
        cut_off: Whether the last session of the run did not come to its end, so that something may be left to tidy.
    """

    run_id: str
    tasks: tuple[PlannedTask, ...]
    width: int
    conflicts: tuple[tuple[str, str, str], ...] = ()
    finished: dict[str, TaskRunResult] = attrs.field(factory=dict, eq=False)
    interrupted: dict[str, TaskRecord] = attrs.field(factory=dict, eq=False)
    integrated: dict[str, WorkstreamResult] = attrs.field(factory=dict, eq=False)
    open_workstreams: frozenset[str] = frozenset()
    entered: frozenset[str] = frozenset()
    cut_off: bool = False

    @functools.cached_property
    def to_run(self) -> frozenset[str]:
        """Ids of the tasks that will run."""
        return frozenset(planned.task.id for planned in self.tasks if planned.action is Action.RUN)

    @property
    def nothing_to_do(self) -> bool:
        """Whether the run is finished."""
        return not self.to_run and not self.open_workstreams and not self.cut_off

    @property
    def next_attempts(self) -> dict[str, int]:
        """Number of the next attempt of every task that has had one."""
        return {planned.task.id: planned.attempt_num for planned in self.tasks if planned.attempt_num}


def make_plan(
    graph: TaskGraph, state: RunState, selected: Collection[str] | None = None, *, integrates: bool = True
) -> Plan:
    """Work out what a run of a graph will do.

    Args:
        graph: The graph, free of cycles.
        state: What the journal says.
        selected: Ids of the tasks that the user wants; `None` means all.
        integrates: Whether the run has a repository, whose workstreams are to be integrated.
    """
    finished = {
        task_id: TaskRunResult(task_id, record.status, record.pr_url, None)
        for task_id, record in state.tasks.items()
        if record.status in DONE and not record.teardown_due
    }
    planned: dict[str, PlannedTask] = {}
    for task in _in_order(graph):
        planned[task.id] = _plan_task(task, state, finished, selected, planned)
    running = [entry for entry in planned.values() if entry.action is Action.RUN]
    integrated = {
        lane: WorkstreamResult(id=lane, pr_url=record.pr_url, merged=record.merged)
        for lane, record in state.workstreams.items()
        if record.status == "integrated" and not any(entry.task.workstream_id == lane for entry in running)
    }
    used = {task.workstream_id for task in graph.tasks}
    complete = used - {entry.task.workstream_id for entry in planned.values() if entry.task.id not in finished}
    return Plan(
        run_id=state.run_id,
        tasks=tuple(planned.values()),
        width=min(graph.settings.max_concurrency, _width(running)),
        conflicts=tuple(_conflicts(running)),
        interrupted={
            entry.task.id: record
            for entry in running
            if (record := state.tasks.get(entry.task.id)) is not None and _goes_on(record)
        },
        finished={task_id: result for task_id, result in finished.items() if task_id in planned},
        integrated=integrated,
        open_workstreams=frozenset(complete - integrated.keys()) if integrates else frozenset(),
        entered=frozenset(lane for lane, record in state.workstreams.items() if record.branch is not None),
        cut_off=bool(state.run_id) and state.outcome is None,
    )


def nothing_to_do(plan: Plan, graph: TaskGraph) -> RunResult:
    """The result of a run whose plan holds nothing to be done.

    Args:
        plan: The plan.
        graph: Its graph.
    """
    tasks = {task.id: plan.finished[task.id] for task in graph.tasks if task.id in plan.finished}
    return RunResult(outcome=RunOutcome.NOTHING_TO_DO, tasks=tasks, run_id=plan.run_id, workstreams=plan.integrated)


def _plan_task(
    task: Task,
    state: RunState,
    finished: Collection[str],
    selected: Collection[str] | None,
    planned: dict[str, PlannedTask],
) -> PlannedTask:
    run = Action.RUN
    record = state.tasks.get(task.id)
    if task.id in finished:
        assert record is not None
        return PlannedTask(task=task, action=Action.SKIP, reason=f"is {record.status}")
    attempt = 0
    reason = "is new"
    at_work = False
    if record is not None:
        goes_on = _goes_on(record)
        attempt = record.attempt_num if goes_on else record.next_attempt
        if record.started_at is not None:
            reason = "was parked" if record.parked else "was interrupted" if goes_on else f"was {record.status}"
        elif attempt:
            reason = "was reset"
        at_work = record.interrupted  # goes on, whatever is selected: its agent may live
    if selected is not None and task.id not in selected and not at_work:
        return PlannedTask(task=task, action=Action.SKIP, reason="is not selected", attempt_num=attempt)
    wave, waits = 0, []
    for dependency in task.dependencies:
        upstream = planned[dependency]
        if upstream.action is run:
            wave = max(wave, upstream.wave + 1)
        elif dependency not in finished:
            waits.append(dependency)
    if waits:
        reason = f"waits for {', '.join(waits)}, which will not run"
        return PlannedTask(task=task, action=Action.WAIT, reason=reason, attempt_num=attempt)
    return PlannedTask(task=task, action=run, reason=reason, attempt_num=attempt, wave=wave)


def _goes_on(record: TaskRecord) -> bool:
    """Whether the task's latest attempt goes on: it was interrupted, or waits for a person who may have acted."""
    return record.interrupted or (record.parked and record.started_at is not None)


def _in_order(graph: TaskGraph) -> Iterator[Task]:
    """The tasks after what they depend on, else in the order of the file."""
    by_id = {task.id: task for task in graph.tasks}
    missing = {task.id: len(set(task.dependencies)) for task in graph.tasks if task.dependencies}
    dependants: dict[str, list[str]] = {}
    for task_id in missing:
        for dependency in set(by_id[task_id].dependencies):
            dependants.setdefault(dependency, []).append(task_id)
    ready = [task.id for task in graph.tasks if not task.dependencies]
    for task_id in ready:  # grows while it is read
        yield by_id[task_id]
        for dependant in dependants.get(task_id, ()):
            missing[dependant] -= 1
            if not missing[dependant]:
                ready.append(dependant)


def _width(running: list[PlannedTask]) -> int:
    """The largest wave, counting one task per lane."""
    lanes: defaultdict[int, set[str]] = defaultdict(set)
    for entry in running:
        lanes[entry.wave].add(entry.task.workstream_id)
    return max((len(wave) for wave in lanes.values()), default=0)


def _conflicts(running: list[PlannedTask]) -> Iterator[tuple[str, str, str]]:
    """Tasks of one wave in different lanes that name the same file; each file is told once per wave."""
    seen: dict[tuple[int, str], Task] = {}
    for entry in running:
        for tagged in entry.task.paths:
            first = seen.setdefault((entry.wave, tagged.path), entry.task)
            if first.id != entry.task.id and first.workstream_id != entry.task.workstream_id:
                yield first.id, entry.task.id, tagged.path
