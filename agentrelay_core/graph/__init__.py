"""Reading a graph file: every value with its place, every mistake in one go, and what is not installed here."""

from agentrelay_core.graph.diagnostics import Diagnostic, render_github, render_json, render_text
from agentrelay_core.graph.loading import GraphError, LoadedGraph, load_graph, read_graph
from agentrelay_core.spec import UnknownEnvironment

__all__ = [
    "Diagnostic",
    "GraphError",
    "LoadedGraph",
    "UnknownEnvironment",
    "load_graph",
    "read_graph",
    "render_github",
    "render_json",
    "render_text",
]
