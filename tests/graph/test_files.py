"""Graph files in a directory: good ones load, broken ones give exactly the messages that lie beside them."""

import json
from pathlib import Path

import attrs
import pytest

from agentrelay_core.graph import GraphError, UnknownEnvironment, load_graph, read_graph, render_text
from agentrelay_core.spec import (
    AdrVerbosity,
    AgentConfig,
    AgentRole,
    Deadlines,
    InputFrom,
    RetryPolicy,
    ReviewConfig,
    RunSettings,
    TaggedPath,
    TearDownMode,
    WorkstreamSpec,
)

HERE = Path(__file__).parent
SAMPLES = sorted((HERE / "samples").iterdir())
BROKEN = sorted((HERE / "broken").glob("*.yaml"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_samples(path: Path) -> None:
    """Every sample loads without any finding."""
    loaded = read_graph(path)
    assert render_text(loaded.diagnostics) == ""
    assert loaded.graph == load_graph(path)


@pytest.mark.fault("I2")
@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.name)
def test_broken(path: Path) -> None:
    """A broken file gives exactly its messages, with place, text, underline and hint."""
    loaded = read_graph(path, name=path.name)
    assert loaded.graph is None
    assert render_text(loaded.diagnostics) + "\n" == path.with_suffix(".txt").read_text()


def test_twenty() -> None:
    """Twenty different mistakes in one file are twenty findings, none hidden and none twice."""
    with pytest.raises(GraphError) as caught:
        load_graph(HERE / "broken" / "twenty.yaml")
    assert len(caught.value.diagnostics) == 20
    assert len({(item.line, item.column) for item in caught.value.diagnostics}) == 20
    assert str(caught.value) == render_text(caught.value.diagnostics)


@pytest.mark.fault("I2")
def test_every_key() -> None:
    """Every key of a file becomes the field of its name."""
    graph = load_graph(HERE / "samples" / "every_key.yaml")
    coder = AgentConfig(
        framework="claude_code",
        model="opus",
        adr_verbosity=AdrVerbosity.DETAILED,
        environment=UnknownEnvironment(type_name="tmux", fields={"session": 12}),
        env={"LEVEL": "3", "EMPTY": ""},
        pass_env=["API_KEY"],
        isolation={"container": "python", "network": False, "cpus": 1.5},
        options={"max_turns": 30, "verbose": True},
    )
    script = AgentConfig(options={"command": "true"})
    first, second, third = graph.tasks
    assert graph.settings == RunSettings(
        model="sonnet",
        tools=["Read", "Edit"],
        max_concurrency=8,
        max_task_attempts=3,
        teardown_mode=TearDownMode.ON_SUCCESS,
        keep_panes=True,
        fail_fast_on_workstream_error=True,
        fail_fast_on_internal_error=False,
        tmux_session="work",
        anthropic_credential="team",
        forge="github",
        merge_method="squash",
        pr="orchestrator",
        checks=["build", "lint"],
    )
    assert (first.role, first.description, first.completion_gate) == (AgentRole.SPEC_WRITER, "no", "12:30:45")
    assert first.primary_agent == coder
    assert first.primary_agent is second.primary_agent
    assert (first.max_gate_attempts, first.deadlines) == (4, Deadlines(wall=3600))
    assert second.dependencies == ("first",)
    assert second.inputs_from == (InputFrom("first"),)
    assert second.paths == (TaggedPath("src/a.py", "src"), TaggedPath("docs/a.md", "docs"))
    assert second.review == ReviewConfig(script, 2)
    assert second.retry == RetryPolicy(
        initial_interval=90,
        backoff_coefficient=1.5,
        maximum_interval=900,
        maximum_attempts=5,
        non_retryable=("ProtocolViolation",),
    )
    assert second.deadlines == Deadlines(launch=30, kickoff=60.5, stall=300, stall_stop=3600, gate=90, wall=14_400)
    assert second.isolation == "container"
    assert third.inputs_from == (InputFrom("first"), InputFrom("second", "test"))
    assert third.description == "Many lines,\n  kept as they are.\n"
    assert third.completion_gate is None
    assert third.primary_agent.options.as_dict() == {"command": ("make", "all", "3")}
    assert third.primary_agent.environment == UnknownEnvironment(type_name="process")
    assert third.review is not None
    assert third.review.agent == AgentConfig(framework="aider", model="2024-01-01")
    assert (third.pull_request, third.allow_no_changes, third.max_gate_attempts) == (False, True, 1)
    assert graph.max_workstream_depth == 2
    assert graph.workstreams == (
        WorkstreamSpec(id="default"),
        WorkstreamSpec(
            id="outer",
            base_branch="main",
            merge_target_branch="release",
            auto_merge=True,
            isolation="container",
            checks="none",
        ),
        WorkstreamSpec(id="middle", parent_workstream_id="outer", checks="all"),
        WorkstreamSpec(id="inner", parent_workstream_id="middle"),
        WorkstreamSpec(id="plain"),
    )
    assert hash(graph) == hash(load_graph(HERE / "samples" / "every_key.yaml"))


def test_lists_and_mappings_mean_the_same() -> None:
    """Lists of objects with ids and mappings by id give equal graphs."""
    lists = load_graph(HERE / "samples" / "lists.yaml")
    text = """
name: lists
tasks:
  12: {description: An id may look like a number.}
  "13": {description: Folded text., dependencies: [12], workstream_id: docs}
workstreams: {docs: }
"""
    assert read_graph(text).graph == lists


def test_json() -> None:
    """A JSON file is a graph file, escapes of any character included."""
    path = HERE / "samples" / "counter.json"
    graph = load_graph(path)
    assert graph.tasks[0].description == json.loads(path.read_text())["tasks"][0]["description"]
    assert graph.tasks[0].primary_agent.env.as_dict() == {"A": "b/c"}
    assert graph.tasks[0].deadlines == Deadlines(gate=10.5)


def test_the_keys_are_the_fields() -> None:
    """One vocabulary: the table of keys names the fields of the specification, and no more but the short forms."""
    from agentrelay_core.graph.agents import AGENT
    from agentrelay_core.graph.building import GRAPH
    from agentrelay_core.graph.keys import DEADLINES, RETRY, REVIEW, SETTINGS, TASK, WORKSTREAM
    from agentrelay_core.spec import Task, TaskGraph

    def fields(cls: type) -> set[str]:
        return {field.name for field in attrs.fields(cls)}

    assert set(TASK.keys) == fields(Task) | {"agent", "tagged_paths"}
    assert set(WORKSTREAM.keys) == fields(WorkstreamSpec)
    assert set(AGENT.keys) == fields(AgentConfig) - {"options"}
    assert set(DEADLINES.keys) == fields(Deadlines)
    assert set(RETRY.keys) == fields(RetryPolicy)
    assert set(REVIEW.keys) == fields(ReviewConfig)
    assert set(SETTINGS) == fields(RunSettings) - {"state_dir"}
    assert set(GRAPH.keys) == fields(TaskGraph) - {"settings"} | set(SETTINGS) | {"$schema", "agents", "defaults"}
