"""What waiting for Claude Code is with a terminal and without: turn after turn of one session, until the attempt ends.

A signal settles it. A turn that ended without one is judged: a limit is waited for, what is missing is told once, one
that was interrupted goes on, all in the same session. What is not settled so is the end of the attempt.
"""

import time
from abc import ABC, abstractmethod

import attrs

from agentrelay_core import StepContext, TaskCompletionSignal, TaskRuntime
from agentrelay_core.builtin.required import host_of, required_address, required_path
from agentrelay_core.signals import read_concerns
from agentrelay_core.task_runner.calls import call_step
from agentrelay_tmux_claude.claude.account import Account
from agentrelay_tmux_claude.claude.arguments import options_of
from agentrelay_tmux_claude.claude.gates import untold_gate
from agentrelay_tmux_claude.claude.memory import Turn, read_memory
from agentrelay_tmux_claude.claude.prompts import AFTER_LIMIT
from agentrelay_tmux_claude.claude.turns import remember
from agentrelay_tmux_claude.claude.verdict import WHY, Again, Ending, Limited, judge
from agentrelay_tmux_claude.claude.waiting import FIRST_PAUSE, limit_over


@attrs.frozen
class SessionChecker(ABC):
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
            Parked: A person is needed: to log in, to pay, to allow something, to answer a question that had its time.
            Throttled: A limit ends later than the attempt may last.
            Transient: The API, or the way to it, failed for now.
            AgentFailure: Claude Code could not be started as it was, or did not take its next turn.
            ProtocolViolation: The agent broke the file protocol.
        """
        began = time.monotonic()
        signal_dir = required_path(runtime, "signal_dir")
        required_address(runtime)
        await self._catch_up()
        address = required_address(runtime)
        alive = await call_step(None, host_of(self.context), "is_alive", address) if runtime.resumed else "alive"
        unwatched = alive == "ended"
        account = Account(self.context)
        while True:
            over = await self._turn_over(account)
            if isinstance(over, TaskCompletionSignal):
                return attrs.evolve(over, ended=over.ended or over.outcome)
            memory = read_memory(self.context)
            asks = options_of(self.context).permissions == "ask"
            verdict = judge(attrs.evolve(over, told=memory.told, unwatched=unwatched, worked=memory.worked, asks=asks))
            unwatched = False
            if isinstance(verdict, TaskCompletionSignal):
                await self._count_all(account)
                concerns = (*verdict.concerns, *read_concerns(signal_dir))
                return attrs.evolve(verdict, concerns=concerns, ended=verdict.ended or verdict.outcome)
            await self._go_on(runtime, verdict, over, began)

    async def _go_on(self, runtime: TaskRuntime, verdict: Again | Limited, over: Ending, began: float) -> None:
        memory = read_memory(self.context)
        if over.facts.succeeded:
            memory = remember(self.context, attrs.evolve(memory, worked=True, limits=0))
        if isinstance(verdict, Again):
            runtime.report("task_warning", f"{WHY[verdict.reason]}, and is given another turn")
            untold = untold_gate(required_path(runtime, "signal_dir"), memory)
            await self._tell(untold or Turn(reason=verdict.reason, prompt=verdict.prompt))
        else:
            await self._rest()
            remember(self.context, attrs.evolve(memory, limits=memory.limits + 1))
            await limit_over(runtime, verdict, memory.limits, began, first_pause=self.first_pause)
            await self._tell(Turn(reason="limit", prompt=AFTER_LIMIT))
        runtime.report("task_waiting")

    @abstractmethod
    async def _catch_up(self) -> None:
        """Give the session the turn that a killed orchestrator remembered and never gave it."""

    @abstractmethod
    async def _turn_over(self, account: Account) -> TaskCompletionSignal | Ending:
        """Wait for a signal, or for the end of a turn without one; what is known to be used is told either way."""

    @abstractmethod
    async def _count_all(self, account: Account) -> None:
        """Tell what the attempt has used, where no later turn will: what is written late is waited for."""

    @abstractmethod
    async def _tell(self, turn: Turn) -> None:
        """Give the session another turn."""

    @abstractmethod
    async def _rest(self) -> None:
        """Let nothing hold memory while a limit is waited for."""
