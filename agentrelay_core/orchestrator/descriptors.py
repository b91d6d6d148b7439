"""How many tasks this process can drive at a time: each needs descriptors for its agent, its git and its waiting.

A run that has more tasks at once than that would fail them one by one with "too many open files".
"""

import resource
from typing import Final

# What the process itself holds: its journal, its lock, its event loop, its streams, its plugins.
RESERVED: Final = 48
# A git process with its pipes, a runner process at its start, an agent that is watched.
PER_TASK: Final = 10


def affordable(wanted: int, limit: int | None = None) -> int:
    """Bound a number of concurrent tasks by the descriptors that this process may have.

    Args:
        wanted: How many are wanted.
        limit: How many descriptors there may be; default the process's own soft limit.

    Returns:
        How many there can be, at least 1.
    """
    if limit is None:
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, (limit - RESERVED) // PER_TASK))
