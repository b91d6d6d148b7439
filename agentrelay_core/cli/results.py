"""The end of a run on stdout, for programs, and what is left to be done by people on stderr."""

from collections.abc import Iterator
from pathlib import Path

from agentrelay_core.orchestrator import RunOutcome, RunResult
from agentrelay_core.runtime import TaskStatus
from agentrelay_core.runtime.status import DONE
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_core.spec import TaskGraph
from agentrelay_core.spec.lanes import integration_branch


def result_lines(result: RunResult) -> Iterator[str]:
    """What `run` prints at its end: a line per task, its fields between tabs, then the sums.

    Args:
        result: How the run ended. Tasks that ended without a pull request count as merged too, so that the numbers
            add up to the tasks that were to be run.
    """
    if result.outcome is RunOutcome.NOTHING_TO_DO:
        yield "nothing to do"
        return
    for task in result.tasks.values():
        error = task.error
        by = result.blocked.get(task.task_id)
        if error is None and by:
            error = f"waits for {by}, which failed"
        fields = (task.task_id, task.status.value, task.pr_url, error)
        yield "\t".join(plain_line(field or "") or "-" for field in fields)
    merged = sum(task.status in DONE for task in result.tasks.values())
    failed = sum(task.status == TaskStatus.FAILED for task in result.tasks.values())
    yield f"run {result.run_id}: {merged} merged, {failed} failed, {len(result.blocked)} blocked"


def next_steps(result: RunResult, graph: TaskGraph, repository: Path) -> Iterator[str]:
    """What there is to look at, or to do, after a run.

    Args:
        result: How the run ended.
        graph: Its graph.
        repository: Root of the repository.
    """
    for lane in result.workstreams.values():
        branch = integration_branch(graph.name, lane.id)
        if lane.error is not None:
            what = "waits for you" if lane.parked else "could not be integrated"
            yield f"workstream {lane.id} {what}: {plain_line(lane.error)}"
            yield f"  its work is on the branch {branch}; nothing is lost"
        elif lane.merged:
            yield f"workstream {lane.id} is merged ({plain_line(lane.pr_url or '')})"
        elif lane.pr_url is not None:
            yield f"workstream {lane.id} is done, its pull request is open: {plain_line(lane.pr_url)}"
            yield f"  look:  git -C {repository} log --graph --oneline {branch}"
            if lane.pr_url.startswith(("http://", "https://")):
                yield "  merge: at that address"
            else:
                yield f"  merge: git -C {repository} merge {branch}"
    failed = [task.task_id for task in result.tasks.values() if task.status == TaskStatus.FAILED]
    for task_id in failed[:5]:
        yield f"look:  agentrelay logs {task_id}"
    if len(failed) > 5:
        yield f"       and {len(failed) - 5} more; see `agentrelay status`"
    if failed or result.outcome in (RunOutcome.CANCELLED, RunOutcome.DETACHED):
        yield "go on: agentrelay run"
