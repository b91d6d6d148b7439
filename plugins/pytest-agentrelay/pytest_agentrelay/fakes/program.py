"""A scripted agent as a program of its own, for environments that run programs: its one argument is the script."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn

from pytest_agentrelay.fakes.acts import play
from pytest_agentrelay.fakes.script import from_argument
from pytest_agentrelay.fakes.stage import Stage


def main(arguments: list[str]) -> int:
    """Play the script in the current directory; what it needs to know is in ``AGENTRELAY_*`` variables.

    Args:
        arguments: The script.

    Returns:
        The exit code.
    """
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    stage = Stage(
        task_id=os.environ["AGENTRELAY_TASK_ID"],
        worktree=Path.cwd(),
        signal_dir=Path(os.environ["AGENTRELAY_SIGNAL_DIR"]),
        say=_say,
        stop=stop,
        crash=_crash,
    )
    code = play(from_argument(arguments[0]), stage) or 0
    return code if code >= 0 else 128 - code


def _say(text: str) -> None:
    print(text, end="", flush=True)


def _crash() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit(137)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
