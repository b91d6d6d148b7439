"""How far an agent is, as its steps tell it: an event for people, and progress where a stall is judged.

A step may read the agent's output in a thread of its own, so it is told from whichever thread, and handed to the event
loop. An agent may say the same thing a thousand times: that counts each time and is shown once.
"""

import asyncio
import contextlib
from typing import TYPE_CHECKING

from agentrelay_core.runtime.untrusted_text import plain_line

if TYPE_CHECKING:
    from agentrelay_core.task_runner.agent_wait import AgentWait

# The kind of progress that says that the agent waits for a person; it is not taken for hung until it says another.
AWAITING_INPUT = "awaiting_input"
LONGEST_KIND = 40
LONGEST_MESSAGE = 300


class ProgressTeller:
    """Takes what one wait for an agent is told of its progress; what comes after the wait is passed over.

    Args:
        life: The task's.
    """

    __slots__ = ("_life", "_said")

    def __init__(self, life: "AgentWait") -> None:
        self._life = life
        self._said = ""

    def __call__(self, kind: str, message: str = "") -> None:
        """Tell of progress, from whichever thread.

        Args:
            kind: What the agent does, a word.
            message: More about it; data, whatever it says.
        """
        loop = self._life.wait.task.get_loop()
        if _runs_here(loop):
            self._tell(kind, message)
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._tell, kind, message)

    def _tell(self, kind: str, message: str) -> None:
        life = self._life
        if life.runtime.on_progress is not self:
            return
        life.runner.watchdog.stalls.progressed(life, asks=kind == AWAITING_INPUT)
        kind, message = plain_line(kind, LONGEST_KIND), plain_line(message, LONGEST_MESSAGE)
        said = f"{kind}: {message}" if message else kind
        if said != self._said:
            self._said = said
            life.progress(kind, said)
            if kind == AWAITING_INPUT:
                life.warn(f"the agent waits for input: {message or 'it does not say what for'}")


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:  # a thread without a loop
        return False
