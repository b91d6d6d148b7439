"""What most commands begin with: the repository, the configuration, the plugins, the graph with its settings."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.cli.configuration import Configuration, read_configuration
from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.exit_codes import WRONG_USAGE
from agentrelay_core.cli.installed import make_catalog
from agentrelay_core.cli.settings import Setting, effective, from_variables
from agentrelay_core.graph import Diagnostic, GraphError, read_graph
from agentrelay_core.hooks import Catalog
from agentrelay_core.orchestrator.places import repository_root
from agentrelay_core.spec import TaskGraph

DEFAULT_GRAPH: Final = "agentrelay.yaml"


@attrs.frozen(kw_only=True, eq=False)
class Opened:
    """A graph that is ready to be planned or run.

    Args:
        path: The graph file.
        repository: Root of the user's repository.
        configuration: What the configuration files say.
        catalog: The plugins.
        graph: The graph, with the settings that are in force.
        settings: Those settings, each with its origin.
        warnings: What the file asks for and is not installed.
    """

    path: Path
    repository: Path
    configuration: Configuration
    catalog: Catalog
    graph: TaskGraph
    settings: Mapping[str, Setting]
    warnings: tuple[Diagnostic, ...]


def graph_file(given: str | None, repository: str) -> Path:
    """Find the graph file.

    Args:
        given: What the user named, relative to the working directory; `None` means the default name.
        repository: A path in the repository, where the default name is looked for.

    Raises:
        Failure: There is no such file.
    """
    if given is not None:
        path = Path(given)
        if not path.is_file():
            raise Failure(f"there is no graph file {given}; name one, or begin with `agentrelay init`", WRONG_USAGE)
        return path
    here = Path(repository)
    for folder in (here, repository_root(here)):
        path = folder / DEFAULT_GRAPH
        if path.is_file():
            return path
    raise Failure(
        f"there is no {DEFAULT_GRAPH} in {here.absolute()}; name a graph file, or begin with `agentrelay init`",
        WRONG_USAGE,
    )


def open_graph(given: str | None, repository: str, flags: Mapping[str, Setting]) -> Opened:
    """Read everything that a run depends on.

    Args:
        given: The graph file, `None` for the default.
        repository: A path in the user's repository.
        flags: Settings given as flags.

    Raises:
        Failure: There is no graph file.
        GraphError: The file is not valid.
        UserError: There is no repository, or the configuration is wrong.
    """
    path = graph_file(given, repository)
    root = repository_root(Path(repository))
    configuration = read_configuration(root)
    catalog = make_catalog(configuration)
    loaded = read_graph(path, catalog=catalog)
    if loaded.graph is None:
        raise GraphError(loaded.diagnostics)
    own = {name: Setting(getattr(loaded.graph.settings, name), str(path)) for name in loaded.given_settings}
    chosen, origins = effective(configuration.run, own, from_variables(os.environ), flags)
    return Opened(
        path=path,
        repository=root,
        configuration=configuration,
        catalog=catalog,
        graph=attrs.evolve(loaded.graph, settings=chosen),
        settings=origins,
        warnings=loaded.warnings,
    )
