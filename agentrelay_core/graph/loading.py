"""The door: a graph file comes in, a frozen graph goes out, or everything that is wrong with the file."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from agentrelay_core.graph import codes
from agentrelay_core.graph.building import build_graph
from agentrelay_core.graph.catalogs import CatalogView
from agentrelay_core.graph.diagnostics import Diagnostic, render_text
from agentrelay_core.graph.installed import installation_problems
from agentrelay_core.graph.locating import Locator
from agentrelay_core.graph.nodes import compose
from agentrelay_core.graph.reading import Reading
from agentrelay_core.graph.source import Findings, Unusable, check_text, read_text
from agentrelay_core.runtime.errors import UserError
from agentrelay_core.spec import TaskGraph
from agentrelay_core.spec.problems import (
    CLASHING_ID,
    DUPLICATE_ID,
    EMPTY_GRAPH,
    UNKNOWN_DEPENDENCY,
    UNKNOWN_PARENT,
    UNKNOWN_WORKSTREAM,
)
from agentrelay_core.spec.validation import graph_problems

# Problems that cannot be judged where some tasks, or workstreams, could not be read.
_NEEDS_ALL = {
    EMPTY_GRAPH: "tasks",
    UNKNOWN_DEPENDENCY: "tasks",
    UNKNOWN_WORKSTREAM: "workstreams",
    UNKNOWN_PARENT: "workstreams",
}
# Problems of an id itself, which nothing else that was said of its entry explains.
_NEVER_FOLLOWS = frozenset({CLASHING_ID, DUPLICATE_ID})


class GraphError(UserError):
    """A graph file is not valid.

    Args:
        diagnostics: All that is wrong with it, and the warnings.
    """

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        super().__init__(render_text(diagnostics))
        self.diagnostics = diagnostics


@attrs.frozen(kw_only=True)
class LoadedGraph:
    """What reading a graph file gave.

    Args:
        graph: The graph, `None` where there are errors.
        diagnostics: Errors and warnings in the order of the file.
        given_settings: Names of the run's settings that the file gives, their default or not.
    """

    graph: TaskGraph | None
    diagnostics: tuple[Diagnostic, ...]
    given_settings: frozenset[str] = frozenset()

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """What makes the file invalid."""
        return tuple(item for item in self.diagnostics if item.severity == "error")

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is valid, but not here."""
        return tuple(item for item in self.diagnostics if item.severity == "warning")

    @property
    def not_installed(self) -> tuple[Diagnostic, ...]:
        """Frameworks, environments and forges that no installed plugin provides; `run` ends with exit 5."""
        return tuple(item for item in self.warnings if item.code != codes.NOT_HONOURED)

    @property
    def unhonoured(self) -> tuple[Diagnostic, ...]:
        """Keys that no installed plugin acts on; `run` refuses them by name."""
        return tuple(item for item in self.warnings if item.code == codes.NOT_HONOURED)


def load_graph(path: str | Path, catalog: CatalogView | None = None) -> TaskGraph:
    """Read a graph file.

    Args:
        path: The file, YAML or JSON.
        catalog: What is installed, to read environments and check options by; `None` takes the file's word for them.

    Returns:
        The graph.

    Raises:
        GraphError: The file is not valid; carries everything that is wrong with it.
    """
    loaded = read_graph(Path(path), catalog=catalog)
    if loaded.graph is None:
        raise GraphError(loaded.diagnostics)
    return loaded.graph


def read_graph(source: Path | str, *, name: str | None = None, catalog: CatalogView | None = None) -> LoadedGraph:
    """Read a graph without raising for any mistake in it.

    Args:
        source: A `Path` is a file; a `str` is the text itself.
        name: What messages call it; default the path, or ``<text>``.
        catalog: What is installed; `None` takes the file's word for environments and options.

    Returns:
        The graph and all findings.
    """
    shown = name or (str(source) if isinstance(source, Path) else "<text>")
    try:
        text = read_text(source) if isinstance(source, Path) else source
        check_text(shown, text)
    except Unusable as unusable:
        return LoadedGraph(graph=None, diagnostics=(attrs.evolve(unusable.diagnostic, path=shown),))
    with _without_collector():
        return _read(text, Findings(shown, text), catalog)


def _read(text: str, findings: Findings, catalog: CatalogView | None) -> LoadedGraph:
    root = compose(text, findings)
    graph = None
    reading = Reading(findings, catalog)
    if root is not None:
        graph = build_graph(root, reading)
        if graph is not None:
            _judge(graph, Locator(root, reading), reading)
    return LoadedGraph(
        graph=None if findings.has_errors else graph,
        diagnostics=findings.diagnostics(),
        given_settings=reading.given_settings,
    )


def _judge(graph: TaskGraph, locator: Locator, reading: Reading) -> None:
    """Note what is wrong with the graph as a whole, save where it follows from what was noted before."""
    findings, catalog = reading.findings, reading.catalog
    found = [(problem, locator.find(problem.where)) for problem in graph_problems(graph)]
    for problem, place in found:
        follows = findings.has_error_at(place) and problem.code not in _NEVER_FOLLOWS
        if not follows and _NEEDS_ALL.get(problem.code) not in reading.incomplete:
            findings.error(problem.code, problem.message, place, problem.hint)
    if catalog is not None:
        for problem in installation_problems(graph, catalog):
            findings.warning(problem.code, problem.message, locator.find(problem.where), problem.hint)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Pause the cyclic garbage collector: a tree has no garbage, and looking for it would take longest."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
