"""Which installed distributions declare plugins; the only module that reads entry points.

Nothing is imported here. What costs time is looking at every installed distribution, so of most of them only
``entry_points.txt`` is read, and the metadata of those few that name an ``agentrelay`` group. A distribution is one
plugin however many entry points it has: its name is what configuration, messages and pins call it.
"""

import re
import sys
from pathlib import Path
from typing import Any, Final

import attrs

from agentrelay_core.hooks.plugins import canonical

GROUP: Final = "agentrelay.v1"
PREFIX: Final = "agentrelay."
_MARK: Final = re.compile(r"^\s*\[\s*agentrelay\.", re.MULTILINE)
_REQUIRES_CORE: Final = re.compile(r"^agentrelay[-_.]core\b[^;]*?>=\s*([0-9]+(?:\.[0-9]+)*)", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class Candidate:
    """A distribution that declares a plugin; nothing of it has been imported.

    Args:
        name: The distribution's name.
        version: The distribution's version.
        entry_points: Name and ``module:attribute`` of each entry point in our group.
        other_groups: Entry-point groups of other versions of the contract.
        requires_core: The lowest version of agentrelay-core that it asks for; empty where it asks for none.
        problem: Why its metadata could not be read; empty when it could.
    """

    name: str
    version: str
    entry_points: tuple[tuple[str, str], ...] = ()
    other_groups: tuple[str, ...] = ()
    requires_core: str = ""
    problem: str = ""


def candidates() -> tuple[Candidate, ...]:
    """Find every installed distribution with an entry point in an ``agentrelay.*`` group, sorted by name."""
    from importlib_metadata import distributions  # dear, and needed by those alone who look for plugins

    found: dict[str, Candidate] = {}
    # A place that is not there, as Python's own zip file, would make the reader import its support for archives.
    path = [place for place in sys.path if Path(place).exists()]
    for distribution in distributions(path=path):
        try:
            text = distribution.read_text("entry_points.txt")
        except (OSError, UnicodeError):
            continue  # unreadable, and so nobody's plugin; importing what it holds would fail as well
        if text is None or not _MARK.search(text):
            continue
        candidate = _read(distribution)
        if not (candidate.entry_points or candidate.other_groups or candidate.problem):
            continue  # a group without entries
        # The first on the path shadows others of the same name, as it does for imports.
        found.setdefault(canonical(candidate.name), candidate)
    return tuple(candidate for name, candidate in sorted(found.items()) if not _is_shadowed(candidate, name, path))


def _read(distribution: Any) -> Candidate:
    fields = _metadata(distribution)
    name = fields.get("name", [""])[0]
    version = fields.get("version", [""])[0]
    if not name:
        place = distribution.locate_file("")
        return Candidate(name=f"unnamed in {place}", version="", problem="its METADATA has no Name")
    try:
        points = [point for point in distribution.entry_points if point.group.startswith(PREFIX)]
    except Exception as error:
        return Candidate(name=name, version=version, problem=f"its entry_points.txt cannot be read: {error}")
    requires = (_REQUIRES_CORE.match(line) for line in fields.get("requires-dist", ()))
    return Candidate(
        name=name,
        version=version,
        entry_points=tuple(sorted((point.name, point.value) for point in points if point.group == GROUP)),
        other_groups=tuple(sorted({point.group for point in points if point.group != GROUP})),
        requires_core=next((match[1] for match in requires if match), ""),
    )


def _metadata(distribution: Any) -> dict[str, list[str]]:
    """The header fields that we need; parsing them all as an e-mail would cost more than everything else here."""
    try:
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    except (OSError, UnicodeError):
        text = ""
    fields: dict[str, list[str]] = {}
    for line in text.partition("\n\n")[0].splitlines():
        key, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            fields.setdefault(key.strip().lower(), []).append(value.strip())
    return fields


def _is_shadowed(candidate: Candidate, name: str, path: list[str]) -> bool:
    """Whether a distribution of that name without a plugin stands earlier on the path."""
    from importlib_metadata import distributions

    if candidate.problem:
        return False
    try:
        first = next(iter(distributions(name=name, path=path)), None)
        text = first.read_text("entry_points.txt") if first is not None else None
    except (OSError, UnicodeError):
        return False
    return first is not None and not _MARK.search(text or "")
