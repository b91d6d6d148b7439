"""Which versions of the programs that a plugin needs are found here."""

import re
import shutil
from collections.abc import Iterable
from typing import Final

import attrs

from agentrelay_core.processes import ProcessError, run_captured
from agentrelay_core.runtime.untrusted_text import plain_line

DEADLINE: Final = 5.0  # seconds for one program to tell its version
LARGEST_OUTPUT: Final = 65_536  # bytes


@attrs.frozen
class Program:
    """A program that a plugin needs.

    Args:
        name: Its name.
        path: Where it is; `None` when it is not on PATH.
        version: What it says of its version, a line; `None` when it says nothing that can be read.
    """

    name: str
    path: str | None = None
    version: str | None = None

    @property
    def line(self) -> str:
        """For people."""
        if self.path is None:
            return f"{self.name}: not on PATH"
        return f"{self.name}: {self.version or 'says no version'} ({self.path})"


def programs(names: Iterable[str], *, deadline: float = DEADLINE) -> tuple[Program, ...]:
    """Find programs, and ask each for its version by ``--version``.

    Args:
        names: Their names.
        deadline: Seconds that each has to answer.
    """
    return tuple(_program(name, deadline) for name in names)


def _program(name: str, deadline: float) -> Program:
    path = shutil.which(name)
    if path is None:
        return Program(name)
    try:
        done = run_captured((path, "--version"), deadline=deadline, output_limit=LARGEST_OUTPUT)
    except ProcessError:
        return Program(name, path)
    lines = (done.stdout or done.stderr).decode(errors="replace").splitlines()
    line = next((line for line in lines if re.search(r"\d", line)), None)
    return Program(name, path, plain_line(line.strip(), 100) if line is not None and done.returncode == 0 else None)
