"""What is wrong with a graph built in Python is found all at once."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentrelay_core.spec import (
    AgentRole,
    Deadlines,
    InputFrom,
    RetryPolicy,
    RunSettings,
    Task,
    TaskGraph,
    WorkstreamSpec,
)
from agentrelay_core.spec.cycles import circles
from agentrelay_core.spec.validation import Problem, graph_problems


def task(task_id: str, *dependencies: str, **fields: object) -> Task:
    return Task(id=task_id, description="Do it.", dependencies=dependencies, **fields)  # type: ignore[arg-type]


def lane(lane_id: str, parent: str | None = None, target: str | None = None) -> WorkstreamSpec:
    return WorkstreamSpec(id=lane_id, parent_workstream_id=parent, merge_target_branch=target)


def problems(*tasks: Task, name: str = "g", **fields: object) -> list[Problem]:
    return graph_problems(TaskGraph(name=name, tasks=tasks, **fields))  # type: ignore[arg-type]


def test_good() -> None:
    """A good graph has no problems."""
    lanes = (lane("docs"), lane("below", "docs"))
    assert problems(task("a"), task("b", "a", inputs_from=(InputFrom("a"),)), workstreams=lanes) == []


@pytest.mark.fault("I5")
@pytest.mark.parametrize(
    ("found", "code", "where", "words"),
    [
        (problems(), "AR304", ("tasks",), "no tasks"),
        (problems(task("a"), name="a b"), "AR301", ("name",), "'a b' must start with"),
        (problems(task("../x")), "AR301", ("tasks", 0, "id"), "'../x' must start with"),
        (problems(task("a"), task("a")), "AR302", ("tasks", 1, "id"), "'a' is given twice"),
        (problems(task("a"), task("A")), "AR303", ("tasks", 1, "id"), "'A' differs from 'a' in case alone"),
        (problems(Task(id="a", description=" ")), "AR305", ("tasks", 0), "no description"),
        (problems(task("spec"), task("b", "spce")), "AR306", ("tasks", 1, "dependencies", 0), "'spce'"),
        (problems(task("a"), task("b", "a", "a")), "AR307", ("tasks", 1, "dependencies", 1), "twice"),
        (problems(task("a", "a")), "AR308", ("tasks", 0, "dependencies", 0), "itself"),
        (
            problems(task("x", "b"), task("b", "c"), task("c", "x", "d"), task("d")),
            "AR309",
            ("tasks", 0, "dependencies", 0),
            "x -> b -> c -> x",
        ),
        (problems(task("a", inputs_from=(InputFrom("b"),)), task("b")), "AR310", ("tasks", 0, "inputs_from", 0), "'b'"),
        (problems(task("a", workstream_id="w")), "AR311", ("tasks", 0, "workstream_id"), "'w', which is not there"),
        (
            problems(task("a"), workstreams=(lane("w", target="agentrelay/g@v"),)),
            "AR311",
            ("workstreams", 1, "merge_target_branch"),
            "'v', which is not there",
        ),
        (
            problems(task("a"), workstreams=(lane("w", "v"),)),
            "AR312",
            ("workstreams", 1, "parent_workstream_id"),
            "parent 'v'",
        ),
        (
            problems(task("a"), workstreams=(lane("w", "v"), lane("v", "w"))),
            "AR313",
            ("workstreams", 1, "parent_workstream_id"),
            "w -> v -> w",
        ),
        (problems(task("a"), workstreams=(lane("w", "w"),)), "AR313", ("workstreams", 1, "parent_workstream_id"), "w"),
        (
            problems(task("a"), workstreams=(lane("u"), lane("v", "u"), lane("w", "v"), lane("x", "w"))),
            "AR314",
            ("workstreams", 3, "parent_workstream_id"),
            "'w' is nested 2 deep; max_workstream_depth is 1",
        ),
        (
            problems(task("a"), workstreams=(lane("u", target="agentrelay/g@v"), lane("v", target="agentrelay/g@u"))),
            "AR315",
            ("workstreams", 1, "merge_target_branch"),
            "u -> v -> u",
        ),
        (
            problems(task("a"), workstreams=(lane("v", "u"), lane("u", target="agentrelay/g@v"))),
            "AR315",
            ("workstreams", 2, "merge_target_branch"),
            "v -> u -> v",
        ),
        (
            problems(task("a"), workstreams=(lane("u", target="agentrelay/g@u"),)),
            "AR315",
            ("workstreams", 1, "merge_target_branch"),
            "u -> u",
        ),
        (
            problems(task("a", deadlines=Deadlines(wall=0))),
            "AR316",
            ("tasks", 0, "deadlines", "wall"),
            "more than 0 seconds",
        ),
        (
            problems(task("a", retry=RetryPolicy(backoff_coefficient=float("nan")))),
            "AR316",
            ("tasks", 0, "retry", "backoff_coefficient"),
            "1 or more, not nan",
        ),
        (problems(task("a"), max_workstream_depth=-1), "AR316", ("max_workstream_depth",), "0 or more, not -1"),
    ],
)
def test_one_problem(found: list[Problem], code: str, where: tuple[object, ...], words: str) -> None:
    """Each mistake gives its one problem, with its code, its place and a sentence."""
    assert [(problem.code, problem.where) for problem in found] == [(code, where)]
    assert words in found[0].message


def test_did_you_mean() -> None:
    """A misspelt dependency is told what it was meant to be."""
    assert problems(task("spec"), task("b", "spce"))[0].hint == "did you mean 'spec'?"


def test_role_needs_no_description() -> None:
    """A task of any other role than generic needs no description."""
    assert problems(Task(id="a", role=AgentRole.IMPLEMENTER)) == []


def test_lanes_may_cross() -> None:
    """Task dependencies may go back and forth between lanes."""
    tasks = task("a"), task("b", "a", workstream_id="docs"), task("c", "b"), task("d", "c", workstream_id="docs")
    assert problems(*tasks, workstreams=(lane("docs"),)) == []


def test_bad_settings() -> None:
    """A setting that counts something is a whole number."""
    found = problems(task("a"), settings=RunSettings(max_concurrency=True))
    assert [problem.where for problem in found] == [("settings", "max_concurrency")]


NODES = "abcdefg"


@pytest.mark.fault("I5")
@given(st.dictionaries(st.sampled_from(NODES), st.lists(st.sampled_from(NODES), max_size=4), max_size=7))
def test_circles(edges: dict[str, list[str]]) -> None:
    """Every tangle gives one real circle, and a graph without circles none."""
    found = circles(edges)
    for circle in found:
        assert len(circle) == len(set(circle)) > 1
        assert all(after in edges[node] for node, after in zip(circle, [*circle[1:], circle[0]], strict=True))

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for target in edges.get(waiting.pop(), ()):
                if target not in seen and target in edges:
                    seen.add(target)
                    waiting.append(target)
        return seen

    tangles = {frozenset(other for other in reach(node) if node in reach(other)) for node in edges}
    tangles = {tangle for tangle in tangles if len(tangle) > 1}
    assert {frozenset(tangle) for tangle in tangles} == {
        next(tangle for tangle in tangles if circle[0] in tangle) for circle in found
    }
    assert len(found) == len(tangles)


def test_linear() -> None:
    """Twenty thousand tasks, in one chain that is a circle, are judged within seconds and without recursion."""
    tasks = [task(f"t{number}", f"t{(number + 1) % 20_000}") for number in range(20_000)]
    started = time.process_time()
    found = problems(*tasks)
    assert [problem.code for problem in found] == ["AR309"]
    assert time.process_time() - started < 5
