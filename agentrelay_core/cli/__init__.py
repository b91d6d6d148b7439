"""The command `agentrelay`: a thin caller of the API that everybody can use.

Help and version are answered here without importing anything else, because they are what people and completions ask
for most; every other command imports what it needs, and no more, when it is used.
"""

import gc
import os
import sys

# New objects between two searches for garbage, instead of 700. A start makes some 65,000 objects and little garbage;
# the three searches that 20,000 would mean cost as much as the start of Python itself.
_OBJECTS_BETWEEN_SEARCHES = 100_000


def main() -> int:
    """Run the command line of this process.

    Returns:
        The exit code (`agentrelay_core.cli.exit_codes`).
    """
    arguments = sys.argv[1:]
    # A shell that completes calls without arguments, and asks through this variable.
    if arguments in ([], ["--help"], ["-h"], ["--version"]) and "_AGENTRELAY_COMPLETE" not in os.environ:
        from agentrelay_core.cli.pipes import write_whole
        from agentrelay_core.cli.table import VERSION, help_text

        return write_whole(f"agentrelay {VERSION}\n" if arguments == ["--version"] else help_text())
    gc.set_threshold(_OBJECTS_BETWEEN_SEARCHES)
    from agentrelay_core.cli.application import run

    return run(arguments)
