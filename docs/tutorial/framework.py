"""How verse is started, and how its output and its end are read."""

from collections.abc import Sequence

from agentrelay_core import AgentCommand, Progress, StepContext, TaskCompletionSignal


class VerseFramework:
    """A program with a number and a file as arguments."""

    def command(self, context: StepContext) -> AgentCommand:
        """The program to start in the task's worktree; its instructions are a file."""
        signal_dir = context.runtime.state.signal_dir
        if signal_dir is None:
            raise ValueError("signal_dir is not set; the task must be prepared first")
        return AgentCommand(argv=("verse", str(context.options.lines), str(signal_dir / "instructions.md")))

    def read_line(self, line: str) -> Progress | None:
        """Each line that is written is progress."""
        return Progress(kind="writing", message=line) if line.startswith("line ") else None

    def outcome(self, exit_code: int | None, last_lines: Sequence[str]) -> TaskCompletionSignal:
        """The exit code tells how it ended, and the last line why."""
        if exit_code == 0:
            return TaskCompletionSignal("done")
        return TaskCompletionSignal("failed", error=last_lines[-1] if last_lines else f"verse: exit {exit_code}")
