"""What must be true of the machine and the repository before a graph can run, found without changing anything."""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agentrelay_core.cli.findings import finding
from agentrelay_core.hooks.doctor import Finding
from agentrelay_core.orchestrator.places import repository_root
from agentrelay_core.processes import ProcessError, run_captured
from agentrelay_core.runtime import UserError

LOW_DISK_BYTES: Final = 512 << 20
VERSION_DEADLINE: Final = 10.0
OLDEST_GIT: Final = (2, 38)


def machine_findings(repository: str, state_dir: Path | None) -> Iterator[Finding]:
    """Look at Python, git, the repository and the disk.

    Args:
        repository: A path in the user's repository.
        state_dir: Where the journal is or will be, where that is known.
    """
    yield finding("note", "python", platform.python_version())
    yield _git()
    try:
        root = repository_root(Path(repository))
    except UserError as error:
        yield finding("error", "repository", str(error), "run `git init` and make a first commit")
        return
    yield finding("note", "repository", str(root))
    for place in (root, state_dir):
        if place is not None:
            yield from _disk(place)


def _git() -> Finding:
    mend = "install git 2.38 or newer (`apt-get install git`, `brew install git`)"
    if shutil.which("git") is None:
        return finding("error", "git", "the program git is not on PATH", mend)
    try:
        said = run_captured(["git", "--version"], deadline=VERSION_DEADLINE).stdout.decode(errors="replace").strip()
    except ProcessError as error:
        return finding("error", "git", str(error), mend)
    numbers = said.removeprefix("git version ").split(".")
    try:
        version = int(numbers[0]), int(numbers[1])
    except (ValueError, IndexError):
        return finding("warning", "git", f"cannot tell its version from {said!r}", mend)
    if version < OLDEST_GIT:
        return finding("error", "git", f"{said} is too old: merging without a checkout needs 2.38", mend)
    return finding("note", "git", said)


def _disk(place: Path) -> Iterator[Finding]:
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < LOW_DISK_BYTES:
        yield finding("warning", "disk", f"{free >> 20} MiB are free at {place}", "free some space before a run")
    if not os.access(place, os.W_OK):
        yield finding(
            "error", "disk", f"{place} cannot be written", "change its owner or mode, or choose another place"
        )
