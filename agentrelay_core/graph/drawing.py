"""A graph as a picture in text: a tree for terminals, Mermaid for Markdown, dot for Graphviz, with states if known."""

import json
from collections.abc import Iterator, Mapping

from agentrelay_core.spec import DEFAULT_WORKSTREAM, Task, TaskGraph

States = Mapping[str, str]

_COLOURS = {
    "running": "#f4d35e",
    "pr_created": "#a9def9",
    "pr_merged": "#9bc995",
    "completed": "#9bc995",
    "failed": "#ee6c4d",
}


def tree(graph: TaskGraph, states: States | None = None) -> str:
    """A tree from the tasks that depend on nothing to those that depend on them.

    Args:
        graph: A valid graph.
        states: Status by task id, shown beside the task.

    Returns:
        One line a task; a task that hangs on several is drawn below the first, and named with ``^`` below the others.
    """
    children: dict[str, list[str]] = {task.id: [] for task in graph.tasks}
    for task in graph.tasks:
        for dependency in task.dependencies:
            children[dependency].append(task.id)
    tasks = {task.id: task for task in graph.tasks}
    lines = [graph.name]
    drawn: set[str] = set()
    roots = [task.id for task in graph.tasks if not task.dependencies]
    # Tasks to draw, the next one last: id, the lines' beginning, whether it is the last of its siblings.
    waiting = [(root, "", root == roots[-1]) for root in reversed(roots)]
    while waiting:
        task_id, indent, is_last = waiting.pop()
        again = task_id in drawn
        label = f"{task_id} ^" if again and children[task_id] else _label(tasks[task_id], states)
        lines.append(f"{indent}{'└── ' if is_last else '├── '}{label}")
        if again:
            continue
        drawn.add(task_id)
        below = children[task_id]
        deeper = indent + ("    " if is_last else "│   ")
        waiting.extend((child, deeper, child == below[-1]) for child in reversed(below))
    return "\n".join(lines) + "\n"


def mermaid(graph: TaskGraph, states: States | None = None) -> str:
    """A Mermaid flowchart, lanes as subgraphs.

    Args:
        graph: A valid graph.
        states: Status by task id, shown as text and colour.
    """
    numbers = {task.id: f"t{number}" for number, task in enumerate(graph.tasks)}
    lines = ["flowchart TD"]
    for number, (lane, tasks) in enumerate(_lanes(graph)):
        framed = lane != DEFAULT_WORKSTREAM
        if framed:
            lines.append(f"  subgraph w{number} [{_mermaid_text(lane)}]")
        lines += [f"  {'  ' * framed}{numbers[task.id]}[{_mermaid_text(_label(task, states))}]" for task in tasks]
        if framed:
            lines.append("  end")
    for task in graph.tasks:
        lines += [f"  {numbers[dependency]} --> {numbers[task.id]}" for dependency in task.dependencies]
    for status, colour in _COLOURS.items():
        nodes = [numbers[task.id] for task in graph.tasks if (states or {}).get(task.id) == status]
        if nodes:
            lines += [f"  classDef {status} fill:{colour}", f"  class {','.join(nodes)} {status}"]
    return "\n".join(lines) + "\n"


def dot(graph: TaskGraph, states: States | None = None) -> str:
    """A Graphviz digraph, lanes as clusters.

    Args:
        graph: A valid graph.
        states: Status by task id, shown as text and colour.
    """
    lines = [f"digraph {_quoted(graph.name)} {{", "  rankdir=TB;", '  node [shape=box, style="rounded,filled"];']
    for number, (lane, tasks) in enumerate(_lanes(graph)):
        framed = lane != DEFAULT_WORKSTREAM
        if framed:
            lines += [f"  subgraph cluster_{number} {{", f"    label={_quoted(lane)};"]
        for task in tasks:
            colour = _COLOURS.get((states or {}).get(task.id, ""), "white")
            label = _quoted(_label(task, states))
            lines.append(f"  {'  ' * framed}{_quoted(task.id)} [label={label}, fillcolor={_quoted(colour)}];")
        if framed:
            lines.append("  }")
    for task in graph.tasks:
        lines += [f"  {_quoted(dependency)} -> {_quoted(task.id)};" for dependency in task.dependencies]
    return "\n".join([*lines, "}"]) + "\n"


def _lanes(graph: TaskGraph) -> Iterator[tuple[str, list[Task]]]:
    by_lane: dict[str, list[Task]] = {}
    for task in graph.tasks:
        by_lane.setdefault(task.workstream_id, []).append(task)
    yield from by_lane.items()


def _label(task: Task, states: States | None) -> str:
    status = (states or {}).get(task.id)
    return task.id if status is None else f"{task.id} [{status}]"


def _quoted(text: str) -> str:
    """A string of dot; its escapes are those of JSON for what can be in a label."""
    return json.dumps(text, ensure_ascii=False)


def _mermaid_text(text: str) -> str:
    """A string of Mermaid, where everything that is no plain character is written by its number."""
    safe = "".join(char if char.isalnum() or char in " -_." else f"#{ord(char)};" for char in text)
    return f'"{safe}"'
