"""Telling what a program prints anew from what it only draws again.

An agent that hangs may go on turning its spinner, and counting the seconds beside it. What counts is text that was not
there before. Plain lines are taken at their word, even equal ones; text between movements of the cursor is new when its
words, or its percentages and fractions, were not seen lately.
"""

import re

from agentrelay_core.runtime.untrusted_text import plain_text

# Texts that are remembered, by their hashes: more than stand on a screen.
MOST_SEEN = 200

# What makes a terminal write over what stands there: a lone carriage return, backspaces, movements, what hides the
# cursor meanwhile; colours are none of it.
_MOVE = re.compile(r"\r(?!\n)|\x08+|\x1b\[[0-9;?]*[@-HJ-MPSTX`a-hlsu]|\x1b[78DEMc]")
# Frames of spinners have no letters, and seconds that pass have no unit of their own.
_WORDS = re.compile(r"[^\W\d_]+|\d+(?:\.\d+)?%|\d+/\d+")


class Screen:
    """What a program has shown."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: dict[int, None] = {}

    def shows_more(self, output: bytes) -> tuple[bool, int]:
        """Take in more of the output.

        Args:
            output: What follows the part that was taken in before.

        Returns:
            Whether it shows anything new, and how many bytes of it were taken in: an unfinished redraw at the end
            belongs to the next part.
        """
        text = output.decode(errors="replace")
        if _MOVE.search(text) is None:
            return bool(plain_text(text).strip()), len(output)
        # The last movement begins what may not be whole yet.
        end = max(output.rfind(b"\n") + 1, output.rfind(b"\r"), output.rfind(b"\x1b"))
        return self._draw(output[:end].decode(errors="replace")), end

    def _draw(self, text: str) -> bool:
        more = False
        for piece in _MOVE.split(text):
            for line in plain_text(piece).splitlines():
                words = _WORDS.findall(line.casefold())
                if not words:
                    continue
                text_seen = hash(tuple(words))
                more = more or text_seen not in self._seen
                self._seen.pop(text_seen, None)  # what is drawn again is remembered longest
                self._seen[text_seen] = None
        while len(self._seen) > MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        return more
