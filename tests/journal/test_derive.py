"""Derived state: the same whether events come one by one, in pieces through a file, or all at once."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agentrelay_core.cli.standing import note
from agentrelay_core.journal import (
    Journal,
    RunState,
    WorkstreamStatus,
    apply,
    kinds,
    read_events,
    read_state,
    rebuild,
    run_started_event,
)
from agentrelay_core.runtime import Event, TaskState, TaskStatus
from agentrelay_core.runtime.status import LEGAL_EDGES
from agentrelay_core.spec import Task, TaskGraph, WorkstreamSpec

GRAPH = TaskGraph(
    name="g",
    tasks=(Task(id="a"), Task(id="b", workstream_id="w"), Task(id="c", dependencies=("a",))),
    workstreams=(WorkstreamSpec(id="w"),),
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
OUTCOMES = st.sampled_from(["pr_merged", "completed", "failed", "running"])
TASKS = st.sampled_from("abc") | st.sampled_from(["unlisted"])
ENDED = st.fixed_dictionaries(
    {"status": OUTCOMES},
    optional={
        "pr_url": st.none() | TEXT,
        "error": st.none() | TEXT,
        "failure_class": st.sampled_from([None, "expected_task_failure", "internal_error"]),
        "concerns": st.lists(TEXT, max_size=2),
        "parked": st.booleans(),
    },
)
DATA: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    kinds.RUN_STARTED: st.just(dict(run_started_event("r", GRAPH).data)),
    kinds.RUN_FINISHED: st.fixed_dictionaries({"outcome": TEXT}),
    kinds.RUN_RESET: st.just({}) | st.fixed_dictionaries({"tasks": st.lists(TASKS)}),
    kinds.TASK_FINISHED: ENDED,
    kinds.TASK_ENDED: ENDED,
    kinds.TASK_LAUNCHED: st.just({}) | st.fixed_dictionaries({"agent": st.dictionaries(TEXT, TEXT)}),
    kinds.TASK_RETRYING: st.fixed_dictionaries({"delay": st.floats(0, 60)}, optional={"error": TEXT}),
    kinds.TASK_USAGE: st.dictionaries(st.sampled_from(["input_tokens", "cost_usd", "of"]), st.integers(0, 9) | TEXT),
    kinds.TASK_THROTTLED: st.just({}) | st.fixed_dictionaries({"until": st.floats(0, 1e10)}),
    kinds.TASK_BLOCKED: st.fixed_dictionaries({"by": TASKS | st.lists(TASKS)}),
    kinds.WORKSTREAM_OPENED: st.fixed_dictionaries({"branch": TEXT}),
    kinds.WORKSTREAM_INTEGRATED: st.fixed_dictionaries({"pr_url": st.none() | TEXT, "merged": st.booleans()}),
}
KINDS = sorted(value for name, value in vars(kinds).items() if name.isupper())


@st.composite
def events(draw: st.DrawFn) -> Event:
    """An event of any kind, known or not."""
    kind = draw(st.sampled_from([*KINDS, "of_a_later_version"]))
    return Event(
        kind=kind,
        task_id=draw(TASKS) if kind.startswith("task") else "",
        workstream_id=draw(st.sampled_from(["default", "w", "unlisted"])),
        attempt_num=draw(st.integers(0, 3)),
        message=draw(TEXT),
        timestamp=draw(st.floats(0, 4e9)),
        data=draw(DATA.get(kind, st.just({}))),
    )


@given(st.lists(st.lists(events(), max_size=8), max_size=5))
@settings(max_examples=60, deadline=None)
def test_followed_is_rebuilt(pieces: list[list[Event]]) -> None:
    """A reader that follows a live journal piece by piece ends with what a fresh reader rebuilds from the file."""
    followed = RunState()
    with TemporaryDirectory() as directory:
        path = Path(directory) / "journal.sqlite"
        for piece in pieces:
            journal = Journal.open(path, durability="process_death")
            for event in piece:
                journal.append(event)
            journal.close()
            for sequence, event in read_events(path, after=followed.sequence):
                apply(followed, event)
                assert followed.sequence == sequence
        if pieces:
            assert read_state(path) == followed
    assert rebuild(event for piece in pieces for event in piece) == followed


@given(st.data())
@settings(deadline=None)
def test_status_follows_the_legal_edges(data: st.DataObject) -> None:
    """However a task walks through its life, the derived status and attempt are those of its `TaskState`."""
    truth, state = TaskState(), rebuild([run_started_event("r", GRAPH)])

    def tell(kind: str, **fields: Any) -> None:
        apply(state, Event(kind=kind, task_id="a", workstream_id="default", attempt_num=truth.attempt_num, **fields))

    while LEGAL_EDGES[truth.status] and data.draw(st.booleans(), label="go on"):
        to = data.draw(st.sampled_from(sorted(LEGAL_EDGES[truth.status])))
        if to is TaskStatus.PENDING:
            tell(kinds.TASK_RETRYING, data={"delay": 0})
            truth.attempt_num += 1
        elif to is TaskStatus.RUNNING:
            tell(kinds.TASK_STARTED)
        elif to is TaskStatus.PR_CREATED:
            tell(kinds.TASK_PR_MERGING, message="url")
        else:
            tell(kinds.TASK_FINISHED, data={"status": to.value})
        truth.transition(to)
        assert (state.tasks["a"].status, state.tasks["a"].attempt_num) == (truth.status, truth.attempt_num)


def test_a_started_run_knows_its_tasks_and_lanes() -> None:
    """From its first event on, a run lists every task with its lane, in the graph's order."""
    state = rebuild([run_started_event("r", GRAPH)])
    assert {record.id: record.workstream_id for record in state.tasks.values()} == {
        "a": "default",
        "b": "w",
        "c": "default",
    }
    assert {record.status for record in state.workstreams.values()} == {WorkstreamStatus.PENDING}


def test_a_new_attempt_forgets_the_old_one() -> None:
    """Branch, label, pull request and error are the latest attempt's; a retry keeps the error for it to read."""
    place: dict[str, Any] = {"task_id": "a", "workstream_id": "default"}
    state = rebuild(
        [
            run_started_event("r", GRAPH),
            Event(kind=kinds.TASK_STARTED, **place),
            Event(kind=kinds.TASK_PREPARED, message="branch=agentrelay/g/a", **place),
            Event(kind=kinds.TASK_LAUNCHED, message="%3", **place),
            Event(kind=kinds.TASK_PR_MERGING, message="url", **place),
            Event(kind=kinds.TASK_FINISHED, data={"status": "failed", "error": "E: no", "parked": True}, **place),
        ]
    )
    record = state.tasks["a"]
    assert (record.branch, record.label, record.pr_url) == ("agentrelay/g/a", "%3", "url")
    assert record.parked
    apply(state, Event(kind=kinds.TASK_RETRYING, data={"delay": 1, "error": "E: no"}, **place))
    assert (record.status, record.attempt_num, record.error) == (TaskStatus.PENDING, 1, "E: no")
    apply(state, Event(kind=kinds.TASK_STARTED, attempt_num=1, **place))
    assert (record.branch, record.label, record.pr_url, record.error, record.parked) == (None, None, None, None, False)
    assert record.finished_at is None


def test_resuming_frees_what_was_blocked() -> None:
    """A resumed run goes on: no outcome, nothing blocked; what is done stays done."""
    state = rebuild(
        [
            run_started_event("r", GRAPH),
            Event(kind=kinds.TASK_FINISHED, task_id="b", data={"status": "pr_merged"}),
            Event(kind=kinds.TASK_BLOCKED, task_id="c", data={"by": "a"}),
            Event(kind=kinds.RUN_FINISHED, data={"outcome": "failed"}),
        ]
    )
    assert (state.outcome, state.tasks["c"].blocked_by) == ("failed", ("a",))
    apply(state, Event(kind=kinds.RUN_RESUMED))
    assert (state.outcome, state.finished_at, state.tasks["c"].blocked_by) == (None, None, ())
    assert state.tasks["b"].status is TaskStatus.PR_MERGED


def test_reset_goes_back() -> None:
    """Resetting tasks makes them pending; resetting the run leaves none."""
    state = rebuild(
        [
            run_started_event("r", GRAPH),
            Event(kind=kinds.TASK_FINISHED, task_id="b", data={"status": "pr_merged"}),
            Event(kind=kinds.RUN_RESET, data={"tasks": ["b"]}),
        ]
    )
    assert (state.tasks["b"].status, state.tasks["b"].workstream_id) == (TaskStatus.PENDING, "w")
    apply(state, Event(kind=kinds.RUN_RESET))
    assert state == RunState(sequence=4)


def test_a_lane_that_waits_for_a_person_says_why() -> None:
    """A parked or failed workstream keeps the reason until it is opened again."""
    state = rebuild(
        [
            Event(kind=kinds.WORKSTREAM_PARKED, workstream_id="w", message="git merge x", data={"pr_url": "url"}),
            Event(kind=kinds.WORKSTREAM_FAILED, workstream_id="v", message="conflict in a.txt"),
        ]
    )
    assert (state.workstreams["w"].status, state.workstreams["w"].reason) == (WorkstreamStatus.PARKED, "git merge x")
    assert (state.workstreams["v"].status, state.workstreams["v"].reason) == (
        WorkstreamStatus.FAILED,
        "conflict in a.txt",
    )
    apply(state, Event(kind=kinds.WORKSTREAM_OPENED, workstream_id="w", data={"branch": "b"}))
    assert (state.workstreams["w"].branch, state.workstreams["w"].reason) == ("b", None)


def test_every_kind_is_documented() -> None:
    """Each constant of `kinds` is followed by what it means, and its value is its name."""
    source = Path(kinds.__file__).read_text(encoding="utf-8").splitlines()
    for value in KINDS:
        line = source.index(f'{value.upper()} = "{value}"')
        assert source[line + 1].startswith('"""')


def test_progress_is_that_of_the_attempt() -> None:
    """The latest word stands beside where the agent lives, until it ends; another attempt begins without."""
    place: dict[str, Any] = {"task_id": "a", "workstream_id": "default"}
    state = RunState()
    for event in (
        run_started_event("r", GRAPH),
        Event(kind=kinds.TASK_STARTED, **place),
        Event(kind=kinds.TASK_LAUNCHED, message="process:7", **place),
        Event(kind=kinds.TASK_PROGRESS, message="writing: 1", **place),
        Event(kind=kinds.TASK_PROGRESS, message="writing: 2", **place),
    ):
        apply(state, event)
    assert note(state.tasks["a"]) == "process:7, writing: 2"
    apply(state, Event(kind=kinds.TASK_STARTED, **{**place, "attempt_num": 1}))
    assert state.tasks["a"].progress is None


def test_a_total_of_usage_takes_the_place_of_the_one_before() -> None:
    """What is told of a name again counts once, beside what is told of others and of none."""
    state = RunState()
    for data in (
        {"of": "x", "input_tokens": 5, "cost_usd": 0.5},
        {"input_tokens": 100},
        {"of": "y", "input_tokens": 1000},
        {"of": "x", "input_tokens": 7},
        {"of": "x", "input_tokens": 7},
    ):
        apply(state, Event(kind=kinds.TASK_USAGE, task_id="a", data=data))
    assert state.tasks["a"].usage == {"input_tokens": 1107, "cost_usd": 0}
