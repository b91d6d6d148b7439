"""What must be true of the machine and the repository before a graph can run, found without changing anything."""

import os
import platform
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agentrelay_core.cli.findings import finding
from agentrelay_core.cli.installed import root_or_none
from agentrelay_core.cli.records import state_folder
from agentrelay_core.cli.repositories import git, git_problem, git_version
from agentrelay_core.hooks.doctor import Finding

LEAST_ROOM: Final = 1 << 30  # bytes; worktrees and our own repository grow with the user's


def machine_findings(repository: str) -> Iterator[Finding]:
    """Look at Python, git, the repository and the disk.

    Args:
        repository: A path in the user's repository.
    """
    yield finding("note", "python", platform.python_version())
    problem = git_problem()
    if problem is None:
        yield finding("note", "git", git_version())
    else:
        what, _, mend = problem.partition("; ")
        yield finding("error", "git", what, mend)
    if shutil.which("sh") is None:
        mend = "Install a POSIX shell, or put its folder on PATH."
        yield finding("warning", "sh", "sh is not on PATH; gates are run by it.", mend)
    root = root_or_none(repository)
    if root is None:
        message = f"{Path(repository).absolute()} is in no git repository."
        yield finding("error", "repository", message, "Run `git init` there, or name -C PATH.")
        return
    yield finding("note", "repository", str(root))
    if problem is None and not git(root, "rev-list", "--all", "--max-count=1"):
        mend = "Commit something: git add . && git commit -m Begin"
        yield finding("error", "repository", "it has no commit to branch off.", mend)
    yield from _disk("the repository", root)
    yield from _disk("the state directory", state_folder(root, "any").parent)


def _disk(name: str, path: Path) -> Iterator[Finding]:
    place = next(folder for folder in (path, *path.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if free < LEAST_ROOM:
        yield finding("warning", "disk", f"{name}, {path}, has {free >> 20} MiB left.", "Free at least 1 GiB there.")
    if not os.access(place, os.W_OK):
        yield finding("error", "disk", f"{name}, {path}, cannot be written.", f"Check the permissions of {place}.")
