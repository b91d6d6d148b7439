"""Taking what a child of ours prints to its log, in a thread: neither the child nor the event loop waits for the other.

What outlives us is heard by its runner process instead, see ``recorded/listening.py``.
"""

import os
import threading

from agentrelay_core.processes.command import Command
from agentrelay_core.processes.errors import ProcessError
from agentrelay_core.processes.recorded.printed import PIECE, Log

# Seconds for the last words of a program that has ended; some that it started may hold its output open for ever.
_PATIENCE = 1.0


class Hearing:
    """Hears a program from when it is made until nobody can say anything more.

    Args:
        command: The program, whose `output` and `secrets` count.

    Attributes:
        prints: The descriptor on which the program prints; closed by `begin` and by `give_up`.

    Raises:
        ProcessError: The log cannot be written.
    """

    def __init__(self, command: Command) -> None:
        try:
            self._log = Log(str(command.output), [os.fsencode(secret) for secret in command.secrets])
        except OSError as error:
            raise ProcessError(f"cannot write what the program prints to {command.output}: {error.strerror}") from error
        self._printed, self.prints = os.pipe()
        self._thread = threading.Thread(target=self._hear, name="agentrelay-output", daemon=True)

    def begin(self) -> None:
        """Hear what comes, once the program has been started."""
        os.close(self.prints)
        self._thread.start()

    def give_up(self) -> None:
        """Let go of everything, as no program could be started."""
        for descriptor in (self.prints, self._printed):
            os.close(descriptor)
        self._log.close()

    def end(self) -> None:
        """Wait until all is in the log that was said by those who have ended; it blocks, for 1 s at most."""
        self._thread.join(_PATIENCE)

    def _hear(self) -> None:
        while piece := os.read(self._printed, PIECE):
            self._log.write(piece)
        os.close(self._printed)
        self._log.close()
