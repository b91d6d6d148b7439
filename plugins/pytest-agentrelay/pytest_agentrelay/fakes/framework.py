"""The framework ``fake``: a command line that any environment can run, and that ``in_process`` plays in a thread."""

import sys
from collections.abc import Sequence
from typing import Final

from agentrelay_core.hooks import AgentCommand, Progress, StepContext
from agentrelay_core.processes import describe_exit
from agentrelay_core.runtime.environment import INSTRUCTIONS
from agentrelay_core.task_runner import TaskCompletionSignal
from pytest_agentrelay.fakes.options import FakeOptions
from pytest_agentrelay.fakes.required import required
from pytest_agentrelay.fakes.script import to_argument

PROGRAM: Final = (sys.executable, "-m", "pytest_agentrelay.fakes.program")


class FakeFramework:
    """Runs the script that the graph names."""

    def command(self, context: StepContext) -> AgentCommand:
        """The program, with the script as its argument and the instructions on standard input.

        Args:
            context: The task; its options are `FakeOptions`, or nothing.

        Raises:
            ValueError: ``signal_dir`` is not set.
        """
        options = context.options if isinstance(context.options, FakeOptions) else FakeOptions(**context.options)
        instructions = required(context.runtime, "signal_dir") / INSTRUCTIONS
        return AgentCommand(
            argv=(*PROGRAM, to_argument(options.acts)), stdin=instructions if instructions.is_file() else None
        )

    def read_line(self, line: str) -> Progress | None:
        """A limit that was reached is told as ``rate_limited``."""
        return Progress(kind="rate_limited", message=line) if line.startswith("rate limited") else None

    def outcome(self, exit_code: int | None, last_lines: Sequence[str]) -> TaskCompletionSignal:
        """Exit 0 is done, anything else failed.

        Args:
            exit_code: Exit code, the negative number of a signal, or `None` when it cannot be known.
            last_lines: The end of the output.
        """
        if exit_code == 0:
            return TaskCompletionSignal("done")
        return TaskCompletionSignal("failed", error=f"the fake agent {describe_exit(exit_code)}")
