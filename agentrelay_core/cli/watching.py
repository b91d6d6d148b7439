"""Following a run from its journal alone: whoever drives it, and however often people look."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agentrelay_core.cli.records import is_driven
from agentrelay_core.journal import kinds
from agentrelay_core.journal.derive import apply
from agentrelay_core.journal.reader import read_events
from agentrelay_core.journal.state import RunState
from agentrelay_core.orchestrator.places import journal_path
from agentrelay_core.runtime import Event

PAUSE: Final = 0.25  # seconds between looks

Events = list[tuple[int, Event]]


def follow(state_dir: Path, state: RunState) -> Iterator[Events]:
    """The events of the latest run: those there are, then more as they come, until the run ends or nobody drives it.

    Args:
        state_dir: The run's state directory.
        state: Empty; kept up to date with what was given.

    Yields:
        Sequence and event of what is new, which may be nothing; at least once.
    """
    journal = journal_path(state_dir)
    while True:
        driven = is_driven(state_dir)  # asked before reading, so that the last events are read
        fresh = list(read_events(journal, after=state.sequence))
        for _, event in fresh:
            apply(state, event)
        begins = [index for index, (_, event) in enumerate(fresh) if event.kind == kinds.RUN_STARTED]
        yield fresh[begins[-1] :] if begins else fresh
        if state.outcome is not None or not driven:
            return
        time.sleep(PAUSE)
