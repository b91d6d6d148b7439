"""``agentrelay plugins``: what is installed, what is wrong with it, who serves a key and why.

The two commands that need more, ``new`` and ``check``, have modules of their own.
"""

from typing import Any

import attrs
import click

from agentrelay_core.cli.application import lazy_group
from agentrelay_core.cli.exit_codes import NOT_READY, OK
from agentrelay_core.cli.installed import catalog_here
from agentrelay_core.cli.options import json_option, repository_option
from agentrelay_core.cli.table import Entry

SCHEMA = 1

command = lazy_group(
    "plugins",
    "List, diagnose, explain, check and make plugins.",
    Entry("list", "what is installed, and how it stands", "plugins:list_"),
    Entry("doctor", "what is wrong with it, and how to mend it", "plugins:doctor"),
    Entry("explain", "who serves a step for a framework and an environment, and why", "plugins:explain"),
    Entry("check", "run the compliance checks of the test kit on it, and say what is proven", "plugins_check:command"),
    Entry("new", "make a new plugin's distribution to begin with", "plugins_new:command"),
)


@click.command("list")
@repository_option
@json_option
def list_(repository: str, as_json: bool) -> None:
    """Show every installed plugin: its version, how it stands, what it provides."""
    from agentrelay_core.hooks.rows import plugin_rows, table_text

    rows = plugin_rows(catalog_here(repository))
    if as_json:
        _print_json("plugins", [attrs.asdict(row) for row in rows])
    else:
        click.echo(table_text(rows))


@click.command("doctor")
@repository_option
@json_option
def doctor(repository: str, as_json: bool) -> int:
    """Show what is wrong with what is installed or configured, and how to mend it; exit code 5 where something is."""
    from agentrelay_core.cli.findings import finding_lines
    from agentrelay_core.hooks.doctor import doctor_findings
    from agentrelay_core.hooks.option_texts import option_texts

    catalog = catalog_here(repository)
    findings = doctor_findings(catalog)
    if as_json:
        options = [attrs.asdict(option) for option in option_texts(catalog)]
        _print_json("findings", [attrs.asdict(finding) for finding in findings], options=options)
    else:
        for line in finding_lines(findings):
            click.echo(line)
    return NOT_READY if any(finding.level == "error" for finding in findings) else OK


@click.command("explain")
@click.argument("step")
@click.argument("framework")
@click.argument("environment", default="*")
@repository_option
@json_option
def explain(step: str, framework: str, environment: str, repository: str, as_json: bool) -> int:
    """Show who serves STEP for FRAMEWORK in ENVIRONMENT, and why; exit code 5 where nobody does.

    For example: agentrelay plugins explain task_launcher command process
    """
    from agentrelay_core.hooks.explaining import explain_key

    explanation = explain_key(catalog_here(repository), step, framework, environment)
    if as_json:
        _print_json("lines", list(explanation.lines()), **_facts(explanation))
    else:
        for line in explanation.lines():
            click.echo(line)
    return OK if explanation.outcome == "served" else NOT_READY


def _facts(explanation: object) -> dict[str, object]:
    names = ("step", "framework", "environment", "outcome", "distribution", "version", "factory", "error")
    return {name: getattr(explanation, name) for name in names}


def _print_json(name: str, items: list[Any], **facts: object) -> None:
    import json  # people get plain text

    click.echo(json.dumps({"schema": SCHEMA, name: items, **facts}))
