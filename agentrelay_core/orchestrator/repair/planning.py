"""From what is found to what will be done: one function for each verb, which changes nothing."""

from collections.abc import Collection, Iterable, Iterator

import attrs

from agentrelay_core.journal.state import TaskRecord
from agentrelay_core.orchestrator.repair.agents import LiveAgent
from agentrelay_core.orchestrator.repair.plan import Fate, Removal, RepairPlan, TaskChange, Verb
from agentrelay_core.orchestrator.repair.recorded import UNDER_WAY, RecordedRun
from agentrelay_core.orchestrator.repair.signal_directories import stale_signal_directories
from agentrelay_core.orchestrator.repair.tasks import NothingSelected, hanging_on, known_tasks
from agentrelay_core.runtime import TaskStatus
from agentrelay_core.runtime.status import DONE, ENDED
from agentrelay_core.task_runner.repairs import Leftover


def plan_retry(run: RecordedRun, given: Iterable[str] = ()) -> RepairPlan:
    """Plan to try failed tasks again, with all that hangs on them.

    Args:
        run: The run.
        given: Ids of failed tasks; none means all that failed or wait for a person.

    Raises:
        NothingSelected: Nothing of it failed.
        UserError: There is no such task.
    """
    failed = [task.id for task in run.state.tasks.values() if task.status == TaskStatus.FAILED]
    named = known_tasks(run.state, given)
    for task_id in named:
        if task_id not in failed:
            status = run.state.tasks[task_id].status.value
            raise NothingSelected(
                f"'{task_id}' has not failed, it is {status}; to do it again all the same: `agentrelay reset {task_id}`"
            )
    wanted = named or tuple(failed)
    if not wanted:
        raise NothingSelected("no task has failed, so there is nothing to retry; see `agentrelay status`")
    waiting = {
        task_id: by
        for task_id, by in hanging_on(run.state, wanted).items()
        if run.state.tasks[task_id].status not in DONE
    }
    return attrs.evolve(
        _empty(run, Verb.RETRY),
        tasks=tuple(_again(run, wanted, waiting)),
        stops=_agents_of(run, (*wanted, *waiting)),
    )


def plan_reset(run: RecordedRun, given: Iterable[str] = (), *, everything: bool = False) -> RepairPlan:
    """Plan to do tasks again, whatever has become of them, with all that hangs on them.

    Args:
        run: The run.
        given: Ids of tasks.
        everything: Forget the whole run instead, and let go of its worktrees and branches.

    Raises:
        NothingSelected: Nothing of it has begun.
        UserError: There is no such task.
    """
    plan = _empty(run, Verb.RESET)
    if everything:
        if not run.state.run_id and not run.leftovers and not run.agents:
            raise NothingSelected("nothing is recorded of a run, so there is nothing to reset; see `agentrelay status`")
        return attrs.evolve(
            plan, stops=run.agents, removals=tuple(_all_but_ignored(run.leftovers)), forgets=bool(run.state.run_id)
        )
    named = known_tasks(run.state, given)
    begun = {
        task.id
        for task in run.state.tasks.values()
        if task.started_at is not None or task.attempt_num or task.blocked_by
    }
    wanted = tuple(task_id for task_id in named if task_id in begun)
    if not wanted:
        raise NothingSelected("none of these tasks has begun, so there is nothing to reset; see `agentrelay status`")
    hanging = {task_id: by for task_id, by in hanging_on(run.state, wanted).items() if task_id in begun}
    tasks = {*wanted, *hanging}
    stops = _agents_of(run, tasks)
    branches = [each for each in run.leftovers if each.kind == "branch" and each.task_id in tasks]
    removals = [*map(_rescue, _worktrees_of(run, tasks)), *_all_but_ignored(branches)]
    return attrs.evolve(plan, stops=stops, tasks=tuple(_again(run, wanted, hanging)), removals=tuple(removals))


def plan_clean(run: RecordedRun, *, ignored: bool = False) -> RepairPlan:
    """Plan to remove what runs have left and nobody needs: what is at work, or not safe elsewhere, stays.

    Args:
        run: The run.
        ignored: Whether files that git ignores go with their worktrees.
    """
    busy = run.lanes_at_work()
    at_work = {agent.task_id for agent in run.agents if run.is_at_work(agent)}
    of_tasks = frozenset(f"refs/heads/{each.name}" for each in run.leftovers if each.kind == "branch" and each.task_id)
    removals = []
    for leftover in run.leftovers:
        if leftover.kind == "branch":
            if leftover.task_id:
                removals.append(_branch_to_clean(leftover, at_work, of_tasks))
        elif leftover.workstream_id and leftover.workstream_id in busy:
            removals.append(Removal(leftover=leftover, fate=Fate.KEEP, reason="an agent is at work in it"))
        elif leftover.ignored and not ignored and not leftover.stays:
            removals.append(Removal(leftover=leftover, fate=Fate.KEEP, reason="it holds files that git ignores"))
        else:
            removals.append(_removal(leftover))
    removals += stale_signal_directories(run)
    return attrs.evolve(
        _empty(run, Verb.CLEAN),
        stops=tuple(agent for agent in run.agents if not run.is_at_work(agent)),
        removals=tuple(removals),
        with_ignored=ignored,
        protocol_files=run.protocol_files,
    )


def plan_cancel(run: RecordedRun, given: Iterable[str] = (), *, driven: bool = False) -> RepairPlan:
    """Plan to end what is at work.

    Args:
        run: The run.
        given: Ids of tasks; none means all.
        driven: Whether some process drives the run, which then does it; tasks that are named will not begin either.

    Raises:
        NothingSelected: None of it is under way.
        UserError: There is no such task.
    """
    named = known_tasks(run.state, given)
    wanted = {
        task.id
        for task in run.state.tasks.values()
        if (task.id in named and driven and task.status not in ENDED)
        or (task.status in UNDER_WAY and (not named or task.id in named))
    }
    agents = _agents_of(run, named or run.state.tasks)
    ends = bool(run.state.run_id) and not named and run.state.outcome is None
    if not wanted and not agents and not (driven and ends):
        raise NothingSelected("nothing of it is at work, so there is nothing to cancel; see `agentrelay status`")
    tasks = tuple(
        TaskChange(
            task_id=task.id,
            workstream_id=task.workstream_id,
            was=task.status.value,
            becomes="failed",
            attempt_num=task.attempt_num,
        )
        for task in run.state.tasks.values()
        if task.id in wanted
    )
    return attrs.evolve(
        _empty(run, Verb.CANCEL),
        stops=agents,
        tasks=tasks,
        removals=tuple(map(_rescue, _worktrees_of(run, wanted))),
        outcome="cancelled" if ends else "",
    )


def _empty(run: RecordedRun, verb: Verb) -> RepairPlan:
    return RepairPlan(verb=verb, graph=run.graph, run_id=run.state.run_id, state_dir=run.state_dir)


def _again(run: RecordedRun, wanted: Collection[str], hanging: dict[str, str]) -> Iterator[TaskChange]:
    for task in run.state.tasks.values():
        if task.id in wanted or task.id in hanging:
            yield TaskChange(
                task_id=task.id,
                workstream_id=task.workstream_id,
                was=task.status.value,
                becomes="pending",
                attempt_num=task.next_attempt,
                reason=_why(task, hanging.get(task.id)),
            )


def _why(task: TaskRecord, hangs_on: str | None) -> str:
    parts = [f"hangs on {hangs_on}"] if hangs_on else []
    if task.status in DONE:
        parts.append("what is merged stays merged")
    return ", ".join(parts)


def _agents_of(run: RecordedRun, tasks: Collection[str]) -> tuple[LiveAgent, ...]:
    return tuple(agent for agent in run.agents if agent.task_id in tasks)


def _worktrees_of(run: RecordedRun, tasks: Collection[str]) -> list[Leftover]:
    """The worktrees that tasks may have left something in: of their workstreams, unless another task has it now."""
    lanes = {run.state.tasks[task_id].workstream_id for task_id in tasks}
    return [
        each
        for each in run.leftovers
        if each.kind == "worktree" and each.workstream_id in lanes and (not each.task_id or each.task_id in tasks)
    ]


def _branch_to_clean(leftover: Leftover, at_work: Collection[str], of_tasks: frozenset[str]) -> Removal:
    if leftover.task_id in at_work:
        return Removal(leftover=leftover, fate=Fate.KEEP, reason="an agent is at work on it")
    if not set(leftover.safe_in) - of_tasks and not leftover.stays:
        return Removal(leftover=leftover, fate=Fate.KEEP, reason="its commits are merged nowhere")
    return _removal(leftover, of_tasks)


def _all_but_ignored(leftovers: Collection[Leftover]) -> Iterator[Removal]:
    """Everything goes but worktrees with ignored files; these are left clean."""
    gone = frozenset(f"refs/heads/{each.name}" for each in leftovers if each.kind == "branch" and not each.stays)
    for leftover in leftovers:
        if leftover.ignored and not leftover.stays:
            fate = Fate.RESCUE if leftover.files else Fate.KEEP
            yield Removal(leftover=leftover, fate=fate, reason="it holds files that git ignores, which stay")
        else:
            yield _removal(leftover, gone)


def _removal(leftover: Leftover, gone: frozenset[str] = frozenset()) -> Removal:
    """Something goes.

    Args:
        leftover: What.
        gone: Refs that go with it, and so keep nothing.
    """
    if leftover.stays:
        return Removal(leftover=leftover, fate=Fate.KEEP, reason=leftover.stays)
    safe = set(leftover.safe_in) - gone
    reason = leftover.note
    if leftover.kind == "branch":
        reason = f"its commits are in {_nearest(safe)}" if safe else "its commits are kept"
    elif leftover.files:
        reason = f"{leftover.files} files in no commit are kept"
    return Removal(leftover=leftover, fate=Fate.REMOVE, reason=reason)


def _rescue(leftover: Leftover) -> Removal:
    if leftover.stays:
        return Removal(leftover=leftover, fate=Fate.KEEP, reason=leftover.stays)
    if not leftover.files:
        return Removal(leftover=leftover, fate=Fate.KEEP, reason="all that it holds is committed")
    return Removal(leftover=leftover, fate=Fate.RESCUE, reason=f"{leftover.files} files in no commit are kept")


def _nearest(refs: Collection[str]) -> str:
    return min(refs, key=lambda ref: (not ref.startswith("refs/heads/"), ref)).removeprefix("refs/heads/")
