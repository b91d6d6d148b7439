"""The order in which tasks start."""

from hypothesis import given
from hypothesis import strategies as st

from agentrelay_core import Task
from agentrelay_core.orchestrator.schedule import Schedule


@st.composite
def graphs(draw):
    """Random acyclic graphs over a few lanes."""
    size = draw(st.integers(1, 14))
    tasks = []
    for number in range(size):
        upstream = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        lane = draw(st.sampled_from(["x", "y", "z"]))
        tasks.append(
            Task(id=f"t{number}", workstream_id=lane, dependencies=[f"t{other}" for other in sorted(upstream)])
        )
    return draw(st.permutations(tasks))


@given(graphs(), st.integers(1, 4), st.booleans(), st.data())
def test_tasks_start_only_when_they_may(tasks, places, lanes, data):
    """Dependencies are done first, lanes and places hold, failures block what hangs on them, and nothing is lost."""
    by_id = {task.id: task for task in tasks}
    schedule = Schedule(tasks, max_concurrency=places, lanes=lanes)
    running, done, failed, blocked = [], set(), set(), set()
    while True:
        while (task_id := schedule.next()) is not None:
            task = by_id[task_id]
            assert set(task.dependencies) <= done
            if lanes:
                assert task.workstream_id not in {by_id[other].workstream_id for other in running}
            running.append(task_id)
            assert len(running) == schedule.running <= places
        if not running:
            break
        ended = running.pop(data.draw(st.integers(0, len(running) - 1)))
        if data.draw(st.integers(0, 4)):
            schedule.done(ended)
            done.add(ended)
        else:
            failed.add(ended)
            new = schedule.failed(ended)
            assert not blocked & set(new)
            blocked.update(new)
    assert done | failed | blocked == set(by_id)
    assert all(set(by_id[task_id].dependencies) & (failed | blocked) for task_id in blocked)
    assert schedule.left() == []


def test_among_equals_the_order_of_the_file_wins():
    """Tasks that are ready at one time start in the order in which they were written."""
    schedule = Schedule([Task(id=name) for name in "cab"], max_concurrency=9, lanes=False)
    assert [schedule.next() for _ in range(4)] == ["c", "a", "b", None]


def test_a_task_waits_for_what_is_not_run():
    """A dependency that is neither done nor to be run keeps its dependants waiting."""
    schedule = Schedule([Task(id="b", dependencies=["a"])], max_concurrency=1)
    assert schedule.next() is None
    assert schedule.left() == ["b"]
    assert Schedule([Task(id="b", dependencies=["a"])], done={"a"}, max_concurrency=1).next() == "b"
