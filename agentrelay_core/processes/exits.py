"""Noticing that a process ends without asking again and again: a pidfd becomes readable at that moment.

Where there is no pidfd, or no descriptor left for one, the process is looked at a few times a second. Both can be
cancelled at any time and leave no descriptor, watcher, task or thread behind.
"""

import asyncio
import os

from agentrelay_core.processes.identity import ProcessIdentity, alive

_LOOK_AGAIN = 0.2  # seconds


async def process_ended(identity: ProcessIdentity) -> None:
    """Wait until a process, ours or not, has ended; a zombie has.

    Args:
        identity: The process.
    """
    while alive(identity) != "ended" and not await _noticed(identity):  # noqa: ASYNC110  # nobody could set an event
        await asyncio.sleep(_LOOK_AGAIN)


async def _noticed(identity: ProcessIdentity) -> bool:
    """Wait by pidfd until the process has ended; False where that is not possible."""
    try:
        descriptor = os.pidfd_open(identity.pid)
    except (AttributeError, OSError):
        return False
    try:
        if alive(identity) != "alive":  # the number may have been used again before the descriptor was opened
            return False
        loop = asyncio.get_running_loop()
        readable = loop.create_future()
        try:
            loop.add_reader(descriptor, _set, readable)
        except NotImplementedError:
            return False
        try:
            await readable
        finally:
            loop.remove_reader(descriptor)
        return True
    finally:
        os.close(descriptor)


def _set(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
