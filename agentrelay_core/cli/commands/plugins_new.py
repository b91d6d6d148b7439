"""``agentrelay plugins new``: a whole distribution to begin with, whose checks pass; nothing is overwritten."""

from pathlib import Path

import click

from agentrelay_core.cli.checking.subjects import CORE, modules_of
from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.exit_codes import NOT_READY, OK, WRONG_USAGE
from agentrelay_core.cli.installed import catalog_here
from agentrelay_core.cli.scaffolding import (
    KINDS,
    Pair,
    bound,
    distribution_name,
    kind_problem,
    name_problem,
    rendered,
    slug_of,
    write,
)
from agentrelay_core.hooks import Catalog
from agentrelay_core.hooks.plugins import canonical
from agentrelay_core.spec.suggestions import did_you_mean, listing


@click.command("new")
@click.argument("name")
@click.option("--kind", required=True, metavar="KIND", help=f"What it adds: {', '.join(KINDS)}.")
@click.option("--framework", metavar="NAME", help="A step's framework (command).")
@click.option("--environment", metavar="NAME", help="A step's environment, or a framework's default one (process).")
@click.option("--directory", default=".", metavar="DIR", help="Where the new directory agentrelay-NAME goes (here).")
@click.option("--dry-run", is_flag=True, help="List the files, and write nothing.")
def command(name: str, kind: str, framework: str | None, environment: str | None, directory: str, dry_run: bool) -> int:
    """Make a plugin's distribution, agentrelay-NAME: package, compliance tests, README, tox and CI files.

    A framework is a kind of agent, an environment a place where agents run, a forge one where pull requests live. A
    launcher, kickoff or completion_checker is one step of your own for one pair of framework and environment.
    """
    _check(name, kind, framework, environment)
    catalog = catalog_here(".")
    _not_taken(catalog, name, kind)
    files = rendered(name, kind, _pair(catalog, framework or "command", environment or "process"))
    folder, target = Path(directory), Path(directory) / distribution_name(name)
    if not folder.is_dir():
        raise Failure(f"there is no directory {directory}; `mkdir -p {directory}` makes it", WRONG_USAGE)
    if target.exists() or target.is_symlink():
        raise Failure(
            f"{target} is there already and was left as it is; choose another name or `--directory`", WRONG_USAGE
        )
    if dry_run:
        for place in files:
            click.echo(f"would make {target / place}")
        return OK
    try:
        for path in write(files, target):
            click.echo(f"made {path}")
    except OSError as error:
        raise Failure(f"{target} cannot be written: {error}; try `--directory`", NOT_READY) from error
    for line in _next(target, name):
        click.echo(line, err=True)
    return OK


def _next(target: Path, name: str) -> tuple[str, ...]:
    package = f"agentrelay_{slug_of(name)}"
    return (
        f"next:  cd {target}",
        "       tox                                (pip install tox); its checks pass from the start",
        f"       edit {package}, then tox again",
        f"       pip install . && agentrelay plugins check {distribution_name(name)}",
    )


def _check(name: str, kind: str, framework: str | None, environment: str | None) -> None:
    problem_of_name = name_problem(name)
    problem = kind_problem(kind) or (problem_of_name and f"'{name}' {problem_of_name}")
    if problem is not None:
        raise click.UsageError(problem)
    if framework is not None and not KINDS[kind].is_step:
        raise click.UsageError(f"--framework is for a step's key; leave it out for a plugin of the kind {kind}")
    if environment is not None and kind in ("environment", "forge"):
        raise click.UsageError("--environment is for a step's key, or a framework's default; leave it out here")
    if kind == "forge" and name == "auto":
        raise click.UsageError("`forge: auto` chooses among all forges; choose another name")


def _not_taken(catalog: Catalog, name: str, kind: str) -> None:
    """Refuse what would be a conflict as soon as both were installed."""
    for offer in catalog.offers.get(f"{kind}:{slug_of(name)}", ()):
        if canonical(offer.plugin.name) != distribution_name(name):
            raise Failure(
                f"{offer.plugin.title} provides the {kind} '{slug_of(name)}' already; choose another name, see "
                "`agentrelay plugins list`",
                WRONG_USAGE,
            )


def _pair(catalog: Catalog, framework: str, environment: str) -> Pair:
    kind, place = catalog.frameworks.get(framework), catalog.environments.get(environment)
    if kind is None:
        raise Failure(_missing("framework", framework, sorted(catalog.frameworks)), WRONG_USAGE)
    if place is None:
        raise Failure(_missing("environment", environment, sorted(catalog.environments)), WRONG_USAGE)
    declared = (catalog.offers[key][0].plugin for key in (f"framework:{framework}", f"environment:{environment}"))
    others = {plugin.name: plugin for plugin in declared if canonical(plugin.name) != CORE}.values()
    return Pair(
        framework=framework,
        environment=environment,
        environment_class=place.cls,
        programs=tuple(program for program in kind.needs if program not in place.needs),
        requires=tuple(f"{plugin.name}{_bound(plugin.version)}" for plugin in others),
        companions=tuple(module for plugin in others for module in modules_of(plugin)),
    )


def _bound(version: str) -> str:
    try:
        return bound(version)
    except ValueError:
        return ""  # no version that could be compared


def _missing(what: str, name: str, installed: list[str]) -> str:
    hint = did_you_mean(name, installed) or f"installed are: {listing(installed) or 'none'}"
    return f"no {what} '{name}' is installed; {hint} See `agentrelay plugins list`"
