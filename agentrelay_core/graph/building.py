"""From what was read to the specification: defaults laid under each task, and stand-ins for what is wrong.

A graph with mistakes is built as far as it can be, so that the checks of the whole graph run over it too and one
mistake hides no other. The stand-ins are chosen so that a mistake that was reported causes no further report.
"""

from collections.abc import Iterable
from typing import Any

from agentrelay_core.graph import codes
from agentrelay_core.graph.agents import AgentsKind, without_keys
from agentrelay_core.graph.entries import Entries, Entry
from agentrelay_core.graph.keys import DEFAULTS, SETTINGS, STAND_IN, TASK, WORKSTREAM
from agentrelay_core.graph.nodes import Mapping, Node, Scalar, pairs_of
from agentrelay_core.graph.reading import UNSET, Fields, Reading
from agentrelay_core.graph.records import Key, Record
from agentrelay_core.graph.scalars import Text, Unreadable, Whole, wrong_type
from agentrelay_core.spec import (
    DEFAULT_WORKSTREAM,
    AgentConfig,
    AgentRole,
    RunSettings,
    Task,
    TaskGraph,
    WorkstreamSpec,
)
from agentrelay_core.spec.numbers import LEAST


class _Defaults:
    """The value of ``defaults:``, keys of a task; tasks are read later."""

    takes = Record.takes

    def read(self, node: Node, reading: Reading) -> Any:
        if node.__class__ is not Mapping:
            return wrong_type(node, "keys of a task, a mapping", reading)
        reading.defaults = DEFAULTS.fields(node, pairs_of(node), reading)
        _normalise(reading.defaults, reading)
        return reading.defaults

    schema = DEFAULTS.schema


GRAPH = Record(
    "the graph",
    {
        "$schema": Key(Text(), "For editors; has no effect."),
        "name": Key(Text(), "Name of the graph; becomes part of branch names.", required=True),
        "agents": Key(AgentsKind(), "Agents by name."),
        "defaults": Key(_Defaults(), "Keys of every task that does not say otherwise."),
        "workstreams": Key(Entries("workstreams", WORKSTREAM, "workstream"), "Lanes with integration branches."),
        "max_workstream_depth": Key(Whole(LEAST["max_workstream_depth"]), "How deep workstreams may nest."),
        **SETTINGS,
        "tasks": Key(Entries("tasks", TASK, "task"), "The tasks."),
    },
)
_ORDER = {name: position for position, name in enumerate(GRAPH.keys)}


def build_graph(root: Node, reading: Reading) -> TaskGraph | None:
    """The graph that a tree describes.

    Args:
        root: The root of the tree.
        reading: Takes what is wrong, and where tasks and workstreams are.

    Returns:
        The graph, with stand-ins where findings were noted; `None` where the root is no mapping.
    """
    if root.__class__ is not Mapping:
        wrong_type(root, "a graph, a mapping with 'name' and 'tasks'", reading)
        return None
    # Agents before the defaults, and both before the tasks that use them.
    pairs = sorted(pairs_of(root), key=lambda pair: _ORDER.get(pair[0].value, 0) if pair[0].__class__ is Scalar else 0)
    graph = GRAPH.fields(root, pairs, reading)
    values = graph.given()
    if "tasks" in graph.failed:
        reading.incomplete.add("tasks")
    if "workstreams" in graph.failed:
        reading.incomplete.add("workstreams")
    reading.given_settings = frozenset(SETTINGS.keys() & values.keys())
    builder = _TaskBuilder(reading)
    return TaskGraph(
        name=values.get("name", STAND_IN),
        tasks=[builder.build(entry) for entry in values.get("tasks", ())],
        workstreams=_workstreams(values.get("workstreams", ()), reading),
        max_workstream_depth=values.get("max_workstream_depth", 1),
        settings=RunSettings(**{name: values[name] for name in SETTINGS if name in values}),
    )


def _workstreams(entries: Iterable[Entry], reading: Reading) -> list[WorkstreamSpec]:
    lanes = []
    for entry in entries:
        values = entry.fields.given()
        values["id"] = entry.id
        lanes.append(WorkstreamSpec(**values))
        reading.workstreams.append((entry.at, entry.fields.node))
    if all(lane.id != DEFAULT_WORKSTREAM for lane in lanes):
        lanes.insert(0, WorkstreamSpec(id=DEFAULT_WORKSTREAM))
        reading.workstreams.insert(0, (None, None))
    return lanes


class _TaskBuilder:
    """Makes tasks of entries."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._defaults = reading.defaults.given()
        self._failed = reading.defaults.failed
        self._unnamed: AgentConfig | None = None

    def build(self, entry: Entry) -> Task:
        reading, fields = self._reading, entry.fields
        reading.tasks.append((entry.at, fields.node))
        _normalise(fields, reading)
        values = {**self._defaults, **fields.values}
        if UNSET in fields.values.values():
            values = {name: value for name, value in values.items() if value is not UNSET}
        values["id"] = entry.id
        failed = fields.failed | (self._failed - fields.values.keys()) if self._failed else fields.failed
        if entry.broken or failed:
            if entry.broken or "description" in failed or "role" in failed:
                values["role"] = AgentRole.IMPLEMENTER  # which needs no description
            if "dependencies" in failed:
                values.pop("inputs_from", None)
        if "primary_agent" not in values and "primary_agent" not in failed and not entry.broken:
            values["primary_agent"] = self._unnamed or self._without_agent(entry)
        return Task(**values)

    def _without_agent(self, entry: Entry) -> AgentConfig:
        """The agent of a task that names none: one value for all of them, unless each has to be told what it lacks."""
        agent = without_keys(entry.at, self._reading)
        if isinstance(agent, Unreadable):
            return AgentConfig()
        self._unnamed = agent
        return self._unnamed


def _normalise(fields: Fields, reading: Reading) -> None:
    """Bring the two spellings of agents and of paths to the fields of a task."""
    values, failed = fields.values, fields.failed
    if "agent" in values or "agent" in failed:
        if "primary_agent" in values or "primary_agent" in failed:
            assert fields.node is not None
            message = "'agent' and 'primary_agent' are two spellings of one key"
            key = next(key for key, _ in pairs_of(fields.node) if key.value == "primary_agent")
            reading.findings.error(codes.KEYS_EXCLUDE, message, key, "keep one of them")
        elif "agent" in values:
            values["primary_agent"] = values["agent"]
        if "agent" in failed:
            failed.add("primary_agent")
        values.pop("agent", None)
    if "tagged_paths" in values or "paths" in values:
        both = [values.pop("paths", UNSET), values.pop("tagged_paths", UNSET)]
        values["paths"] = [path for paths in both if paths is not UNSET for path in paths]
