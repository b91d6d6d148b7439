"""Which installed plugin is meant: by its distribution's name, or by the name of one of its entry points."""

from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.exit_codes import WRONG_USAGE
from agentrelay_core.hooks import Catalog
from agentrelay_core.hooks.plugins import PluginReport, canonical
from agentrelay_core.spec.suggestions import did_you_mean


def find_plugin(catalog: Catalog, name: str) -> PluginReport:
    """Find a plugin.

    Args:
        catalog: What is installed.
        name: A distribution, or an entry point.

    Raises:
        Failure: There is none, or several have an entry point of that name.
    """
    for report in catalog.plugins:
        if canonical(report.name) == canonical(name):
            return report
    by_point = [report for report in catalog.plugins if name in points_of(report)]
    if len(by_point) == 1:
        return by_point[0]
    if by_point:
        who = " and ".join(report.title for report in by_point)
        raise Failure(
            f"{len(by_point)} plugins have an entry point '{name}': {who}; name the distribution, for example "
            f"`agentrelay plugins check {by_point[0].name}`",
            WRONG_USAGE,
        )
    known = [word for report in catalog.plugins for word in (report.name, *points_of(report))]
    hint = did_you_mean(name, known) or f"installed are: {', '.join(report.name for report in catalog.plugins)};"
    raise Failure(f"no plugin '{name}' is installed; {hint} see `agentrelay plugins list`", WRONG_USAGE)


def points_of(report: PluginReport) -> tuple[str, ...]:
    """The names of a plugin's entry points."""
    return tuple(filter(None, report.entry_point.split(", ")))
