"""What a scribe is: a shell that writes a file."""

from collections.abc import Sequence

from agentrelay_core import AgentCommand, Progress, StepContext, TaskCompletionSignal

SCRIPT = 'echo "progress: reading $2"; echo "$1, launched by ${SCRIBE_LAUNCHER:-the core}" > scribe.txt'


class Scribe:
    """Starts the shell, and reads its lines and its end."""

    def command(self, context: StepContext) -> AgentCommand:
        """The shell, with the style and the path of the instructions."""
        instructions = f"{context.runtime.state.signal_dir}/instructions.md"
        return AgentCommand(argv=("sh", "-c", SCRIPT, "sh", context.options.style, instructions))

    def read_line(self, line: str) -> Progress | None:
        """Lines that begin with ``progress: ``."""
        return Progress(kind="working", message=line[10:]) if line.startswith("progress: ") else None

    def outcome(self, exit_code: int | None, last_lines: Sequence[str]) -> TaskCompletionSignal:
        """Exit 0 is done."""
        if exit_code == 0:
            return TaskCompletionSignal("done")
        return TaskCompletionSignal("failed", error=f"exit {exit_code}: {' '.join(last_lines)}")
