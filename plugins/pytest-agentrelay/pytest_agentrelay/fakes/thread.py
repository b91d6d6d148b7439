"""An agent in a thread of this process: it plays scripts, prints into ``agent.log``, and ends when it is told to.

An agent that has its instructions from the start plays its script and ends. One that is idle waits to be told, plays,
and waits again: each time that it is told something is a turn.
"""

import os
import queue
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from agentrelay_core.runtime import AgentFailure
from pytest_agentrelay.fakes.acts import play
from pytest_agentrelay.fakes.script import Act
from pytest_agentrelay.fakes.stage import STOPPED, Stage

AGENT_LOG: Final = "agent.log"
# Seconds within which an agent reads what it is told, and ends when it is stopped.
PATIENCE: Final = 10.0
_LOG_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)


class ThreadAgent:
    """One agent.

    Args:
        script: What it does.
        task_id: Its task.
        worktree: Where it works.
        signal_dir: Where it signals, and where its log is.
        idle: Whether it waits to be told before it begins.
    """

    def __init__(
        self, script: tuple[Act, ...], *, task_id: str, worktree: Path, signal_dir: Path, idle: bool = False
    ) -> None:
        self.ended: Future[int] = Future()
        """Its exit code, once it has ended."""
        self.received: list[bytes] = []
        """What it was told, turn by turn: the instructions as it read them."""
        self._script = script
        self._idle = idle
        self._turns: queue.SimpleQueue[tuple[Path, Future[None]] | None] = queue.SimpleQueue()
        self._log = signal_dir / AGENT_LOG
        self._stage = Stage(task_id=task_id, worktree=worktree, signal_dir=signal_dir, say=self._say)
        self._thread = threading.Thread(target=self._live, name=f"agent of {task_id}", daemon=True)

    def start(self) -> None:
        """Begin.

        Raises:
            AgentFailure: Its log cannot be written.
        """
        self.ended.set_running_or_notify_cancel()  # from now on nobody who waits for it can cancel it
        try:
            self._say("")
        except OSError as error:
            raise AgentFailure(f"the agent's log cannot be written: {error}") from error
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return not self.ended.done()

    def tell(self, instructions: Path) -> None:
        """Give an idle agent its instructions, and return when it has read them.

        Raises:
            AgentFailure: It has ended, or does not read them in time.
        """
        read: Future[None] = Future()
        if self.alive and not self._stage.stop.is_set():
            self._turns.put((instructions, read))
            self.ended.add_done_callback(lambda _: read.cancel())
            try:
                read.result(PATIENCE)
                return
            except TimeoutError:
                read.cancel()
            except OSError as error:
                raise AgentFailure(f"the agent cannot read its instructions: {error}") from error
            except BaseException as error:
                if not read.cancelled():
                    raise
                raise AgentFailure("the agent ended before it read its instructions") from error
        raise AgentFailure("the agent takes no instructions: it is at work, or has ended")

    def stop(self) -> None:
        """End it, and return when it has ended; stopping again changes nothing.

        Raises:
            AgentFailure: It has not ended in time.
        """
        self._stage.stop.set()
        self._turns.put(None)
        if self._thread.ident is None or self._thread is threading.current_thread():
            return
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            raise AgentFailure(f"the agent {self._thread.name!r} did not end within {PATIENCE:g} s")

    def _live(self) -> None:
        code = 1
        try:
            code = self._take_turns() if self._idle else play(self._script, self._stage) or 0
        except Exception as error:
            self._complain(error)
        finally:
            self.ended.set_result(code)

    def _take_turns(self) -> int:
        while (turn := self._turns.get()) is not None:
            instructions, read = turn
            if not read.set_running_or_notify_cancel():
                continue
            try:
                self.received.append(instructions.read_bytes())
            except OSError as error:
                read.set_exception(error)
                continue
            read.set_result(None)
            code = play(self._script, self._stage)
            if code is not None:
                return code
        return STOPPED

    def _complain(self, error: Exception) -> None:
        try:
            self._say(f"{type(error).__name__}: {error}\n")
        except OSError:
            return  # the log went away with the attempt's directory; the exit code tells enough

    def _say(self, text: str) -> None:
        descriptor = os.open(self._log, _LOG_FLAGS, 0o644)
        try:
            os.write(descriptor, text.encode(errors="replace"))
        finally:
            os.close(descriptor)
