"""What takes its place for kickoffs: a program with Claude Code's arguments and hooks, and a terminal full of troubles.

Its trouble is the variable TROUBLE, see `terminal_program`. Without one the prompt that is an argument arrives, as it
does with Claude Code; with one it is lost, so that it has to be typed. What arrived is in the file ARRIVED.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tmux"))

from terminal_program import main


def call_hook(event: str) -> None:
    """Call the hook that the settings name for an event, as Claude Code does: with its data on standard input."""
    settings = json.loads(sys.argv[sys.argv.index("--settings") + 1])
    command = settings["hooks"][event][0]["hooks"][0]["command"]
    subprocess.run(["sh", "-c", command], input=json.dumps({"hook_event_name": event}), text=True, check=True)


trouble, arrived = os.environ["TROUBLE"], Path(os.environ["ARRIVED"])


def begin() -> None:
    """Take input, and the prompt that is an argument where it is not lost."""
    call_hook("SessionStart")
    if trouble == "none":
        arrived.write_text(json.dumps(sys.argv[-1]) + "\n")
        call_hook("UserPromptSubmit")


os.dup2(os.open("/dev/tty", os.O_RDWR), 0)  # Claude Code reads its terminal, whatever its standard input is
main(str(arrived), trouble, float(os.environ["LATE"]), begin, lambda: call_hook("UserPromptSubmit"))
