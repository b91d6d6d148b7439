"""``agentrelay graph``: a graph as text, with the states of its tasks where it was run."""

from pathlib import Path

import click

from agentrelay_core.cli.installed import root_or_none
from agentrelay_core.cli.opening import graph_file
from agentrelay_core.cli.options import graph_argument, repository_option, state_dir_option
from agentrelay_core.cli.records import state_folder
from agentrelay_core.graph import drawing, load_graph
from agentrelay_core.journal import read_state
from agentrelay_core.orchestrator.places import journal_path

_FORMATS = {"tree": drawing.tree, "mermaid": drawing.mermaid, "dot": drawing.dot}


@click.command("graph")
@graph_argument
@repository_option
@state_dir_option
@click.option("--format", "form", type=click.Choice(list(_FORMATS)), default="tree", help="How to draw (tree).")
def command(graph: str | None, repository: str, state_dir: str | None, form: str) -> None:
    """Draw GRAPH (agentrelay.yaml), with the states of its tasks where it was run."""
    loaded = load_graph(graph_file(graph, repository))
    click.echo(_FORMATS[form](loaded, _states(loaded.name, root_or_none(repository), state_dir)), nl=False)


def _states(name: str, repository: Path | None, state_dir: str | None) -> dict[str, str] | None:
    if repository is None:
        return None
    journal = journal_path(state_folder(repository, name, state_dir))
    if not journal.is_file():
        return None
    return {task.id: task.status.value for task in read_state(journal).tasks.values()}
