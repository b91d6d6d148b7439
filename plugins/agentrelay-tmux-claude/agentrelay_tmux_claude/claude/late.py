"""What Claude Code writes a moment after the hook that tells of a turn's end: waited for by event, and not for long."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeVar

from agentrelay_core.signals.noticing import Notices, notices_of

PATIENCE: Final = 1.0
"""Seconds after which what was not written is done without."""

# Seconds between looks where the kernel does not tell of changes.
_LOOK_AGAIN: Final = 0.1
_Seen = TypeVar("_Seen")


async def look_until(
    look: Callable[[], _Seen], enough: Callable[[_Seen], bool], directories: Iterable[Path], seconds: float = PATIENCE
) -> _Seen:
    """Look, and look again whenever something was written, until that is enough.

    Args:
        look: Reads files, in a thread.
        enough: Whether all is there.
        directories: Where it is written.
        seconds: How long to wait at most.

    Returns:
        What was seen last, be it enough or not.
    """
    until = asyncio.get_running_loop().time() + seconds
    changed = asyncio.Event()

    async def notice(notices: Notices) -> None:
        while True:
            await notices.changed()
            changed.set()

    with contextlib.ExitStack() as stack:
        watched = [stack.enter_context(notices_of(each, _LOOK_AGAIN, names=None)) for each in directories]
        noticing = [asyncio.ensure_future(notice(each)) for each in watched]
        try:
            async with asyncio.timeout_at(until):
                while not enough(seen := await asyncio.to_thread(look)):
                    await changed.wait()
                    changed.clear()
                return seen
        except TimeoutError:
            return await asyncio.to_thread(look)
        finally:
            for each in noticing:
                each.cancel()
            await asyncio.gather(*noticing, return_exceptions=True)
