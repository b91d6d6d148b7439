"""What an agent's signal says, read from files that may be half-written, stale, contradictory or a trap.

Two newline-terminated lines are a whole signal. Anything shorter is one that its writer is still at: it is taken as it
is once it stayed unchanged for two seconds, or once its writer is gone. An empty file never is.
"""

import errno
import re
from pathlib import Path
from typing import Final, Literal

from agentrelay_core.runtime import ProtocolViolation
from agentrelay_core.runtime.agent_files import AgentDirectory
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_core.signals.concerns import concerns_in
from agentrelay_core.signals.layout import DONE, FAILED
from agentrelay_core.task_runner import TaskCompletionSignal

LARGEST_SIGNAL: Final = 64 * 1024
SETTLED_AFTER: Final = 2.0

_OUTCOMES: Final[dict[str, Literal["done", "failed"]]] = {DONE: "done", FAILED: "failed"}
_LONGEST_URL = 2_048
_NONCE = "nonce="
_TIMESTAMP = re.compile(r"\d{4}-?\d{2}-?\d{2}")
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


class SignalReader:
    """Looks at one attempt's directory again and again, and remembers what a half-written signal held.

    Args:
        signal_dir: The attempt's directory.
        nonce: What the attempt's helper adds to its signals; `None` when it is not known.
        settled_after: Seconds after which an unchanged short signal is taken as it is.
    """

    __slots__ = ("_content", "_nonce", "_settled_after", "_signal_dir", "_since", "due")

    def __init__(self, signal_dir: Path, nonce: str | None, settled_after: float = SETTLED_AFTER) -> None:
        self._signal_dir = signal_dir
        self._nonce = nonce
        self._settled_after = settled_after
        self._content: tuple[str, bytes] | None = None
        self._since = 0.0
        self.due: float | None = None
        """When to look again though nothing is noticed, in the caller's clock; `None`: not needed."""

    def look(self, now: float) -> TaskCompletionSignal | None:
        """Look once.

        Args:
            now: Seconds of a monotonic clock.

        Returns:
            The signal with the agent's concerns, `None` while there is none.

        Raises:
            ProtocolViolation: Both signals are there, or a file is a link, no regular file, too large or unreadable.
        """
        self.due = None
        try:
            with AgentDirectory(self._signal_dir) as directory:
                return self._look(directory, now)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno not in _EXHAUSTED:
                raise
            self.due = now + self._settled_after  # our own shortage says nothing about the agent
            return None

    def _look(self, directory: AgentDirectory, now: float) -> TaskCompletionSignal | None:
        found = {name: content for name in _OUTCOMES if (content := directory.read(name, LARGEST_SIGNAL)) is not None}
        fresh = {name: content for name, content in found.items() if not self._is_stale(content)}
        if len(fresh) > 1:
            raise ProtocolViolation(f"{directory.path} holds both {DONE} and {FAILED}; an attempt ends in one way")
        for name, content in fresh.items():
            if self._is_settled(name, content, now):
                return _parse(name, content, concerns_in(directory))
        if found and self.due is None:  # empty or stale: rewriting it in place changes nothing in the directory
            self.due = now + self._settled_after
        return None

    def _is_stale(self, content: bytes) -> bool:
        lines = _lines(content)
        given = lines[2].strip() if len(lines) > 2 else ""
        return self._nonce is not None and given.startswith(_NONCE) and given != _NONCE + self._nonce

    def _is_settled(self, name: str, content: bytes, now: float) -> bool:
        if content.count(b"\n") >= 2:
            return True
        if not content:
            return False
        if self._content != (name, content):
            self._content, self._since = (name, content), now
        if now - self._since >= self._settled_after:
            return True
        self.due = self._since + self._settled_after
        return False


def read_signal(signal_dir: Path, nonce: str | None) -> TaskCompletionSignal | None:
    """Look once for a whole signal.

    Args:
        signal_dir: The attempt's directory.
        nonce: What the attempt's helper adds to its signals; `None` when it is not known.

    Returns:
        The signal with the agent's concerns, `None` if there is none or it is still being written.

    Raises:
        ProtocolViolation: See `SignalReader.look`.
    """
    return SignalReader(signal_dir, nonce).look(0.0)


def final_look(signal_dir: Path, nonce: str | None) -> TaskCompletionSignal | None:
    """Look once after the agent's end: a short signal is taken as it is, for nobody will complete it.

    Args:
        signal_dir: The attempt's directory.
        nonce: What the attempt's helper adds to its signals; `None` when it is not known.

    Returns:
        The signal with the agent's concerns, `None` if there is none.

    Raises:
        ProtocolViolation: See `SignalReader.look`.
    """
    return SignalReader(signal_dir, nonce, settled_after=0.0).look(0.0)


def _lines(content: bytes) -> list[str]:
    return content.decode("utf-8-sig", "replace").split("\n")


def _parse(name: str, content: bytes, concerns: tuple[str, ...]) -> TaskCompletionSignal:
    first, second = (plain_line(line) for line in [*_lines(content), ""][:2])
    # Written by hand, the timestamp is easily forgotten; what stands in its place is then what was to be said.
    said = second or ("" if _TIMESTAMP.match(first) else first)
    if name == FAILED:
        return TaskCompletionSignal("failed", error=said or None, concerns=concerns)
    return TaskCompletionSignal("done", pr_url=said if _is_url(said) else None, concerns=concerns)


def _is_url(text: str) -> bool:
    return ("://" in text or text.startswith("agentrelay+local:")) and len(text) <= _LONGEST_URL
