"""What is wrong with what is installed or configured, and how to mend it: the data of ``plugins doctor``."""

import functools
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Literal

import attrs

from agentrelay_core.hooks.catalog import Catalog
from agentrelay_core.hooks.needs import all_needs
from agentrelay_core.hooks.plugins import canonical
from agentrelay_core.hooks.records import EnvironmentType, FrameworkType
from agentrelay_core.spec import RunSettings
from agentrelay_core.spec.suggestions import did_you_mean


@attrs.frozen(kw_only=True)
class Finding:
    """Something that ``plugins doctor`` has to say.

    Args:
        level: ``error`` keeps something installed from working, ``warning`` may, ``note`` does not.
        subject: What it is about: a plugin, a program or a line of configuration.
        message: What is so.
        mend: What to do about it; empty where nothing needs to be done.
    """

    level: Literal["error", "warning", "note"]
    subject: str
    message: str
    mend: str = ""


def doctor_findings(catalog: Catalog, which: Callable[[str], str | None] = shutil.which) -> tuple[Finding, ...]:
    """Everything worth knowing about what is installed and configured.

    Args:
        catalog: The plugins.
        which: Finds a program on PATH; `None` where there is none.

    Returns:
        The findings, those that keep something from working first.
    """
    # Not for `plugins list`, whose start is measured.
    from agentrelay_core.hooks.option_texts import option_texts
    from agentrelay_core.hooks.resuming import limits

    found = [*_plugins(catalog), *_conflicts(catalog), *_pins(catalog), *_configuration(catalog)]
    for need in all_needs(catalog):
        if which(need.program) is None:
            message = f"{need.program} is not on PATH; it is needed by {', '.join(need.needed_by)}."
            mend = f"Install {need.program}, or put its folder on PATH."
            found.append(Finding(level="warning", subject=need.program, message=message, mend=mend))
    found += [Finding(level="note", subject=subject, message=message) for subject, message in limits(catalog)]
    for option in option_texts(catalog):
        subject = f"{option.provided_by} (framework:{option.framework})"
        found.append(Finding(level="note", subject=subject, message=f"takes the option {option.text}"))
    return tuple(sorted(found, key=_by_level))


def machine_findings(catalog: Catalog, used: Collection[str] | None = None) -> Iterator[Finding]:
    """What frameworks and environments find out about the programs and the logins that they need.

    Args:
        catalog: The plugins.
        used: Names of those that are asked; `None` for all.
    """
    records: tuple[FrameworkType | EnvironmentType, ...] = (
        *catalog.frameworks.values(),
        *catalog.environments.values(),
    )
    for record in records:
        if record.findings is None or (used is not None and record.name not in used):
            continue
        yield from _asked(record.name, record.findings)


def repository_findings(catalog: Catalog, repository: Path, settings: RunSettings) -> Iterator[Finding]:
    """What forges find out about a repository.

    Args:
        catalog: The plugins.
        repository: The repository's top directory.
        settings: The settings of a run; the forge that they name is asked, for ``auto`` all.
    """
    for forge in catalog.forges:
        if forge.findings is not None and settings.forge in ("auto", forge.name):
            yield from _asked(forge.name, functools.partial(forge.findings, repository, settings))


def _asked(name: str, findings: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    try:
        yield from findings()
    except Exception as error:  # a plugin's; whatever it is, people are told of it and of all else
        message = f"its look failed: {type(error).__name__}: {error}"
        yield Finding(level="warning", subject=name, message=message)


def _by_level(finding: Finding) -> int:
    return ("error", "warning", "note").index(finding.level)


def _plugins(catalog: Catalog) -> Iterator[Finding]:
    for report in catalog.plugins:
        if report.status == "active" and not report.reason:
            continue
        level: Literal["error", "note"] = "error" if report.status in ("broken", "incompatible") else "note"
        message = f"{report.status}: {report.clause}"
        yield Finding(level=level, subject=report.title, message=message, mend=report.mend)


def _conflicts(catalog: Catalog) -> Iterator[Finding]:
    for key, error in catalog.conflicts.items():
        yield Finding(level="warning", subject=key, message=str(error))


def _pins(catalog: Catalog) -> Iterator[Finding]:
    installed = {canonical(report.name): report for report in catalog.plugins}
    for key, distribution in catalog.pins.items():
        line = f'"{key}" = "{distribution}"'
        offers = catalog.offers.get(key, ())
        report = installed.get(canonical(distribution))
        if any(canonical(offer.plugin.name) == canonical(distribution) for offer in offers):
            continue
        if report is None:
            hint = did_you_mean(distribution, (other.name for other in catalog.plugins))
            message = f"[plugins.pin] {line} names a plugin that is not installed{f'; {hint}' if hint else '.'}"
        elif report.status != "active":
            message = f"[plugins.pin] {line} names a plugin that is {report.status}."
        elif offers:
            who = ", ".join(offer.plugin.title for offer in offers)
            message = f"[plugins.pin] {line} names a plugin that does not provide it; {who} does."
        else:
            hint = did_you_mean(key, catalog.offers)
            message = f"[plugins.pin] {line} matches nothing that is provided{f'; {hint}' if hint else '.'}"
        yield Finding(level="warning", subject=key, message=message, mend="Correct or remove that line.")


def _configuration(catalog: Catalog) -> Iterator[Finding]:
    installed = {canonical(report.name) for report in catalog.plugins}
    named = [(name, f'[plugins] disable = ["{name}"]') for name in catalog.disable]
    named += [(name, f"[options.{name}]") for name in catalog.plugin_options]
    for name, line in named:
        if canonical(name) not in installed:
            message = f"{line} names no installed plugin."
            yield Finding(level="warning", subject=name, message=message, mend="Correct or remove that line.")
