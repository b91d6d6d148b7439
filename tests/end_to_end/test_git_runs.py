"""Graphs become merged branches in real repositories, with real processes as agents."""

import re

import pytest

from agentrelay_core import TaskStatus, WorkstreamSpec
from agentrelay_core.orchestrator import RunOutcome
from agentrelay_core.processes import find_marked


def _merges(repository, branch):
    return [line.split(":")[0] for line in repository.lines("log", "--merges", "--reverse", "--format=%s", branch)]


async def test_every_task_ends_as_one_merge_of_its_integration_branch(repository, relay, task):
    """The lanes hold one merge per task, dependencies' work is there, and nothing is left behind."""
    head = repository.git("rev-parse", "main")
    result = await relay(
        task("a"),
        task("b", "test -e a.txt && echo b > b.txt", "a"),
        task("c", "test -e a.txt && git add -A && echo c > c.txt", "a", workstream_id="side"),
        task("d", "test -e b.txt && test -e c.txt && echo d > d.txt", "b", "c"),
        workstreams=[WorkstreamSpec(id="side")],
    )
    assert result.outcome is RunOutcome.SUCCEEDED, [r.error for r in result.tasks.values()]
    merges = _merges(repository, "agentrelay/g@default")
    assert sorted(name for name in merges if name in "abcd") == ["a", "b", "c", "d"]
    files = repository.lines("ls-tree", "--name-only", "agentrelay/g@default")
    assert files == ["README", "a.txt", "b.txt", "c.txt", "d.txt"]
    assert repository.git("rev-parse", "main") == head
    assert repository.git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert repository.git("status", "--porcelain") == ""
    assert len(repository.lines("worktree", "list")) == 1
    assert repository.git("fsck", "--strict", "--no-progress") == ""
    signal_root = repository.path / ".workflow"
    assert not find_marked("AGENTRELAY_RUN_ID", result.run_id)
    assert {path.name for path in signal_root.glob("g/signals/*/*/.merged")} == {".merged"}


async def test_a_commit_made_by_the_agent_is_its_work(repository, relay, task):
    """An agent may commit itself, and signal with its helper."""
    command = "echo x > x.txt && git add x.txt && git commit -qm 'Add x' && agentrelay-task concern 'not sure' && "
    result = await relay(task("a", command + "agentrelay-task done"))
    assert result.outcome is RunOutcome.SUCCEEDED
    assert repository.git("log", "-1", "--format=%s", "agentrelay/g@default^2") == "Add x"
    finished = next(event for event in relay.events if event.kind == "task_finished")
    assert finished.data["concerns"] == ["not sure"]


async def test_two_tasks_that_change_one_line_conflict_and_lose_nothing(repository, relay, task):
    """The second one fails, the files are named, and every branch is as it was."""
    result = await relay(
        task("a", "echo one > README", workstream_id="x"),
        task("b", "echo two > README", workstream_id="y"),
        task("c", "echo three > c.txt", "a", "b", workstream_id="x"),
        workstreams=[WorkstreamSpec(id="x"), WorkstreamSpec(id="y")],
    )
    assert result.outcome is RunOutcome.FAILED
    assert "README" in result.tasks["c"].error
    assert repository.git("show", "agentrelay/g@x:README") == "one"
    assert repository.git("show", "agentrelay/g@y:README") == "two"


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("true", "done without evidence|nothing"),
        ("echo boom >&2; exit 3", "boom"),
        ("agentrelay-task failed 'too hard'", "too hard"),
        ("no-such-program-at-all", "no-such-program-at-all"),
    ],
)
async def test_a_failure_is_told_as_it_was(repository, relay, task, command, error):
    """Nothing changed, an exit code, the agent's own word, a program that is missing: never a success."""
    result = await relay(task("a", command))
    assert result.outcome is RunOutcome.FAILED
    assert re.search(error, result.tasks["a"].error)
    assert not repository.lines("branch", "--list", "agentrelay/g@default") or not _merges(
        repository, "agentrelay/g@default"
    )


async def test_a_gate_is_given_back_and_mended(repository, relay, task):
    """The gate's output reaches the agent, and its second try is merged."""
    command = 'if grep -q "please" "$AGENTRELAY_INSTRUCTIONS"; then echo good > f; else echo bad > f; fi'
    gate = "grep -q good f || { echo please write good; exit 1; }"
    result = await relay(task("a", command, completion_gate=gate))
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    assert repository.git("show", "agentrelay/g@default:f") == "good"


async def test_a_retry_starts_from_the_integration_branch_with_the_last_error(repository, relay, task):
    """The second attempt has its own branch, and its instructions carry the reason."""
    command = 'grep -q "first try" "$AGENTRELAY_INSTRUCTIONS" && echo ok > ok.txt || { echo first try; exit 1; }'
    result = await relay(task("a", command), max_task_attempts=2)
    assert result.outcome is RunOutcome.SUCCEEDED, result.tasks["a"].error
    prepared = [event.message for event in relay.events if event.kind == "task_prepared"]
    assert prepared == ["branch=agentrelay/g/a", "branch=agentrelay/g/a@1"]


async def test_the_next_run_goes_on_with_what_is_not_done(repository, relay, task):
    """What is merged stays merged; what failed is tried again; then there is nothing to do."""
    flag = repository.path.parent / "flag"
    tasks = [task("a"), task("b", f"test -e {flag} && echo b > b.txt", "a")]
    assert (await relay(*tasks)).outcome is RunOutcome.FAILED
    flag.touch()
    again = await relay(*tasks)
    assert again.outcome is RunOutcome.SUCCEEDED, again.tasks["b"].error
    assert again.tasks["a"].status is TaskStatus.PR_MERGED
    assert sorted(_merges(repository, "agentrelay/g@default")) == ["a", "b"]
    assert (await relay(*tasks)).outcome is RunOutcome.NOTHING_TO_DO


async def test_auto_merge_moves_a_branch_that_nobody_has_checked_out(repository, relay, task):
    """The target gets the lane's work; a target that is checked out is left, and the command to type is told."""
    repository.git("branch", "release")
    lane = WorkstreamSpec(id="default", merge_target_branch="release", auto_merge=True)
    result = await relay(task("a"), workstreams=[lane])
    assert result.outcome is RunOutcome.SUCCEEDED
    assert "a.txt" in repository.lines("ls-tree", "--name-only", "release")


async def test_a_checked_out_target_is_never_moved(repository, relay, task):
    """The run ends with exit 4 and says what to type."""
    head = repository.git("rev-parse", "main")
    result = await relay(task("a"), workstreams=[WorkstreamSpec(id="default", auto_merge=True)])
    assert (result.outcome, result.exit_code) == (RunOutcome.PARKED, 4)
    assert "git merge" in result.workstreams["default"].error
    assert repository.git("rev-parse", "main") == head


async def test_uncommitted_work_of_the_user_stays_byte_for_byte(repository, relay, task):
    """Index, changed files and untracked files are as they were."""
    (repository.path / "README").write_text("changed\n")
    (repository.path / "staged").write_text("staged\n")
    repository.git("add", "staged")
    (repository.path / "untracked").write_text("untracked\n")
    before = repository.git("status", "--porcelain"), (repository.path / ".git" / "index").read_bytes()
    await relay(task("a", "echo agent > README"))
    assert (repository.git("status", "--porcelain"), (repository.path / ".git" / "index").read_bytes()) == before
    assert repository.git("diff", "--no-color", "--unified=0").endswith("+changed")
