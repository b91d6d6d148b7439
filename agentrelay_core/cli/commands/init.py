"""``agentrelay init``: a starter graph here, and the schema that makes editors complete it; nothing is overwritten."""

import json
from pathlib import Path

import click

from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.exit_codes import NOT_READY, OK, WRONG_USAGE
from agentrelay_core.cli.installed import catalog_here
from agentrelay_core.cli.opening import DEFAULT_GRAPH
from agentrelay_core.graph.schema import graph_schema
from agentrelay_core.orchestrator.places import repository_root
from agentrelay_core.runtime import UserError
from agentrelay_core.spec.names import LONGEST_ID, id_problem

SCHEMA_FILE = Path(".agentrelay") / "graph.schema.json"

STARTER = """\
# yaml-language-server: $schema=.agentrelay/graph.schema.json
# Tasks are relayed to agents; each works on a branch of its own, and what passes its gate is merged.
name: {name}
agents:
  # Any program can be an agent: it works in the current directory, and its task is told on standard input and in the
  # file $AGENTRELAY_INSTRUCTIONS. Put your own coding agent's command line here.
  writer: {{framework: command, command: 'printf "written for %s\\n" "$AGENTRELAY_TASK_ID" > "$AGENTRELAY_TASK_ID.md"'}}
defaults:
  agent: writer
tasks:
  spec:
    description: Say in spec.md what is to be built.
    completion_gate: test -s spec.md
  build:
    dependencies: [spec]
    description: Build what spec.md says.
    completion_gate: test -s build.md
"""


@click.command("init")
@click.argument("directory", default=".", metavar="[DIR]")
def command(directory: str) -> int:
    """Put a starter graph, agentrelay.yaml, and the schema for editors into DIR (here), inside a git repository."""
    folder = Path(directory)
    if not folder.is_dir():
        raise Failure(f"there is no directory {directory}; `mkdir {directory}` makes it", WRONG_USAGE)
    try:
        root = repository_root(folder)
    except UserError as error:
        raise Failure(f"{folder.absolute()} is in no git repository; run `git init` there first", NOT_READY) from error
    graph, schema = folder / DEFAULT_GRAPH, folder / SCHEMA_FILE
    if graph.exists():
        raise Failure(f"{graph} is there already and was left as it is; look at it with `agentrelay plan`", WRONG_USAGE)
    schema.parent.mkdir(exist_ok=True)
    made = [_write(graph, STARTER.format(name=_name(root)))]
    if not schema.exists():
        made.append(_write(schema, json.dumps(graph_schema(catalog_here(directory)), indent=1) + "\n"))
    for path in made:
        click.echo(f"made {path}")
    click.echo("next: agentrelay plan, then agentrelay run", err=True)
    return OK


def _write(path: Path, text: str) -> Path:
    with path.open("x", encoding="utf-8") as file:  # never over what somebody else just made
        file.write(text)
    return path


def _name(root: Path) -> str:
    """A name for the graph: the repository's, as far as it can be one."""
    kept = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "_-") else "-" for letter in root.name)
    name = kept.strip("-_")[:LONGEST_ID].lower()
    return name if name and id_problem(name) is None else "graph"
