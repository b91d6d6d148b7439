"""``agentrelay demo``: nothing but `run` on a shipped graph file, in a throw-away repository."""

import os
import tempfile
from pathlib import Path

import click

from agentrelay_core.cli.commands.run import run
from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.exit_codes import NOT_READY, WRONG_USAGE
from agentrelay_core.cli.opening import DEFAULT_GRAPH
from agentrelay_core.cli.repositories import git, git_problem
from agentrelay_core.cli.settings import Setting
from agentrelay_core.graph import load_graph
from agentrelay_core.orchestrator.places import journal_path, state_directory
from agentrelay_core.spec.lanes import integration_branch

SHIPPED = Path(__file__).parent.parent / "demo"
FILES = (DEFAULT_GRAPH, "agent.sh")
_AUTHOR = ("-c", "user.name=agentrelay demo", "-c", "user.email=demo@localhost")


@click.command("demo")
@click.argument("directory", required=False, metavar="[DIR]")
def command(directory: str | None) -> int:
    """Run a small graph to its end in a throw-away repository below DIR (a new temporary directory).

    It needs git and sh, nothing else: its agent is a little shell script that really changes files. Everything that
    the demo makes, its state too, is below DIR.
    """
    problem = git_problem()
    if problem is not None:
        raise Failure(f"{problem}; see `agentrelay doctor`", NOT_READY)
    place = _place(directory)
    repository, state = make_repository(place), place / "state"
    click.echo(f"the demo is in {place}", err=True)
    code = run(
        str(repository / DEFAULT_GRAPH),
        str(repository),
        flags={"state_dir": Setting(state, "demo"), "forge": Setting("local", "demo")},
    )
    tell(repository, state)
    return code


def make_repository(place: Path) -> Path:
    """Make the throw-away repository, with the shipped files in its first commit.

    Args:
        place: An empty directory.

    Returns:
        The repository's root.
    """
    repository = place / "repository"
    repository.mkdir()
    git(repository, "init", "--quiet", "--initial-branch=main", "--template=")
    for name in FILES:
        (repository / name).write_bytes((SHIPPED / name).read_bytes())
    git(repository, "add", "--", *FILES)
    # Not signed: what a user's own configuration asks for must not open a window here.
    git(repository, *_AUTHOR, "commit", "--quiet", "--no-gpg-sign", "--message=Begin")
    return repository


def tell(repository: Path, state: Path) -> None:
    """Say where to look.

    Args:
        repository: The demo's repository.
        state: Where its state is kept.
    """
    graph = load_graph(repository / DEFAULT_GRAPH)
    branches = " ".join(integration_branch(graph.name, lane.id) for lane in graph.workstreams)
    journal = journal_path(state_directory(repository, graph.name, override=state))
    click.echo(f"look:  git -C {repository} log --graph --oneline {branches}", err=True)
    click.echo(f"graph: {repository / DEFAULT_GRAPH}", err=True)
    click.echo(f"state: AGENTRELAY_STATE_DIR={state} agentrelay status -C {repository}", err=True)
    click.echo(f"       (journal: {journal})", err=True)
    click.echo(f"away:  rm -rf {repository.parent}", err=True)


def _place(directory: str | None) -> Path:
    if directory is None:
        return Path(tempfile.mkdtemp(prefix="agentrelay-demo-"))
    place = Path(directory).absolute()
    place.mkdir(parents=True, exist_ok=True)
    if any(os.scandir(place)):
        raise Failure(f"{place} is not empty; name a new directory: `agentrelay demo DIR`", WRONG_USAGE)
    return place
