"""Which installed distributions declare plugins; the only module that reads entry points.

Nothing is imported here. What costs time is looking at every installed distribution, so of most of them only
``entry_points.txt`` is read, and the metadata of those few that name an ``agentrelay`` group. A distribution is one
plugin however many entry points it has: its name is what configuration, messages and pins call it.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, TypeAlias

import attrs

from agentrelay_core.hooks.plugins import canonical

# Gives the text of a file of a distribution, by name; `None` where it has none.
Reader: TypeAlias = Callable[[str], str | None]

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
    found: dict[str, Candidate | None] = {}
    for name, place, read in _distributions():
        # The first on the path shadows others of the same name, as it does for imports, with a plugin or without.
        if name not in found:
            candidate = _candidate(place, read)
            # A directory may be called otherwise than what it holds, as pip's leftovers of a failed removal are.
            found.setdefault(name if candidate is None else canonical(candidate.name), candidate)
    return tuple(candidate for _, candidate in sorted(found.items()) if candidate is not None)


def _distributions() -> Iterator[tuple[str, str, Reader]]:
    """All installed distributions in the order of the path: their names, where they are, what reads their files."""
    for place in sys.path:
        if os.path.isfile(place):  # noqa: PTH113  # no Path objects: a path may have thousands of distributions
            # An archive. Its reader is dear to import, and hardly anybody has one.
            from importlib_metadata import distributions

            for distribution in distributions(path=[place]):
                yield canonical(distribution.name), place, distribution.read_text
            continue
        try:
            names = sorted(os.listdir(place or "."))  # noqa: PTH208  # as above
        except OSError:
            continue  # a place that is not there
        for name in names:
            stem, dot, kind = name.rpartition(".")
            if dot and kind in ("dist-info", "egg-info"):
                yield canonical(stem.partition("-")[0]), place, partial(_read_text, os.path.join(place, name))  # noqa: PTH118


def _read_text(directory: str, name: str) -> str | None:
    """A file of a distribution; `None` where it has none."""
    try:
        with open(os.path.join(directory, name), encoding="utf-8") as file:  # noqa: PTH118, PTH123  # as above
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _candidate(place: str, read: Reader) -> Candidate | None:
    """What a distribution declares; `None` where that is nothing of ours."""
    try:
        text = read("entry_points.txt")
    except (OSError, UnicodeError):
        return None  # unreadable, and so nobody's plugin; importing what it holds would fail as well
    if text is None or not _MARK.search(text):
        return None
    fields = _metadata(read)
    name = fields.get("name", [""])[0]
    version = fields.get("version", [""])[0]
    if not name:
        return Candidate(name=f"unnamed in {place}", version="", problem="its METADATA has no Name")
    points = [point for point in _entry_points(text) if point[0].startswith(PREFIX)]
    if not points:
        return None  # a group without entries
    requires = (_REQUIRES_CORE.match(line) for line in fields.get("requires-dist", ()))
    return Candidate(
        name=name,
        version=version,
        entry_points=tuple(sorted((point, value) for group, point, value in points if group == GROUP)),
        other_groups=tuple(sorted({group for group, _, _ in points if group != GROUP})),
        requires_core=next((match[1] for match in requires if match), ""),
    )


def _entry_points(text: str) -> Iterator[tuple[str, str, str]]:
    """Group, name and value of each entry point; a line that is none is passed over."""
    group = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1].strip()
        elif line and line[0] not in "#;":
            name, equals, value = line.partition("=")
            if equals:
                yield group, name.strip(), value.strip()


def _metadata(read: Reader) -> dict[str, list[str]]:
    """The header fields that we need; parsing them all as an e-mail would cost more than everything else here."""
    try:
        text = read("METADATA") or read("PKG-INFO") or ""
    except (OSError, UnicodeError):
        text = ""
    fields: dict[str, list[str]] = {}
    for line in text.partition("\n\n")[0].splitlines():
        key, colon, value = line.partition(":")
        if colon and not line[0].isspace():
            fields.setdefault(key.strip().lower(), []).append(value.strip())
    return fields
