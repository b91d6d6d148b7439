"""What is to be started: one value, whoever starts it, so that no argument is listed twice on its way."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import attrs

# Name and value of an environment variable that one program alone was given: by it, descendants are found that left
# the program's group and session.
Marker: TypeAlias = tuple[str, str]


@attrs.frozen(kw_only=True)
class Command:
    """A program that is to run for long.

    Args:
        argv: The program and its arguments.
        cwd: Working directory.
        env: The whole environment, whose PATH is searched.
        output: File to which what it prints is appended; a link there is refused. Of very much, the middle is left out.
        stdin: File whose content it reads; `None` means nothing.
        secrets: What becomes stars in its output.
        memory: Bytes of memory of its own that each of its processes may have; `None` leaves that to the machine.
    """

    argv: Sequence[str]
    cwd: Path | str
    env: Mapping[str, str] = attrs.field(repr=False)  # it may hold secrets
    output: Path
    stdin: Path | None = None
    secrets: Sequence[str] = attrs.field(default=(), repr=False)
    memory: int | None = None
