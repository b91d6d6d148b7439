"""The completion checker of Claude Code in tmux: signal files first, then its hooks, then the end of its program.

The end of a turn is no end of the task, and neither is a turn whose sub-agents still work. A question to a person has a
deadline, a limit is waited for with no program running, and a turn that left no signal is told once what is missing.
"""

import asyncio
import time
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core import IntegrationBoundary, Parked, StepContext, TaskCompletionSignal, TaskRuntime
from agentrelay_core.builtin.required import host_of, required_address, required_path
from agentrelay_core.builtin.watching import program_ended
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_core.signals import final_look, read_concerns, wait_for_signal
from agentrelay_core.signals.noticing import Notices, notices_of
from agentrelay_core.task_runner.calls import call_step
from agentrelay_tmux_claude.claude.arguments import options_of, session_id
from agentrelay_tmux_claude.claude.events import EventReader, HookEvent, Standing, asked_for
from agentrelay_tmux_claude.claude.framework import LONGEST_MESSAGE
from agentrelay_tmux_claude.claude.gates import untold_gate
from agentrelay_tmux_claude.claude.late import look_until
from agentrelay_tmux_claude.claude.memory import Memory, Turn, read_memory
from agentrelay_tmux_claude.claude.prompts import AFTER_LIMIT
from agentrelay_tmux_claude.claude.stream import TurnFacts
from agentrelay_tmux_claude.claude.terminal import never_given, start, tell
from agentrelay_tmux_claude.claude.transcript import Counted, used_since
from agentrelay_tmux_claude.claude.turns import remember
from agentrelay_tmux_claude.claude.verdict import WHY, Again, Ending, Limited, Verdict, judge
from agentrelay_tmux_claude.claude.waiting import limit_over

# Seconds that a turn is given to end by itself after its signal; then its program is ended.
GRACE: Final = 10.0
# Seconds between looks while the host does not know whether the program has ended, and at events that were not told.
LOOK_AGAIN: Final = 5.0


@attrs.frozen
class TmuxCompletionChecker:
    """Waits for a signal of the agent, over as many turns of its session as that takes.

    Args:
        context: The task.
        grace: Seconds that a turn is given to end by itself after its signal.
    """

    context: StepContext
    grace: float = attrs.field(default=GRACE, kw_only=True)

    async def wait_for_completion(self, runtime: TaskRuntime) -> TaskCompletionSignal:
        """Wait for the end of the agent's work.

        Args:
            runtime: The task, launched.

        Raises:
            ValueError: ``signal_dir`` or ``agent_address`` is not set.
            Parked: A person is needed: to log in, to pay, to answer a question that had its time.
            Throttled: A limit ends later than the attempt may last.
            Transient: The API, or the way to it, failed for now.
            AgentFailure: Claude Code ended before its first turn, or did not take its next one.
            ProtocolViolation: The agent broke the file protocol.
        """
        began = time.monotonic()
        signal_dir = required_path(runtime, "signal_dir")
        reader = EventReader(signal_dir)
        await self._catch_up(reader)
        address = required_address(runtime)
        alive = await call_step(None, host_of(self.context), "is_alive", address) if runtime.resumed else "alive"
        unwatched = alive == "ended"
        while True:
            waiting = _Waiting(self.context, reader)
            try:
                signal, standing, exit_code = await waiting.turn_ended(runtime)
                if signal is not None:
                    runtime.report("task_progress", f"signalled {signal.outcome}", {"kind": "signal"})
                    await self._settle(waiting, runtime)
                    standing = reader.standing(asks=waiting.asks)
                    _tell_end(runtime, standing)
                    await self._count(runtime, standing)
                    return attrs.evolve(signal, ended=signal.ended or signal.outcome)
            finally:
                await waiting.close()
                runtime.artifacts.resting = False
            _tell_end(runtime, standing)
            # What is stopped after an error, before it is written down, may leave nothing to go on with.
            failed = standing.ended is not None and standing.ended.kind == "StopFailure"
            memory, whole = await self._count(runtime, standing, wait=failed)
            ended = waiting.program_has_ended
            last_line = await self._last_line(runtime) if ended else ""
            facts = _facts(standing, exit_code, ended)
            verdict = judge(
                Ending(
                    facts=facts,
                    exit_code=exit_code if ended and standing.ended is None else 0,
                    last_line=last_line,
                    told=memory.told,
                    unwatched=unwatched,
                    worked=memory.worked,
                )
            )
            unwatched = False
            if isinstance(verdict, TaskCompletionSignal):
                if not whole:  # there is no later turn with which it would be counted
                    await self._count(runtime, standing)
                concerns = (*verdict.concerns, *read_concerns(signal_dir))
                return attrs.evolve(verdict, concerns=concerns, ended=verdict.ended or verdict.outcome)
            if standing.worked:
                memory = remember(self.context, attrs.evolve(memory, worked=True, limits=0))
            await self._go_on(runtime, verdict, memory, began)

    async def _catch_up(self, reader: EventReader) -> None:
        """Give the session the turn that a killed orchestrator remembered and never gave it."""
        due = never_given(self.context, reader)
        if due is not None:
            await tell(self.context, due)

    async def _settle(self, waiting: "_Waiting", runtime: TaskRuntime) -> None:
        """Let the turn end that signalled; end the program where it does not, so that nothing changes any more."""
        if not await waiting.idle(self.grace):
            await call_step(None, host_of(self.context), "stop", required_address(runtime))

    async def _count(self, runtime: TaskRuntime, standing: Standing, *, wait: bool = True) -> tuple[Memory, bool]:
        """Report what was used since the last time.

        Args:
            runtime: The task.
            standing: Where its session stands.
            wait: Whether to wait for the last turn, which Claude Code writes down late.

        Returns:
            What is remembered now, and whether the last turn is counted.
        """
        memory = read_memory(self.context)
        last = "" if standing.ended is None else standing.ended.text("last_assistant_message")

        def look() -> Counted:
            return used_since(standing.transcript, session_id(runtime), memory.counted)

        found = await look_until(
            look, lambda found: not wait or found.has_said(last), [Path(standing.transcript).parent]
        )
        if found.usage:
            runtime.report("task_usage", str(found.usage), attrs.asdict(found.usage))
        if found.ids:
            memory = remember(self.context, attrs.evolve(memory, counted=(*memory.counted, *found.ids)))
        return memory, found.has_said(last)

    async def _last_line(self, runtime: TaskRuntime) -> str:
        output: bytes = await call_step(None, host_of(self.context), "output", required_address(runtime))
        lines = [plain_line(line, 400) for line in output[-65_536:].decode(errors="replace").splitlines()]
        return next((line for line in reversed(lines) if line), "")

    async def _go_on(self, runtime: TaskRuntime, verdict: Verdict, memory: Memory, began: float) -> None:
        if isinstance(verdict, Again):
            runtime.report("task_warning", f"{WHY[verdict.reason]}, and is given another turn")
            untold = untold_gate(required_path(runtime, "signal_dir"), memory)
            await tell(self.context, untold or Turn(reason=verdict.reason, prompt=verdict.prompt))
        elif isinstance(verdict, Limited):
            # Menus about the limit would be in the way, and nothing is to hold memory for hours.
            await call_step(None, host_of(self.context), "stop", required_address(runtime))
            remember(self.context, attrs.evolve(memory, limits=memory.limits + 1))
            await limit_over(runtime, verdict, memory.limits, began)
            await start(self.context, Turn(reason="limit", prompt=AFTER_LIMIT))
        runtime.report("task_waiting")


class _Waiting:
    """Waits for the first of a signal, the end of a turn and the end of the program.

    Args:
        context: The task.
        reader: Its events.
    """

    def __init__(self, context: StepContext, reader: EventReader) -> None:
        runtime = context.runtime
        options = options_of(context)
        self.asks = options.permissions == "ask"
        self._answer_within = options.answer_within
        self._reader = reader
        self._directory = required_path(runtime, "signal_dir")
        self._nonce = runtime.artifacts.signal_nonce
        self._arrived = read_memory(context).arrived
        address = required_address(runtime)
        self._ended = asyncio.ensure_future(program_ended(host_of(context), address, look_again=LOOK_AGAIN))
        self._signal = asyncio.ensure_future(wait_for_signal(self._directory, self._nonce))
        self._asked: HookEvent | None = None

    @property
    def program_has_ended(self) -> bool:
        """Whether the program has ended."""
        return self._ended.done()

    async def close(self) -> None:
        """Wait for nothing any more."""
        self._ended.cancel()
        self._signal.cancel()
        await asyncio.gather(self._ended, self._signal, return_exceptions=True)

    async def turn_ended(self, runtime: TaskRuntime) -> tuple[TaskCompletionSignal | None, Standing, int | None]:
        """The signal, where there is one, where the session stands, and the program's exit code if it has ended."""
        with notices_of(self._reader.directory, LOOK_AGAIN, names=None) as notices:
            while True:
                standing = self._standing()
                if self._signal.done():
                    return self._signal.result(), standing, None
                if self._ended.done() or standing.ended is not None:
                    # Whoever wrote half a signal is not at it any more.
                    signal = final_look(self._directory, self._nonce)
                    return signal, standing, self._ended.result() if self._ended.done() else None
                left = self._left_to_answer(runtime, standing.question)
                await self._noticed(notices, left)

    async def idle(self, seconds: float) -> bool:
        """Wait until the turn or the program has ended, but no longer than this; whether one has."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        with notices_of(self._reader.directory, 1.0, names=None) as notices:
            while not self._ended.done() and self._standing().ended is None:
                if loop.time() >= until:
                    return False
                await self._noticed(notices, until - loop.time(), with_signal=False)
        return True

    def _standing(self) -> Standing:
        standing = self._reader.standing(asks=self.asks)
        # The end of the turn before is no end of the one that was just begun.
        return standing if standing.prompts > self._arrived else attrs.evolve(standing, ended=None)

    async def _noticed(self, notices: Notices, seconds: float | None, *, with_signal: bool = True) -> None:
        """Wait until anything may have changed."""
        changed = asyncio.ensure_future(notices.changed())
        waited = {changed, self._ended, self._signal} if with_signal else {changed, self._ended}
        try:
            await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            await asyncio.gather(changed, return_exceptions=True)

    def _left_to_answer(self, runtime: TaskRuntime, question: HookEvent | None) -> float | None:
        """Seconds that are left to answer a question, `None` where none is asked.

        Raises:
            Parked: It had its time.
        """
        if question is None:
            if self._asked is not None:
                self._asked, runtime.artifacts.resting = None, False
                runtime.report("task_waiting")
            return None
        what = f"Claude Code waits for your permission for {asked_for(question)}"
        until = None if self._answer_within is None else question.at + self._answer_within
        if question != self._asked:
            self._asked, runtime.artifacts.resting = question, True
            how = f"answer it in `agentrelay attach {runtime.task.id}`"
            runtime.report("task_awaiting_input", f"{what}: {how}", {"until": until})
        if until is None:
            return None
        if time.time() >= until:
            raise Parked(f"{what}, and nobody answered", boundary=IntegrationBoundary.AGENT_LAUNCH)
        return until - time.time()


def _tell_end(runtime: TaskRuntime, standing: Standing) -> None:
    """Tell people at once that a turn has ended, before anything is done about it."""
    if standing.ended is not None:
        last = plain_line(standing.ended.text("last_assistant_message"), LONGEST_MESSAGE)
        runtime.report("task_progress", f"turn ended: {last}" if last else "turn ended", {"kind": "turn_ended"})


def _facts(standing: Standing, exit_code: int | None, ended: bool) -> TurnFacts:
    """The facts of a turn, in the words of the structured output."""
    event = standing.ended
    quit_by_hand = ended and exit_code == 0 and standing.prompts > 0
    return TurnFacts(
        result=event is not None or quit_by_hand,
        text="" if event is None else event.text("last_assistant_message"),
        error=event.text("error") if event is not None and event.kind == "StopFailure" else "",
        denied=standing.refused,
        succeeded=standing.worked,
    )
