"""Plans of repairs and the ending of agents, without a repository: what is selected, and what is never touched."""

import subprocess
import sys

import attrs
import pytest

from agentrelay_core.journal import Journal, RunState, TaskRecord, kinds, run_started_event
from agentrelay_core.orchestrator.repair import recorded
from agentrelay_core.orchestrator.repair.agents import DIRECTORY_VARIABLE, LiveAgent, end_agent, live_agents
from agentrelay_core.orchestrator.repair.plan import Fate
from agentrelay_core.orchestrator.repair.planning import plan_cancel, plan_clean, plan_reset, plan_retry
from agentrelay_core.orchestrator.repair.recorded import RecordedRun, read_recorded
from agentrelay_core.orchestrator.repair.signal_directories import remove_signal_directory
from agentrelay_core.orchestrator.repair.tasks import NothingSelected, hanging_on
from agentrelay_core.processes import ProcessIdentity, identify
from agentrelay_core.runtime import Event, TaskStatus, UserError
from agentrelay_core.spec import Task, TaskGraph
from agentrelay_core.task_runner.repairs import Leftover

SLEEP = [sys.executable, "-c", "import sys; sys.stdin.read()"]


@pytest.fixture
def sleeper():
    """Starts processes that wait for the end of their input, with variables."""
    started = []

    def start(**variables):
        process = subprocess.Popen(SLEEP, stdin=subprocess.PIPE, env=variables, start_new_session=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def record(name, status, *dependencies, lane="default", attempt=0, **fields):
    started = None if status == "pending" else 1.0
    return TaskRecord(
        id=name,
        workstream_id=lane,
        status=TaskStatus(status),
        dependencies=dependencies,
        attempt_num=attempt,
        **{"started_at": started, **fields},
    )


def run_of(tmp_path, *records, **fields):
    state = RunState(run_id="r", graph="g", tasks={each.id: each for each in records})
    plain = {"graph": "g", "repository": tmp_path, "state_dir": tmp_path, "state": state}
    return RecordedRun(**{**plain, "run_ids": frozenset({"r", "earlier"}), **fields})


def agent(task, attempt=0, run="r"):
    identity = ProcessIdentity(pid=1, start_time="0", boot_id="none")
    marker = (DIRECTORY_VARIABLE, f"/{task}/{attempt}")
    return LiveAgent(run_id=run, task_id=task, attempt_num=attempt, marker=marker, processes=(identity,))


def branch(task, *safe_in, **fields):
    return Leftover(kind="branch", name=f"agentrelay/g/{task}", task_id=task, tip="1", safe_in=safe_in, **fields)


@pytest.mark.fault("D5")
async def test_a_number_that_is_used_again_is_nobody_of_ours(sleeper):
    """A process with the recorded number and another start time is not ended."""
    other = sleeper()
    found = identify(other.pid)
    stale = attrs.evolve(found, start_time="1")
    await end_agent(attrs.evolve(agent("a"), processes=(stale,)))
    assert other.poll() is None
    await end_agent(attrs.evolve(agent("a"), processes=(found,)))
    assert other.wait(30) is not None


def test_agents_are_known_by_their_variables_alone(sleeper, tmp_path):
    """What has the variables of an attempt is found, what lacks one of them or has nonsense in it is not."""
    mine = {"AGENTRELAY_RUN_ID": "r", "AGENTRELAY_TASK_ID": "a", "AGENTRELAY_SIGNAL_DIR": str(tmp_path)}
    first, second = (sleeper(**mine, AGENTRELAY_ATTEMPT="2") for _ in range(2))
    sleeper(**mine, AGENTRELAY_ATTEMPT="x")
    sleeper(AGENTRELAY_SIGNAL_DIR=str(tmp_path), AGENTRELAY_ATTEMPT="1")
    (found,) = [each for each in live_agents() if each.marker[1] == str(tmp_path)]
    assert (found.run_id, found.task_id, found.attempt_num) == ("r", "a", 2)
    assert {identity.pid for identity in found.processes} == {first.pid, second.pid}


def test_what_hangs_on_a_task_is_found_near_and_far():
    """Dependants of dependants are found once; in an old journal it is what was blocked."""
    state = RunState(tasks={})
    for each in (record("a", "failed"), record("b", "pending", "a"), record("c", "pending", "b", "a")):
        state.tasks[each.id] = each
    assert hanging_on(state, ["a"]) == {"b": "a", "c": "a"}
    state.tasks["d"] = record("d", "pending", blocked_by=("c",))
    assert hanging_on(state, ["a"])["d"] == "c"


def test_a_retry_is_about_what_failed(tmp_path):
    """What is done stays done, though it hangs on a task that is tried again."""
    run = run_of(tmp_path, record("a", "failed", attempt=2), record("b", "pr_merged", "a"), record("c", "pending", "a"))
    plan = plan_retry(run)
    assert [(change.task_id, change.attempt_num) for change in plan.tasks] == [("a", 3), ("c", 0)]
    assert not plan.destroys
    with pytest.raises(NothingSelected):
        plan_retry(run, ["b"])
    with pytest.raises(UserError, match="did you mean"):
        plan_retry(run, ["aa"])


def test_a_reset_of_what_was_done_asks_first(tmp_path):
    """Even where nothing is removed: the work would be done again."""
    plan = plan_reset(run_of(tmp_path, record("a", "completed")), ["a"])
    assert plan.destroys
    with pytest.raises(NothingSelected):
        plan_reset(run_of(tmp_path, record("a", "pending")), ["a"])
    with pytest.raises(NothingSelected):
        plan_reset(attrs.evolve(run_of(tmp_path), state=RunState()), everything=True)


@pytest.mark.fault("D6")
def test_clean_ends_what_is_over_and_nothing_else(tmp_path):
    """An agent of an ended or earlier attempt goes; one whose attempt the journal does not know to be over stays."""
    run = run_of(
        tmp_path,
        record("a", "failed"),
        record("b", "running", attempt=1, lane="side"),
        agents=(agent("a"), agent("b"), agent("b", 1), agent("b", 1, "earlier"), agent("gone")),
        leftovers=(
            branch("b", "refs/heads/main"),
            branch("a", "refs/heads/main"),
            Leftover(kind="worktree", name="w", workstream_id="side"),
        ),
    )
    plan = plan_clean(run)
    assert plan.stops == (run.agents[0], run.agents[1], run.agents[3], run.agents[4])
    assert [removal.fate for removal in plan.removals] == [Fate.KEEP, Fate.REMOVE, Fate.KEEP]


@pytest.mark.fault("D6")
def test_processes_are_looked_at_before_the_journal(tmp_path, monkeypatch):
    """An agent that is started after the look at processes is not in the plan, whatever the journal says by then."""
    path = tmp_path / "journal.sqlite"
    graph = TaskGraph(name="g", tasks=(Task(id="a", description="x"),))

    def look():
        journal = Journal.open(path, durability="process_death")
        for event in (run_started_event("r", graph), Event(kind=kinds.TASK_STARTED, task_id="a", attempt_num=1)):
            journal.append(event)
        journal.close()
        return [agent("a", 0), agent("a", 0, "of another run")]

    monkeypatch.setattr(recorded, "live_agents", look)
    run = read_recorded(tmp_path, tmp_path, None)
    assert [each.run_id for each in run.agents] == ["r"]
    assert plan_clean(run).stops == run.agents


def test_clean_keeps_what_is_merged_nowhere(tmp_path):
    """A task's branch goes only where another ref reaches its commits; integration branches are no leftovers."""
    lane = Leftover(kind="branch", name="agentrelay/g@default", workstream_id="default", tip="1", safe_in=("x",))
    other = branch("b", "refs/heads/agentrelay/g/a")
    plan = plan_clean(run_of(tmp_path, record("a", "failed"), leftovers=(branch("a"), other, lane)))
    fates = [(removal.leftover.task_id, removal.fate) for removal in plan.removals]
    assert fates == [("a", Fate.KEEP), ("b", Fate.KEEP)]
    assert plan.nothing_to_do


def test_a_cancelled_task_need_not_have_begun_where_somebody_drives_the_run(tmp_path):
    """Without an owner only what is under way can be cancelled; the whole run then is recorded as cancelled."""
    run = run_of(tmp_path, record("a", "running"), record("b", "pending", "a"), record("c", "completed"))
    assert [change.task_id for change in plan_cancel(run, ["b"], driven=True).tasks] == ["b"]
    with pytest.raises(NothingSelected):
        plan_cancel(run, ["b"])
    whole = plan_cancel(run)
    assert [change.task_id for change in whole.tasks] == ["a"]
    assert whole.outcome == "cancelled"
    assert plan_cancel(run, ["a"]).outcome == ""


@pytest.mark.parametrize(
    ("file", "goes"),
    [
        ("turn-2.md", True),
        ("events/1-Stop.json", True),
        ("waiting_input", True),
        ("deep/turn-2.md", False),
        ("events/deep/1-Stop.json", False),
        ("notes.md", False),
    ],
)
def test_files_of_frameworks_go_with_the_directories_of_attempts(tmp_path, file, goes):
    """What a framework says that it writes is no agent's work, at exactly that place; all else keeps the directory."""
    directory = tmp_path / ".workflow/g/signals/a/earlier-0"
    (directory / file).parent.mkdir(parents=True)
    (directory / file).touch()
    run = run_of(tmp_path, record("a", "failed", attempt=1), protocol_files=("turn-*.md", "events/*.json"))
    plan = plan_clean(run)
    (removal,) = plan.removals
    assert removal.fate is (Fate.REMOVE if goes else Fate.KEEP)
    assert goes or file in removal.reason
    remove_signal_directory(directory, plan.protocol_files)
    assert directory.exists() is not goes
