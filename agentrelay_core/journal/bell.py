"""How a thread is called to its work: one ring serves for all that is laid ready before the thread looks.

Waking a thread costs as much as recording an event, and in one turn of an event loop a hundred tasks may ask for it.
Whoever rings has laid his work ready before; whoever answers looks for work after `answer` or `wait` returned.
"""

from queue import Empty, SimpleQueue


class Bell:
    """A bell between any threads that ring and one that answers."""

    __slots__ = ("_rings", "_rung")

    def __init__(self) -> None:
        self._rings: SimpleQueue[None] = SimpleQueue()
        self._rung = False

    def ring(self) -> None:
        """Call the thread, unless it was called and has not come yet."""
        if not self._rung:
            self._rung = True
            self._rings.put(None)

    def wait(self, seconds: float | None = None) -> None:
        """Sleep until it rings.

        Args:
            seconds: The longest sleep; `None` for one without end.
        """
        try:
            self._rings.get(timeout=seconds)
        except Empty:
            return
        self._rung = False

    def answer(self) -> None:
        """Take all calls that have come; the next one rings again."""
        while not self._rings.empty():
            self._rings.get_nowait()
        # Last, so that whoever rang before it, and was not heard, has his work seen by the look that follows.
        self._rung = False
