"""The completion checker of Claude Code without a terminal: signal files first, then the structured end of each turn.

A limit is waited for, a turn that ended without a signal is told what is missing, one that was interrupted goes on; all
in the same session. What is not settled so is the end of the attempt.
"""

import asyncio
import time
from collections.abc import Sequence

import attrs

from agentrelay_core import FrameworkType, StepContext, TaskCompletionSignal, TaskRuntime
from agentrelay_core.builtin.checker import LAST_LINES, ComposedCompletionChecker
from agentrelay_core.builtin.required import host_of, required_address, required_path
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_core.task_runner.calls import call_step
from agentrelay_tmux_claude.claude.account import Account
from agentrelay_tmux_claude.claude.arguments import options_of
from agentrelay_tmux_claude.claude.framework import ClaudeFramework
from agentrelay_tmux_claude.claude.gates import untold_gate
from agentrelay_tmux_claude.claude.memory import Memory, Turn, unstarted_turn
from agentrelay_tmux_claude.claude.prompts import AFTER_LIMIT
from agentrelay_tmux_claude.claude.stream import TurnFacts, last_turn, lines_of
from agentrelay_tmux_claude.claude.turns import begin_turn, remember
from agentrelay_tmux_claude.claude.verdict import WHY, Again, Ending, Limited, Verdict, judge
from agentrelay_tmux_claude.claude.waiting import FIRST_PAUSE, limit_over


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
class ClaudeCompletionChecker:
    """Waits for a signal of the agent, over as many turns of its session as that takes.

    Args:
        context: The task.
        first_pause: Seconds to wait for a limit whose end is not told; doubled each time.
    """

    context: StepContext
    first_pause: float = attrs.field(default=FIRST_PAUSE, kw_only=True)

    async def wait_for_completion(self, runtime: TaskRuntime) -> TaskCompletionSignal:
        """Wait for the end of the agent's work.

        Args:
            runtime: The task, launched.

        Raises:
            ValueError: ``signal_dir`` or ``agent_address`` is not set.
            Parked: A person is needed: to log in, to pay, to allow something.
            Throttled: A limit ends later than the attempt may last.
            Transient: The API, or the way to it, failed for now.
            AgentFailure: Claude Code could not be started as it was.
            ProtocolViolation: The agent broke the file protocol.
        """
        began = time.monotonic()
        required_path(runtime, "signal_dir")
        address = required_address(runtime)
        due = unstarted_turn(self.context, address.label)
        if due is not None:
            address = await begin_turn(self.context, due)
        alive = await call_step(None, host_of(self.context), "is_alive", address) if runtime.resumed else "alive"
        unwatched = alive == "ended"
        account = Account(self.context)
        while True:
            reader = _Reader()
            signal = await self._ended(reader, runtime)
            facts, words = await self._output(runtime)
            told = await asyncio.to_thread(account.transcripts)
            memory = account.tell(told.usage, results=facts.used)
            if not reader.ended:
                return signal
            verdict = judge(
                Ending(
                    facts=facts,
                    exit_code=reader.exit_code,
                    last_line=plain_line(words[-1], 400) if words else "",
                    screen="\n".join(words[-LAST_LINES:]),
                    told=memory.told,
                    unwatched=unwatched,
                    worked=memory.worked,
                    asks=options_of(self.context).permissions == "ask",
                )
            )
            unwatched = False
            if isinstance(verdict, TaskCompletionSignal):
                concerns = (*verdict.concerns, *signal.concerns)
                return attrs.evolve(verdict, concerns=concerns, ended=verdict.ended or verdict.outcome)
            await self._go_on(runtime, verdict, memory, facts, began)

    async def _ended(self, reader: _Reader, runtime: TaskRuntime) -> TaskCompletionSignal:
        """Wait for a signal, or for the end of the turn's program, of which the reader takes note."""
        framework = FrameworkType(name="claude_code", cls=lambda: reader, default_environment="tmux")
        return await ComposedCompletionChecker(attrs.evolve(self.context, framework=framework)).wait_for_completion(
            runtime
        )

    async def _output(self, runtime: TaskRuntime) -> tuple[TurnFacts, list[str]]:
        """What the stream says of the last turn, and the lines that are none of the stream's."""
        output: bytes = await call_step(None, host_of(self.context), "output", required_address(runtime))
        words = [line for line in output.decode(errors="replace").splitlines() if line.strip() and line[0] != "{"]
        return last_turn(lines_of(output)), words

    async def _go_on(
        self, runtime: TaskRuntime, verdict: Verdict, memory: Memory, facts: TurnFacts, began: float
    ) -> None:
        worked = memory.worked or facts.succeeded > 0
        if isinstance(verdict, Again):
            remember(self.context, attrs.evolve(memory, worked=worked, limits=0))
            runtime.report("task_warning", f"{WHY[verdict.reason]}, and is given another turn")
            untold = untold_gate(required_path(runtime, "signal_dir"), memory)
            await begin_turn(self.context, untold or Turn(reason=verdict.reason, prompt=verdict.prompt))
        elif isinstance(verdict, Limited):
            earlier = 0 if facts.succeeded else memory.limits
            remember(self.context, attrs.evolve(memory, worked=worked, limits=earlier + 1))
            await limit_over(runtime, verdict, earlier, began, first_pause=self.first_pause)
            await begin_turn(self.context, Turn(reason="limit", prompt=AFTER_LIMIT))
        runtime.report("task_waiting")
