"""The framework ``command``: any program is an agent that reads its instructions on standard input and exits."""

import re
from collections.abc import Sequence

from agentrelay_core.builtin.options import CommandOptions
from agentrelay_core.builtin.required import required_path
from agentrelay_core.hooks import AgentCommand, Progress, StepContext
from agentrelay_core.processes import describe_exit
from agentrelay_core.runtime import IntegrationBoundary, UserError
from agentrelay_core.runtime.environment import INSTRUCTIONS
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_core.task_runner import TaskCompletionSignal

NOT_FOUND = 127
# How much of the output an error tells, in lines and in characters of a line.
LAST_LINES = 20
LONGEST_LINE = 400

# How shells, and env, say that there is no such program.
_MISSING = re.compile(
    r"(?:^|: )(?:command not found: (?P<zsh>\S+)"
    r"|['\u2018]?(?P<program>[^\s:'\u2018\u2019]+)['\u2019]?: "
    r"(?:command |inaccessible or )?(?:not found|No such file or directory))$"
)


class CommandFramework:
    """Runs the command that the graph names."""

    def command(self, context: StepContext) -> AgentCommand:
        """The command, as it is or by ``sh -c``, with the instructions on standard input.

        Args:
            context: The task; its options are `CommandOptions`.

        Raises:
            UserError: There are no such options.
            ValueError: ``signal_dir`` is not set.
        """
        if not isinstance(context.options, CommandOptions):
            raise UserError(
                f"task {context.runtime.task.id!r}: the framework 'command' needs the option 'command', "
                "a command line or a list of a program and its arguments",
                boundary=IntegrationBoundary.AGENT_LAUNCH,
            )
        command = context.options.command
        instructions = required_path(context.runtime, "signal_dir") / INSTRUCTIONS
        return AgentCommand(
            argv=("sh", "-c", command) if isinstance(command, str) else command,
            stdin=instructions if instructions.is_file() else None,
        )

    def read_line(self, line: str) -> Progress | None:
        """A command's output says nothing that we could know."""
        return None

    def outcome(self, exit_code: int | None, last_lines: Sequence[str]) -> TaskCompletionSignal:
        """Exit 0 is done, anything else failed with the last lines of output.

        Args:
            exit_code: Exit code, the negative number of a signal, or `None` when it cannot be known.
            last_lines: The end of the output.
        """
        if exit_code == 0:
            return TaskCompletionSignal("done")
        lines = [line for line in (plain_line(line, LONGEST_LINE) for line in last_lines[-LAST_LINES:]) if line]
        if exit_code == NOT_FOUND and lines and (missing := _MISSING.search(lines[-1])) is not None:
            error = f"program {missing['program'] or missing['zsh']} not found on PATH"
        else:
            error = f"the command {describe_exit(exit_code)}"
        return TaskCompletionSignal("failed", error="\n".join([f"{error}:", *lines] if lines else [error]))
