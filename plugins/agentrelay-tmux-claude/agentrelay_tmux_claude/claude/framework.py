"""The framework ``claude_code``, for whoever starts its program without knowing more of it: one turn, no terminal."""

from collections.abc import Sequence
from typing import Any

from agentrelay_core import AgentCommand, IntegrationError, Progress, StepContext, TaskCompletionSignal
from agentrelay_core.builtin.required import required_path
from agentrelay_core.runtime.environment import INSTRUCTIONS
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_tmux_claude.claude.arguments import added_environment, headless_arguments
from agentrelay_tmux_claude.claude.stream import last_turn, parse_line
from agentrelay_tmux_claude.claude.verdict import Ending, judge

LONGEST_MESSAGE = 200


class ClaudeFramework:
    """Claude Code without a terminal, its output a stream of JSON lines."""

    def command(self, context: StepContext) -> AgentCommand:
        """The command of the first turn, its instructions on standard input.

        Args:
            context: The task; its options are `ClaudeOptions`.

        Raises:
            UserError: There are no such options.
            ValueError: ``signal_dir`` is not set.
        """
        instructions = required_path(context.runtime, "signal_dir") / INSTRUCTIONS
        return AgentCommand(
            argv=headless_arguments(context),
            env=added_environment(context),
            stdin=instructions if instructions.is_file() else None,
        )

    def read_line(self, line: str) -> Progress | None:
        """What a line of the stream says: a tool that is used, words, a retry, a limit, the end of the turn."""
        found = parse_line(line)
        return None if found is None else _progress(found)

    def outcome(self, exit_code: int | None, last_lines: Sequence[str]) -> TaskCompletionSignal:
        """What an end without a signal means to those who give no further turn: never done, unless work was seen.

        Args:
            exit_code: The program's exit code.
            last_lines: The end of its output.
        """
        facts = last_turn(found for found in map(parse_line, last_lines) if found is not None)
        words = [line for line in last_lines if line.strip() and parse_line(line) is None]
        last = plain_line(words[-1]) if words else ""
        try:
            verdict = judge(Ending(facts=facts, exit_code=exit_code, last_line=last, told=frozenset({"nudge"})))
        except IntegrationError as error:
            return TaskCompletionSignal("failed", error=str(error))
        if isinstance(verdict, TaskCompletionSignal):
            return verdict
        return TaskCompletionSignal("failed", error=getattr(verdict, "message", facts.text))


def _progress(found: dict[str, Any]) -> Progress | None:
    kind = found["type"]
    if kind == "assistant":
        message = found.get("message")
        blocks = message.get("content") if isinstance(message, dict) else None
        for block in reversed(blocks) if isinstance(blocks, list) else ():
            if isinstance(block, dict) and block.get("type") == "tool_use":
                return Progress(kind="tool", message=plain_line(str(block.get("name", "")), LONGEST_MESSAGE))
            if isinstance(block, dict) and block.get("type") == "text":
                return Progress(kind="text", message=plain_line(str(block.get("text", "")), LONGEST_MESSAGE))
    if kind == "system" and found.get("subtype") == "api_retry":
        return Progress(kind="retry", message=plain_line(str(found.get("error", "")), LONGEST_MESSAGE))
    if kind == "rate_limit_event":
        info = found.get("rate_limit_info")
        status = info.get("status", "") if isinstance(info, dict) else ""
        return Progress(kind="limit", message=plain_line(str(status), LONGEST_MESSAGE))
    if kind == "result":
        return Progress(kind="result", message=plain_line(str(found.get("result", "")), LONGEST_MESSAGE))
    return None
