"""The `gh` that is on PATH, and whether it is one that we can work with."""

import re
import shutil
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core.processes import ProcessError, run_captured
from agentrelay_git_gh.github.environment import gh_environment

OLDEST: Final = (2, 17)  # the first with `gh auth token`
OLDEST_TRIED: Final = (2, 23)
INSTALL: Final = "install it, see https://cli.github.com"

_DEADLINE: Final = 30.0


@attrs.frozen(kw_only=True)
class Program:
    """A `gh`.

    Args:
        path: Where it is.
        version: What it calls its version; empty where it does not say.
    """

    path: Path
    version: str

    @property
    def numbers(self) -> tuple[int, ...]:
        """The first two numbers of its version."""
        return tuple(int(number) for number in re.findall(r"\d+", self.version)[:2])


def installed() -> Program | None:
    """The `gh` on PATH; `None` without one."""
    found = shutil.which("gh")
    if found is None:
        return None
    try:
        told = run_captured((found, "--version"), cwd="/", env=gh_environment(), deadline=_DEADLINE)
    except ProcessError:
        return Program(path=Path(found), version="")
    match = re.match(r"gh version ([0-9][\w.+-]*)", told.stdout.decode(errors="replace"))
    return Program(path=Path(found), version=match[1] if match else "")


def problem_of(program: Program | None) -> str | None:
    """What keeps a run from working with it, and what to do; `None` where nothing does."""
    if program is None:
        return f"forge: github needs gh, which is not on PATH; {INSTALL}"
    if not program.version:
        return f"{program.path} does not say which version of gh it is; {INSTALL}"
    if program.numbers < OLDEST:
        oldest = ".".join(map(str, OLDEST_TRIED))
        return f"gh {program.version} ({program.path}) is too old; install gh {oldest} or newer"
    return None
