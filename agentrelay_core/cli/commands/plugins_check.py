"""``agentrelay plugins check``: runs the test kit's checks on an installed plugin, and prints its capability card."""

import json
from typing import Any

import click

from agentrelay_core.cli.checking.card import SCHEMA, Card, Row
from agentrelay_core.cli.checking.naming import find_plugin
from agentrelay_core.cli.checking.programs import programs
from agentrelay_core.cli.checking.running import require_kit, run_checks
from agentrelay_core.cli.checking.subjects import Wishes, needs_of, subjects_of
from agentrelay_core.cli.exit_codes import NOT_READY, OK, TASK_FAILED
from agentrelay_core.cli.installed import catalog_here
from agentrelay_core.cli.options import json_option, repository_option
from agentrelay_core.hooks.plugins import PluginReport


@click.command("check")
@click.argument("name")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="An option of its framework, as in YAML.")
@click.option(
    "--capability",
    "capabilities",
    multiple=True,
    metavar="[STEP:]NAME",
    help="A promise that it makes besides, of one step or of all: resumable, task_launcher:adoptable …",
)
@click.option("--timeout", default=300.0, metavar="SECONDS", type=click.FloatRange(min=1), help="For all checks (300).")
@repository_option
@json_option
def command(
    name: str,
    options: tuple[str, ...],
    capabilities: tuple[str, ...],
    timeout: float,
    repository: str,
    as_json: bool,
) -> int:
    """Check the installed plugin NAME, a distribution or an entry point, and print what is proven of it.

    The checks are those of pytest-agentrelay. No real agent is started: for the programs that a framework needs, one
    stands in that is at work until it is ended. Exit code 1 where a check fails, 5 where the plugin cannot be used or
    pytest-agentrelay is not installed.
    """
    wishes = Wishes(options=_options(options), capabilities=frozenset(capabilities))
    catalog = catalog_here(repository)
    report = find_plugin(catalog, name)
    if report.status != "active":
        return _unusable(report, as_json)
    subjects = subjects_of(catalog, report, wishes)
    checked = [subject for subject in subjects if not subject.not_checked]
    if checked:
        require_kit()
        click.echo(f"checking {report.title}: at most {timeout:g} s", err=True)
    checks = iter(run_checks(checked, deadline=timeout))
    rows = tuple(Row(subject) if subject.not_checked else Row(subject, next(checks)) for subject in subjects)
    card = Card(report, rows, programs(needs_of(catalog, report)))
    if as_json:
        click.echo(json.dumps(card.facts()))
    else:
        for line in card.lines():
            click.echo(line)
    return TASK_FAILED if card.failed else OK


def _unusable(report: PluginReport, as_json: bool) -> int:
    if as_json:
        facts = {"plugin": report.name, "version": report.version, "status": report.status, "reason": report.clause}
        click.echo(json.dumps({"schema": SCHEMA, **facts, "card": [], "programs": []}))
    else:
        click.echo(f"{report.title} is {report.status}: {report.clause}")
        if report.mend:
            click.echo(f"  mend: {report.mend}")
    return NOT_READY


def _options(given: tuple[str, ...]) -> dict[str, Any]:
    import yaml  # where there are options alone

    found: dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.UsageError(f"--option takes KEY=VALUE, not '{text}'")
        try:
            found[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise click.UsageError(f"--option {key}: '{value}' is no YAML: {' '.join(str(error).split())}") from None
    return found
