"""Telling an agent in a terminal something, exactly once: pasted, sent, and acknowledged by the agent's own side.

What is on a screen settles nothing: keys are lost while a program starts, dialogs swallow them, and one that redraws
for ever is never still. So the agent's side has to say that the text arrived: by a hook, a transcript, a file. Until it
does, Enter is pressed again, which is harmless; the text is pasted again only late, and only where it is not on the
screen, because that is the one thing that could make it arrive twice.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final, Protocol

import attrs

from agentrelay_tmux_claude.tmux.errors import KickoffError, TmuxError
from agentrelay_tmux_claude.tmux.panes import Pane

DEADLINE: Final = 120.0
TRIES: Final = 3
# Seconds until Enter is pressed again; it doubles within a try.
ENTER_AGAIN: Final = 2.0
# How many characters of the text's end are looked for on the screen, where a terminal may have folded it.
_LOOKED_FOR: Final = 24


class Acknowledged(Protocol):
    """How the agent's side tells that it has the text, or is ready for it."""

    async def __call__(self, seconds: float) -> bool:
        """Wait until it does, but no longer than this; whether it did."""


class Obstacle(Protocol):
    """Recognises what stands in the way, for example a dialog that asks for trust."""

    def __call__(self, screen: str) -> str | None:
        """Its name, for the error; `None` where there is nothing."""


@attrs.frozen(kw_only=True)
class Delivery:
    """How a text is delivered.

    Args:
        deadline: Seconds that everything may take.
        tries: How often the text may be pasted.
        enter_again: Seconds until Enter is pressed again.
        clear: Keys that empty the line of input; pressed before the text is pasted again.
    """

    deadline: float = DEADLINE
    tries: int = TRIES
    enter_again: float = ENTER_AGAIN
    clear: Sequence[str] = ("C-u",)


async def deliver(
    pane: Pane,
    text: str,
    *,
    acknowledged: Acknowledged,
    ready: Acknowledged | None = None,
    obstacle: Obstacle | None = None,
    how: Delivery | None = None,
) -> None:
    """Type a text into a pane and have it acknowledged.

    Args:
        pane: The agent's pane.
        text: The text, of any length, in any language, with any character but ESC, which is left out.
        acknowledged: Says that the agent has it.
        ready: Says that the agent takes input; what is typed earlier may be lost. `None`: it is taken to be ready.
        obstacle: Recognises what stands in the way.
        how: Deadline and tries.

    Raises:
        KickoffError: It was not acknowledged, something stands in the way, or the pane is gone; the text shows what
            was on the screen.
    """
    how = Delivery() if how is None else how
    until = time.monotonic() + how.deadline
    try:
        if ready is not None and not await ready(how.deadline):
            await _unobstructed(pane, obstacle)
            raise KickoffError(f"the agent was not ready within {how.deadline:g} s", await _screen(pane))
        for number in range(how.tries):
            await _unobstructed(pane, obstacle)
            if number == 0 or not await _shows(pane, text):
                await asyncio.to_thread(_paste, pane, text, how.clear if number else ())
            left = max(until - time.monotonic(), 0.0) / (how.tries - number)
            if await _entered(pane, acknowledged, obstacle, left, how.enter_again):
                return
    except TmuxError as error:
        raise KickoffError(str(error)) from error
    raise KickoffError(
        f"the agent did not acknowledge it within {how.deadline:g} s and {how.tries} tries", await _screen(pane)
    )


async def _entered(
    pane: Pane, acknowledged: Acknowledged, obstacle: Obstacle | None, seconds: float, again: float
) -> bool:
    """Press Enter, and again after a while, until the text is acknowledged."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        await asyncio.to_thread(_keys, pane, "Enter")
        if await acknowledged(min(again, left)):
            return True
        await _unobstructed(pane, obstacle)
        again *= 2
    return False


async def _unobstructed(pane: Pane, obstacle: Obstacle | None) -> None:
    screen = await _screen(pane)
    name = None if obstacle is None else obstacle(screen)
    if name is not None:
        raise KickoffError(f"{name} is in the way", screen)


async def _screen(pane: Pane) -> str:
    return await asyncio.to_thread(pane.screen)


async def _shows(pane: Pane, text: str) -> bool:
    """Whether the end of a text is on the screen, however it is folded there."""
    end = "".join(text.split())[-_LOOKED_FOR:]
    return end in "".join((await _screen(pane)).split())


def _paste(pane: Pane, text: str, clear: Sequence[str]) -> None:
    there = pane.look()
    if there is None:
        raise TmuxError("the agent's window is gone")
    if clear:
        pane.server.run(("send-keys", "-t", there.pane, *clear))
    name = f"agentrelay-{pane.mark}"
    pane.server.run(
        ("load-buffer", "-b", name, "-"),
        ("paste-buffer", "-d", "-p", "-r", "-b", name, "-t", there.pane),
        stdin=text.replace("\x1b", "").encode(errors="replace"),
    )


def _keys(pane: Pane, *keys: str) -> None:
    there = pane.look()
    if there is None:
        raise TmuxError("the agent's window is gone")
    pane.server.run(("send-keys", "-t", there.pane, *keys))
