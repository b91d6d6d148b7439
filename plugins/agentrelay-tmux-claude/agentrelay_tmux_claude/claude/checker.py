"""The completion checker of Claude Code without a terminal: signal files first, then the structured end of a turn."""

import asyncio
from collections.abc import Sequence

import attrs

from agentrelay_core import FrameworkType, TaskCompletionSignal
from agentrelay_core.builtin.checker import LAST_LINES, ComposedCompletionChecker
from agentrelay_core.builtin.required import host_of, required_address
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_core.task_runner.calls import call_step
from agentrelay_tmux_claude.claude.account import Account
from agentrelay_tmux_claude.claude.completion import SessionChecker
from agentrelay_tmux_claude.claude.framework import ClaudeFramework
from agentrelay_tmux_claude.claude.memory import Turn, unstarted_turn
from agentrelay_tmux_claude.claude.stream import last_turn, lines_of
from agentrelay_tmux_claude.claude.turns import begin_turn
from agentrelay_tmux_claude.claude.verdict import Ending


class _Reader(ClaudeFramework):
    """Tells of progress, and takes note of how the program ended: what that means is judged with all of its output."""

    def __init__(self) -> None:
        self.ended = False
        self.exit_code: int | None = None

    def outcome(self, exit_code: int | None, last_lines: Sequence[str]) -> TaskCompletionSignal:
        """Take note."""
        self.ended, self.exit_code = True, exit_code
        return TaskCompletionSignal("failed")


@attrs.frozen
class ClaudeCompletionChecker(SessionChecker):
    """Waits for the end of turns each of which is a program of its own."""

    async def _catch_up(self) -> None:
        due = unstarted_turn(self.context, required_address(self.context.runtime).label)
        if due is not None:
            await begin_turn(self.context, due)

    async def _turn_over(self, account: Account) -> TaskCompletionSignal | Ending:
        reader, runtime = _Reader(), self.context.runtime
        framework = FrameworkType(name="claude_code", cls=lambda: reader, default_environment="tmux")
        composed = ComposedCompletionChecker(attrs.evolve(self.context, framework=framework))
        signal = await composed.wait_for_completion(runtime)
        output: bytes = await call_step(None, host_of(self.context), "output", required_address(runtime))
        facts = last_turn(lines_of(output))
        told = await asyncio.to_thread(account.transcripts)
        account.tell(told.usage, results=facts.used)
        if not reader.ended:
            return signal
        words = [line for line in output.decode(errors="replace").splitlines() if line.strip() and line[0] != "{"]
        last_line = plain_line(words[-1], 400) if words else ""
        screen = "\n".join(words[-LAST_LINES:])
        return Ending(facts=facts, exit_code=reader.exit_code, last_line=last_line, screen=screen)

    async def _count_all(self, account: Account) -> None:
        """All of it is written when the program has ended, and was told then."""

    async def _tell(self, turn: Turn) -> None:
        await begin_turn(self.context, turn)

    async def _rest(self) -> None:
        """Its program has ended with its turn."""
