"""Reading an agent's output as its framework understands it, line by line while the agent is waited for.

The log is looked at once a second while it grows, in a thread, and only where the framework reads it at all. What a
framework does wrong there costs its task nothing but the reading.
"""

import asyncio
import os
import re
from pathlib import Path
from typing import Any

from agentrelay_core.builtin.address import AGENT_LOG
from agentrelay_core.hooks import Framework, Progress
from agentrelay_core.runtime import IntegrationError, TaskRuntime
from agentrelay_core.runtime.agent_files import AgentDirectory
from agentrelay_core.task_runner.calls import call_step

# Seconds between looks at the log: the shortest, what each look that finds nothing makes of it, and the longest.
PAUSE = 1.0
PATIENCE = 1.5
LONGEST_PAUSE = 5.0
# Bytes of a log that one look reads; of more, the last ones.
MOST_OUTPUT = 1_048_576
# Kinds of progress that one look tells of, the latest of each.
MOST_KINDS = 5

# Seconds that the last look may take before it is given up.
LAST_LOOK = 10.0

# What ends a line, a redrawn one too.
_END = re.compile(rb"\r\n|\n|\r")


class OutputReader:
    """Hands the lines of a task's ``agent.log`` to its framework, and what it says of them to the task.

    Args:
        framework: The framework; one that only inherits ``read_line`` costs nothing here.
        runtime: The task, launched; how much was read is kept with its artifacts, so that no line is read twice.
        signal_dir: The attempt's directory.
    """

    def __init__(self, framework: Framework, runtime: TaskRuntime, signal_dir: Path) -> None:
        self._framework = framework
        self._runtime = runtime
        self._signal_dir = signal_dir
        self._log = f"{signal_dir}/{AGENT_LOG}"
        self._over: asyncio.Event | None = None
        self._following: asyncio.Task[None] | None = None
        self.problem = ""
        """What the framework did wrong; nothing is read after it."""

    def begin(self) -> None:
        """Begin to read, where the framework does."""
        method: Any = getattr(type(self._framework), "read_line", None)
        if method is not None and method is not Framework.read_line:
            self._over = asyncio.Event()
            self._following = asyncio.ensure_future(self._follow(self._over))

    async def finish(self) -> None:
        """Read what is left; then no line is read any more."""
        if self._over is None or self._following is None:
            return
        self._over.set()
        done, _ = await asyncio.wait({self._following}, timeout=LAST_LOOK)
        if not done:
            self._give_up(f"took more than {LAST_LOOK:g} s")
        self.stop()

    def stop(self) -> None:
        """Read no more."""
        if self._following is not None:
            self._following.cancel()

    async def _follow(self, over: asyncio.Event) -> None:
        last, pause, seen = False, PAUSE, 0
        while not last and not self.problem:
            try:
                async with asyncio.timeout(pause):
                    last = await over.wait()
            except TimeoutError:
                last = False
            size = self._size()
            if size != seen or last:
                for progress in await call_step(None, self, "look", last):
                    self._runtime.progress(progress.kind, progress.message)
            grew, seen = size != seen, size
            pause = PAUSE if grew else min(pause * PATIENCE, LONGEST_PAUSE)

    def _size(self) -> int:
        """The log's size; asked for on the event loop, where it costs less than the way to a thread."""
        try:
            return os.lstat(self._log).st_size
        except OSError:
            return 0

    def look(self, last: bool = False) -> list[Progress]:
        """Read the lines that are new.

        Args:
            last: Whether a line without an end is one, too.

        Returns:
            The latest progress of each kind, in the order in which it was made.
        """
        found: dict[str, Progress] = {}
        for line in self._new_lines(last):
            try:
                said = self._framework.read_line(line)
                if said is not None and not isinstance(said, Progress):
                    raise TypeError(f"due is a Progress or None, not {said!r:.60}")
            except Exception as error:
                self._give_up(f"raised {type(error).__name__}: {error}")
                break
            if said is not None:
                found.pop(said.kind, None)
                found[said.kind] = said
        return list(found.values())[-MOST_KINDS:]

    def _give_up(self, why: str) -> None:
        name = self._runtime.task.primary_agent.framework
        self.problem = f"the output is not read any more: read_line of the framework '{name}' {why}"

    def _new_lines(self, last: bool) -> list[str]:
        artifacts = self._runtime.artifacts
        try:
            with AgentDirectory(self._signal_dir) as directory:
                read = directory.read_from(AGENT_LOG, artifacts.output_read, MOST_OUTPUT)
        except (IntegrationError, OSError):
            return []  # no log that we read
        if read is None:
            return []
        begin, output = read
        # A line is read when it is whole; of one that is longer than a look reads, its end is.
        ends = [end.end() for end in _END.finditer(output)]
        whole = len(output) if last or (not ends and len(output) == MOST_OUTPUT) else max(ends, default=0)
        artifacts.output_read = begin + whole
        return [line.decode(errors="replace") for line in _END.split(output[:whole]) if line]
