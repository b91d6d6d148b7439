"""The framework ``command``: any program is an agent that reads its instructions on standard input and exits."""

import re
from collections.abc import Sequence
from pathlib import Path

from agentrelay_core.builtin.options import CommandOptions
from agentrelay_core.builtin.required import required_path
from agentrelay_core.hooks import AgentCommand, Framework, StepContext
from agentrelay_core.processes import describe_exit
from agentrelay_core.runtime import AgentFailure, IntegrationBoundary, UserError
from agentrelay_core.runtime.environment import INSTRUCTIONS
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_core.task_runner import TaskCompletionSignal

NOT_FOUND = 127
# The most that Linux takes as one argument, in bytes.
LONGEST_ARGUMENT = 128 * 1024 - 1
# How much of the output an error tells, in lines and in characters of a line.
LAST_LINES = 20
LONGEST_LINE = 400

# How shells, and env, say that there is no such program.
_MISSING = (  # compiled when an agent could not be started, which is rare
    r"(?:^|: )(?:command not found: (?P<zsh>\S+)"
    r"|['\u2018]?(?P<program>[^\s:'\u2018\u2019]+)['\u2019]?: "
    r"(?:command |inaccessible or )?(?:not found|No such file or directory))$"
)


class CommandFramework(Framework):
    """Runs the command that the graph names; what that prints says nothing that we could know."""

    def command(self, context: StepContext) -> AgentCommand:
        """The command, as it is or by ``sh -c``, with the instructions where its options say.

        Args:
            context: The task; its options are `CommandOptions`.

        Raises:
            UserError: There are no such options.
            AgentFailure: The instructions are too long for an argument.
            ValueError: ``signal_dir`` is not set.
        """
        if not isinstance(context.options, CommandOptions):
            raise UserError(
                f"task {context.runtime.task.id!r}: the framework 'command' needs the option 'command', "
                "a command line or a list of a program and its arguments",
                boundary=IntegrationBoundary.AGENT_LAUNCH,
            )
        command, way = context.options.command, context.options.instructions
        instructions = required_path(context.runtime, "signal_dir") / INSTRUCTIONS
        argv = ("sh", "-c", command) if isinstance(command, str) else command
        if way == "stdin":
            return AgentCommand(argv=argv, stdin=instructions if instructions.is_file() else None)
        last = str(instructions) if way == "path" else _argument(instructions)
        return AgentCommand(argv=(*argv, "sh", last) if isinstance(command, str) else (*argv, last))

    def outcome(self, exit_code: int | None, last_lines: Sequence[str]) -> TaskCompletionSignal:
        """Exit 0 is done, anything else failed with the last lines of output.

        Args:
            exit_code: Exit code, the negative number of a signal, or `None` when it cannot be known.
            last_lines: The end of the output.
        """
        if exit_code == 0:
            return TaskCompletionSignal("done")
        lines = [line for line in (plain_line(line, LONGEST_LINE) for line in last_lines[-LAST_LINES:]) if line]
        if exit_code == NOT_FOUND and lines and (missing := re.search(_MISSING, lines[-1])) is not None:
            error = f"program {missing['program'] or missing['zsh']} not found on PATH"
        else:
            error = f"the command {describe_exit(exit_code)}"
        return TaskCompletionSignal("failed", error="\n".join([f"{error}:", *lines] if lines else [error]))


def _argument(instructions: Path) -> str:
    text = instructions.read_text(encoding="utf-8")
    if len(text.encode()) > LONGEST_ARGUMENT:
        raise AgentFailure(
            f"the instructions have {len(text.encode())} bytes, and an argument at most {LONGEST_ARGUMENT}; "
            "say `instructions: path`, or `stdin`, for this agent",
            boundary=IntegrationBoundary.AGENT_LAUNCH,
        )
    return text
