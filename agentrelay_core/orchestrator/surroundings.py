"""What a run takes from the machine besides the clock of its event loop: a record, chance, and threads.

A simulation of weeks in seconds gives others, so that the same seed gives the same run; everyone else leaves them.
"""

import random
from collections.abc import Callable
from pathlib import Path

import attrs

from agentrelay_core.journal import Journal
from agentrelay_core.task_runner.stalls import Begin, begin_in_thread


@attrs.frozen(kw_only=True)
class Surroundings:
    """What a run takes from the machine.

    Args:
        open_journal: Opens the run's memory to write.
        chance: Where the jitter of pauses comes from.
        begin: Begins a look at agents where it does not block the event loop.
    """

    open_journal: Callable[[Path], Journal] = Journal.open
    chance: random.Random = attrs.field(factory=random.Random, eq=False)
    begin: Begin = begin_in_thread
