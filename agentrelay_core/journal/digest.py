"""Which graph a run is about: a digest that tells an edited graph from the one that the run began with.

What is left at its default is left out, so that a field added by a later version changes no digest; so are the run's
settings, which a flag may change at any start, and the order of tasks in the file.
"""

import hashlib
from collections.abc import Mapping
from enum import Enum
from functools import cache
from pathlib import PurePath
from typing import Any

import attrs

from agentrelay_core.journal import kinds
from agentrelay_core.journal.texts import encoder
from agentrelay_core.runtime import Event
from agentrelay_core.spec import AgentEnvironment, TaskGraph, WorkstreamSpec


def graph_digest(graph: TaskGraph) -> str:
    """Digest what was asked for.

    Args:
        graph: The graph.

    Returns:
        64 hexadecimal digits; the same in every process for graphs that ask for the same.

    Raises:
        TypeError: A value in the graph is not plain data.
    """
    digest: str = graph_data(graph)["digest"]
    return digest


def rest_digest(graph: TaskGraph) -> str:
    """Digest what a graph holds besides its tasks: its name, its workstreams and how deep they nest."""
    content = {
        "name": graph.name,
        "workstreams": sorted(graph.workstreams, key=_id),
        "max_workstream_depth": graph.max_workstream_depth,
    }
    return hashlib.sha256(_encode(content).encode()).hexdigest()


def graph_data(graph: TaskGraph) -> dict[str, Any]:
    """What the records of a run's beginnings say of its graph.

    Args:
        graph: The graph; of a large one, digesting it is a good part of a start, so it should be done once.

    Returns:
        ``digest``; ``task_digests``, 16 hexadecimal digits for what each task asks for, by id; ``rest_digest``.
    """
    of_tasks = {task.id: hashlib.sha256(_encode(_plain(task)).encode()).hexdigest()[:16] for task in graph.tasks}
    rest = rest_digest(graph)
    digest = hashlib.sha256(_encode([of_tasks, rest]).encode()).hexdigest()
    return {"digest": digest, "task_digests": of_tasks, "rest_digest": rest}


def run_started_event(run_id: str, graph: TaskGraph, digests: Mapping[str, Any] | None = None) -> Event:
    """The first event of a run.

    Args:
        run_id: Id of the run.
        graph: What will be run.
        digests: What `graph_data` says of it, where that is known already.
    """
    lanes: dict[str, list[str]] = {workstream.id: [] for workstream in graph.workstreams}
    for task in graph.tasks:
        lanes.setdefault(task.workstream_id, []).append(task.id)
    data = {
        "run_id": run_id,
        "graph": graph.name,
        **(digests or graph_data(graph)),
        "tasks": [task.id for task in graph.tasks],
        "workstreams": lanes,
        "dependencies": {task.id: list(task.dependencies) for task in graph.tasks if task.dependencies},
    }
    return Event(kind=kinds.RUN_STARTED, message=run_id, data=data)


def _id(value: WorkstreamSpec) -> str:
    return value.id


@cache
def _fields(cls: Any) -> tuple[tuple[str, Any], ...] | None:
    """The names of a class's fields, each with its default; `None` for a class that is none of attrs."""
    return tuple((field.name, _default(field)) for field in attrs.fields(cls)) if attrs.has(cls) else None


def _default(field: "attrs.Attribute[Any]") -> Any:
    default: Any = field.default
    if isinstance(default, attrs.Factory) and not default.takes_self:  # type: ignore[arg-type]
        return default.factory()
    return default


def _plain(value: Any) -> Any:
    """What JSON should hold in place of a value that it does not know."""
    cls: Any = type(value)
    fields = _fields(cls)
    if fields is not None:
        plain = {
            name: item
            for name, default in fields
            # Most are the very default, which is seen at once.
            if (item := getattr(value, name)) is not default and item != default
        }
        if isinstance(value, AgentEnvironment):
            plain["type"] = cls.__qualname__
        return plain
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, PurePath):
        return value.as_posix()
    raise TypeError(f"{value!r} is not plain data and cannot be part of a graph")


_encode = encoder(_plain, sort_keys=True)
