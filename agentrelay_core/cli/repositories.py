"""The few things that commands themselves ask of git: is it there, how old is it, make a repository."""

import re
import shutil
from pathlib import Path
from typing import Final

from agentrelay_core.cli.errors import Failure
from agentrelay_core.cli.exit_codes import NOT_READY
from agentrelay_core.processes import ProcessError, run_captured

OLDEST_GIT: Final = (2, 38)  # the first with merge-tree --write-tree
DEADLINE: Final = 60.0  # seconds for one call


def git(repository: Path, *arguments: str) -> str:
    """Run git with hooks off.

    Args:
        repository: Its working directory.
        arguments: What stands after ``git``.

    Returns:
        What it printed.

    Raises:
        Failure: There is no git, or it failed.
    """
    argv = ("git", "-c", "core.hooksPath=/dev/null", *arguments)
    try:
        done = run_captured(argv, cwd=repository, deadline=DEADLINE)
    except ProcessError as error:
        raise Failure(f"{error}; see `agentrelay doctor`", NOT_READY) from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise Failure(f"`git {' '.join(arguments)}` failed in {repository}: {said}", NOT_READY)
    return done.stdout.decode(errors="replace").strip()


def git_problem() -> str | None:
    """What is wrong with the installed git, and how to mend it; `None` where nothing is."""
    oldest = ".".join(map(str, OLDEST_GIT))
    if shutil.which("git") is None:
        return f"git is not on PATH; install git {oldest} or newer"
    version = git_version()
    if tuple(int(number) for number in re.findall(r"\d+", version)[:2]) < OLDEST_GIT:
        return f"git {version} is too old; install git {oldest} or newer"
    return None


def git_version() -> str:
    """The version of git, for example ``2.43.0``."""
    return git(Path.cwd(), "version").removeprefix("git version ")
