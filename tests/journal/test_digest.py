"""The digest: the same for the same wishes, another for others."""

import subprocess
import sys
import time

import attrs
import pytest

from agentrelay_core.journal import graph_digest
from agentrelay_core.journal.digest import graph_data
from agentrelay_core.spec import (
    AgentConfig,
    AgentEnvironment,
    RetryPolicy,
    ReviewConfig,
    RunSettings,
    TaggedPath,
    Task,
    TaskGraph,
    WorkstreamSpec,
)


@attrs.frozen(kw_only=True)
class Here(AgentEnvironment):
    """An environment of a plugin."""


@attrs.frozen(kw_only=True)
class There(AgentEnvironment):
    """Another, with the same fields."""


GRAPH = TaskGraph(
    name="g",
    tasks=(
        Task(
            id="a",
            role="implementer",  # type: ignore[arg-type]  # converted
            paths=(TaggedPath("src/a.py", "src"),),
            primary_agent=AgentConfig(environment=Here(), env={"B": "2", "A": "1"}, options={"command": ["x", "y"]}),  # type: ignore[arg-type]
            review=ReviewConfig(AgentConfig(framework="claude_code")),
            retry=RetryPolicy(maximum_attempts=3),
        ),
        Task(id="b", dependencies=("a",)),
    ),
)
# A run that began with an earlier version must find its graph unedited.
RELEASED = "097fc6bbe9b6301cb93bc4ce059b620a4c4b9671cd52ff784553bfc642695b72"


def test_a_released_digest_stays() -> None:
    """The digest of this graph is what the first version computed."""
    assert graph_digest(GRAPH) == RELEASED


def test_every_process_agrees() -> None:
    """Another process, with another hash seed, computes the same."""
    code = (
        "from agentrelay_core.journal import graph_digest; from agentrelay_core.spec import *; "
        "agent = AgentConfig(env={'A': '1', 'B': '2'}); "
        "print(graph_digest(TaskGraph(name='g', tasks=[Task(id='a', primary_agent=agent)])))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout.strip()
        for seed in "12"
    }
    task = Task(id="a", primary_agent=AgentConfig(env={"B": "2", "A": "1"}))  # type: ignore[arg-type]
    assert seen == {graph_digest(TaskGraph(name="g", tasks=(task,)))}


def test_what_is_no_edit() -> None:
    """Another order of tasks, spelled-out defaults and other run settings leave the digest as it is."""
    graph = attrs.evolve(
        GRAPH,
        tasks=tuple(reversed(GRAPH.tasks)),
        workstreams=(WorkstreamSpec(id="default", auto_merge=False),),
        settings=RunSettings(max_concurrency=9),
    )
    assert graph_digest(graph) == graph_digest(GRAPH)


@pytest.mark.parametrize(
    "graph",
    [
        attrs.evolve(GRAPH, name="h"),
        attrs.evolve(GRAPH, tasks=GRAPH.tasks[:1]),
        attrs.evolve(GRAPH, tasks=(GRAPH.tasks[0], Task(id="b"))),
        attrs.evolve(GRAPH, workstreams=(WorkstreamSpec(id="w"),)),
        attrs.evolve(
            GRAPH, tasks=(attrs.evolve(GRAPH.tasks[0], primary_agent=AgentConfig(environment=There())), GRAPH.tasks[1])
        ),
        attrs.evolve(
            GRAPH, tasks=(attrs.evolve(GRAPH.tasks[0], primary_agent=AgentConfig(environment=Here())), GRAPH.tasks[1])
        ),
    ],
)
def test_what_is_an_edit(graph: TaskGraph) -> None:
    """Another name, task, dependency, lane, environment or option changes the digest."""
    assert graph_digest(graph) != graph_digest(GRAPH)


def test_environments_differ_by_type() -> None:
    """Two environments with the same fields are two."""
    digests = {
        graph_digest(TaskGraph(name="g", tasks=(Task(id="a", primary_agent=AgentConfig(environment=environment)),)))
        for environment in (Here(), There(), AgentEnvironment())
    }
    assert len(digests) == 3


def test_what_is_not_plain_is_refused() -> None:
    """A value whose text could differ from process to process is an error, not a digest."""
    with pytest.raises(TypeError, match="is not plain data"):
        graph_digest(TaskGraph(name="g", tasks=(Task(id="a", isolation=object()),)))


def test_no_graph_is_taken_for_another() -> None:
    """Asking in turns about two graphs gives each its own digest, and changing the answer changes no later one."""
    other = attrs.evolve(GRAPH, tasks=GRAPH.tasks[:1])
    for _ in range(2):
        assert list(graph_data(GRAPH)["task_digests"]) == ["a", "b"]
        graph_data(GRAPH)["task_digests"].clear()
        assert list(graph_data(other)["task_digests"]) == ["a"]
        assert graph_digest(GRAPH) == RELEASED


def test_ten_thousand_tasks_are_quick() -> None:
    """10,000 tasks take less than 0.3 s of CPU (best of three)."""
    agent = AgentConfig(options={"command": "make"}, environment=Here())  # type: ignore[arg-type]
    tasks = [
        Task(id=f"t{n}", description="Do it.", dependencies=(f"t{n - 1}",), primary_agent=agent) for n in range(10_000)
    ]
    graph = TaskGraph(name="g", tasks=tuple(tasks))

    def cost() -> float:
        began = time.process_time()
        graph_digest(graph)
        return time.process_time() - began

    assert min(cost() for _ in range(3)) < 0.3
