"""What reading a graph file costs with positions and validation, beside PyYAML's C loader alone."""

import tempfile
from pathlib import Path

import yaml
from measuring import Figure, Options, cpu, in_turns, middle, ratio, short

from agentrelay_core.graph import read_graph

TASKS = 10_000


def graph_text(count: int) -> str:
    """A graph file with some keys for each task."""
    lines = ["name: benchmark", "tasks:"]
    for number in range(count):
        lines += [
            f"  task-{number}:",
            f"    description: Implement part {number} and its tests.",
            f"    dependencies: [{'' if number < 10 else f'task-{number - 10}, task-{number - 7}'}]",
            "    completion_gate: pytest -q",
            f"    paths: {{src: [src/part_{number}.py], test: [tests/test_part_{number}.py]}}",
        ]
    return "\n".join(lines) + "\n"


def graph_file_rows(options: Options) -> list[Figure]:
    """A file of 10,000 tasks."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "agentrelay.yaml"
        path.write_text(graph_text(TASKS))

        def ours() -> None:
            loaded = read_graph(path)
            assert loaded.graph is not None, loaded.diagnostics[:3]

        found = in_turns(
            options.rounds,
            {
                "yaml": lambda: cpu(lambda: yaml.load(path.read_text(), yaml.CSafeLoader)),
                "ours": lambda: cpu(ours),
            },
        )
    return [
        Figure(
            what=f"reading and validating a graph file of {TASKS:,} tasks, with positions",
            value=ratio(found["ours"], found["yaml"]),
            goal=0.4,
            floor=f"PyYAML's CSafeLoader, {short(middle(found['yaml']))} s",
        )
    ]
