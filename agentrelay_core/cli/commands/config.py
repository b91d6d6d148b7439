"""``agentrelay config show``: the settings that are in force, and who gave each."""

import json
import os
from pathlib import Path

import click

from agentrelay_core.cli.application import lazy_group
from agentrelay_core.cli.configuration import Configuration, read_configuration, user_file
from agentrelay_core.cli.installed import root_or_none
from agentrelay_core.cli.options import graph_argument, json_option, repository_option
from agentrelay_core.cli.settings import Setting, effective, from_variables
from agentrelay_core.cli.table import Entry

SCHEMA = 1

command = lazy_group(
    "config",
    "Show the configuration.",
    Entry("show", "the settings that are in force, and where each comes from", "config:show"),
)


@click.command("show")
@graph_argument
@repository_option
@click.option("--origin", is_flag=True, help="Say for each setting who gave it.")
@json_option
def show(graph: str | None, repository: str, origin: bool, as_json: bool) -> None:
    """Show the settings of runs here; with GRAPH, those that its file gives too."""
    root = root_or_none(repository)
    configuration = read_configuration(root)
    _, settings = effective(configuration.run, _of_graph(graph), from_variables(os.environ))
    if as_json:
        click.echo(json.dumps(_plain(configuration, settings)))
        return
    width = max(map(len, settings))
    for name, setting in settings.items():
        value = json.dumps(setting.value, default=str)
        click.echo(f"{name:<{width}} = {value}" + (f"  # {setting.origin}" if origin else ""))
    files = ", ".join(map(str, configuration.files)) or "none"
    click.echo(f"files read: {files}; yours would be {user_file()}", err=True)


def _of_graph(graph: str | None) -> dict[str, Setting]:
    if graph is None:
        return {}
    from agentrelay_core.graph import GraphError, read_graph

    loaded = read_graph(Path(graph))
    if loaded.graph is None:
        raise GraphError(loaded.diagnostics)
    return {name: Setting(getattr(loaded.graph.settings, name), graph) for name in sorted(loaded.given_settings)}


def _plain(configuration: Configuration, settings: dict[str, Setting]) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "run": {
            name: {
                "value": str(setting.value) if isinstance(setting.value, Path) else setting.value,
                "origin": setting.origin,
            }
            for name, setting in settings.items()
        },
        "plugins": {"disable": list(configuration.disable), "pin": dict(configuration.pins)},
        "options": {name: dict(given) for name, given in configuration.options.items()},
        "files": [str(path) for path in configuration.files],
    }
