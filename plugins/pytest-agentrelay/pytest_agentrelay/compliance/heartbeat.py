"""Whether an event loop stays free: a pulse in the loop, and a thread that sees where the loop stands when it misses.

The loop serves every task of a run, so a step that holds it for long holds all of them.
"""

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType
from typing import Final

import attrs

PULSE: Final = 0.005
# Frames of these files wait, whoever called them; the caller is whom one wants to know.
_WAITING: Final = ("asyncio", "selectors.py", "threading.py", "concurrent", "subprocess.py", "heartbeat.py", "<frozen")


@attrs.define
class Heart:
    """What was seen.

    Args:
        longest: The longest time that the loop was held, in seconds.
        where: The line that held it, ``file:line``, where it was seen.
    """

    longest: float = 0.0
    where: str = ""


@asynccontextmanager
async def heartbeat(limit: float) -> AsyncIterator[Heart]:
    """Watch the running loop.

    Args:
        limit: How long it may be held, in seconds; what holds it longer is looked for.
    """
    loop = asyncio.get_running_loop()
    thread = threading.get_ident()
    heart = Heart()
    last = time.monotonic()
    over = threading.Event()

    def beat() -> None:
        nonlocal last
        now = time.monotonic()
        heart.longest, last = max(heart.longest, now - last - PULSE), now
        if not over.is_set():
            loop.call_later(PULSE, beat)

    def watch() -> None:
        while not over.wait(limit / 4):
            held = time.monotonic() - last - PULSE
            if held > max(limit, heart.longest) and (frame := _frame_of(thread)) is not None:
                heart.where = _line(frame) or heart.where

    watcher = threading.Thread(target=watch, name="heartbeat", daemon=True)
    beat()
    watcher.start()
    try:
        yield heart
    finally:
        over.set()
        beat()
        watcher.join()


def _frame_of(thread: int) -> FrameType | None:
    # The one way to see where another thread stands; faulthandler can only print it.
    return sys._current_frames().get(thread)  # noqa: SLF001


def _line(frame: FrameType | None) -> str:
    while frame is not None:
        file = frame.f_code.co_filename
        if not any(part in file for part in _WAITING):
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
