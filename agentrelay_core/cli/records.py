"""Which runs a repository has, and whether somebody drives them: read from the state directory alone."""

import os
from pathlib import Path
from typing import Final

from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.exit_codes import WRONG_USAGE
from agentrelay_core.orchestrator.places import STATE_DIRECTORY_VARIABLE, journal_path, repository_root, state_directory
from agentrelay_core.spec.suggestions import did_you_mean, listing

_LARGEST_OWNER: Final = 4096  # bytes


def state_folder(root: Path, graph: str, given: str | None = None) -> Path:
    """The state directory of a graph, as the flag, variables and configuration files have it.

    Args:
        root: Root of the repository.
        graph: The graph's name.
        given: The value of ``--state-dir``, which comes before everything else.

    Raises:
        ConfigurationError: The configuration is wrong.
    """
    if given is not None:
        return state_directory(root, graph, override=Path(given))
    if os.environ.get(STATE_DIRECTORY_VARIABLE):
        return state_directory(root, graph)
    from agentrelay_core.cli.configuration import read_configuration  # not needed where a variable names the place

    setting = read_configuration(root).run.get("state_dir")
    return state_directory(root, graph, override=None if setting is None else setting.value)


def recorded_graphs(repository: str, state_dir: str | None = None) -> dict[str, Path]:
    """The graphs of a repository that have a journal.

    Args:
        repository: A path in the repository.
        state_dir: The value of ``--state-dir``.

    Returns:
        State directories by the graph's name.

    Raises:
        UserError: The path is in no repository.
    """
    above = state_folder(repository_root(Path(repository)), "any", state_dir).parent
    if not above.is_dir():
        return {}
    return {folder.name: folder for folder in sorted(above.iterdir()) if journal_path(folder).is_file()}


def find_record(given: str | None, repository: str, state_dir: str | None = None) -> Path:
    """The state directory of one graph that was run.

    Args:
        given: The graph's name, or its file; `None` means the only one there is.
        repository: A path in the repository.
        state_dir: The value of ``--state-dir``.

    Raises:
        Failure: There is no such run, or there are several to choose from.
    """
    graphs = recorded_graphs(repository, state_dir)
    if given is None:
        if len(graphs) == 1:
            return next(iter(graphs.values()))
        if not graphs:
            raise Failure("nothing was run here yet; begin with `agentrelay run`", WRONG_USAGE)
        raise Failure(
            f"several graphs were run here: name one of {listing(graphs)}, or see them all with `agentrelay status`",
            WRONG_USAGE,
        )
    name = graph_name(given)
    if name not in graphs:
        hint = did_you_mean(name, graphs)
        advice = hint or "begin with `agentrelay run`"
        raise Failure(f"the graph '{name}' was not run in this repository yet; {advice}", WRONG_USAGE)
    return graphs[name]


def graph_name(given: str) -> str:
    """The name of a graph that is given by its name or by its file.

    Raises:
        GraphError: The file is not valid.
    """
    path = Path(given)
    if not path.is_file():
        return given
    from agentrelay_core.graph import load_graph  # reading YAML is needed for files alone

    return load_graph(path).name


def is_driven(state_dir: Path) -> bool:
    """Whether the process that last owned a run is there; one on another machine is taken to be."""
    import json  # for runs that have no end alone
    import socket

    try:
        with (state_dir / "owner.lock").open("rb") as file:
            owner = json.loads(file.read(_LARGEST_OWNER))
        if owner["host"] != socket.gethostname():
            return True
        os.kill(int(owner["pid"]), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True
