"""What `agentrelay doctor` says of tmux here: its version, and what it is known to do wrong."""

import os
import re
from collections.abc import Iterator
from typing import Final

from agentrelay_core.hooks.doctor import Finding
from agentrelay_core.processes import ProcessError, run_captured
from agentrelay_core.runtime.untrusted_text import plain_line

OLDEST_TRIED: Final = (3, 3)
# From this one on tmux tells of every program's end.
_TELLS_ENDS: Final = (3, 5)
_DEADLINE: Final = 10.0  # seconds


def findings() -> Iterator[Finding]:
    """Look at tmux on this machine; no server is started."""
    try:
        told = run_captured(["tmux", "-V"], cwd="/", env=dict(os.environ), deadline=_DEADLINE)
    except ProcessError:
        return  # that it is missing is said of all that need it
    said = plain_line(told.stdout.decode(errors="replace"), 100)
    found = re.search(r"(\d+)\.(\d+)", said)
    if found is None:
        yield Finding(level="note", subject="tmux", message=f"{said or 'it does not say its version'}")
        return
    version = (int(found[1]), int(found[2]))
    if version < OLDEST_TRIED:
        message = f"{said} is older than 3.3, the oldest that was tried"
        yield Finding(level="warning", subject="tmux", message=message, mend="Install a newer tmux.")
    elif version < _TELLS_ENDS:
        message = f"{said}; it loses the end of some programs, which agentrelay therefore learns from elsewhere"
        yield Finding(level="note", subject="tmux", message=message)
    else:
        yield Finding(level="note", subject="tmux", message=said)
