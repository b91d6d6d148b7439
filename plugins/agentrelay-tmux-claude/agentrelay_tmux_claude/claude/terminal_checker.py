"""The completion checker of Claude Code in tmux: signal files first, then its hooks, then the end of its program.

The end of a turn is no end of the task, and neither is a turn whose sub-agents still work. A question to a person has a
deadline, and a limit is waited for with no program running.
"""

import asyncio
from pathlib import Path
from typing import Final

import attrs

from agentrelay_core import TaskCompletionSignal
from agentrelay_core.builtin.required import host_of, required_address, required_path
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_core.task_runner.calls import call_step
from agentrelay_tmux_claude.claude.account import Account
from agentrelay_tmux_claude.claude.completion import SessionChecker
from agentrelay_tmux_claude.claude.events import EventReader, Standing
from agentrelay_tmux_claude.claude.framework import LONGEST_MESSAGE
from agentrelay_tmux_claude.claude.hook_program import EVENTS_DIRECTORY
from agentrelay_tmux_claude.claude.late import look_until
from agentrelay_tmux_claude.claude.memory import Turn
from agentrelay_tmux_claude.claude.status import cost_of, told_since
from agentrelay_tmux_claude.claude.stream import TurnFacts
from agentrelay_tmux_claude.claude.terminal import never_given, tell
from agentrelay_tmux_claude.claude.terminal_waiting import Waiting
from agentrelay_tmux_claude.claude.transcript import Told
from agentrelay_tmux_claude.claude.verdict import Ending
from agentrelay_tmux_claude.tmux.address import TmuxAddress
from agentrelay_tmux_claude.tmux.errors import TmuxError

# Seconds that a turn is given to end by itself after its signal; then its program is ended.
GRACE: Final = 10.0


@attrs.frozen
class TmuxCompletionChecker(SessionChecker):
    """Waits for the end of turns of a program that goes on after each.

    Args:
        grace: Seconds that a turn is given to end by itself after its signal.
    """

    grace: float = attrs.field(default=GRACE, kw_only=True)

    async def _catch_up(self) -> None:
        due = never_given(self.context, self._reader())
        if due is not None:
            await tell(self.context, due)

    async def _turn_over(self, account: Account) -> TaskCompletionSignal | Ending:
        runtime, reader = self.context.runtime, self._reader()
        waiting = Waiting(self.context, reader)
        try:
            signal, standing, exit_code = await waiting.turn_ended(runtime)
            if signal is not None:
                runtime.report("task_progress", f"signalled {signal.outcome}", {"kind": "signal"})
                await self._settle(waiting)
                self._tell_end(reader.standing(asks=True))
                await self._count_all(account)
                return signal
        finally:
            await waiting.close()
            runtime.artifacts.resting = False
        self._tell_end(standing)
        # A turn that goes on waits for nothing; what is stopped after an error may leave less to be read.
        failed = standing.ended is not None and standing.ended.kind == "StopFailure"
        await self._count(account, standing, wait=failed)
        ended = waiting.program_has_ended
        return Ending(
            facts=_facts(standing, exit_code, ended),
            exit_code=exit_code if ended and standing.ended is None else 0,
            last_line=await self._last_line() if ended else "",
            screen=await self._screen() if ended and not standing.prompts else "",
        )

    def _tell_end(self, standing: Standing) -> None:
        """Tell people at once that a turn has ended, before anything is done about it."""
        if standing.ended is not None:
            last = plain_line(standing.ended.text("last_assistant_message"), LONGEST_MESSAGE)
            said = f"turn ended: {last}" if last else "turn ended"
            self.context.runtime.report("task_progress", said, {"kind": "turn_ended"})

    async def _count_all(self, account: Account) -> None:
        await self._count(account, self._reader().standing(asks=True), wait=True)

    async def _tell(self, turn: Turn) -> None:
        await tell(self.context, turn)

    async def _rest(self) -> None:
        """End its program: menus about the limit would be in the way."""
        await call_step(None, host_of(self.context), "stop", required_address(self.context.runtime))

    def _reader(self) -> EventReader:
        return EventReader(required_path(self.context.runtime, "signal_dir"))

    async def _settle(self, waiting: Waiting) -> None:
        """Let the turn end that signalled; end the program where it does not, so that nothing changes any more."""
        if not await waiting.idle(self.grace):
            await call_step(None, host_of(self.context), "stop", required_address(self.context.runtime))

    async def _count(self, account: Account, standing: Standing, *, wait: bool) -> None:
        """Tell what is used by now.

        Args:
            account: Takes it.
            standing: Where the session stands.
            wait: Whether to wait for what Claude Code writes a moment after the turn has ended.
        """
        signal_dir = required_path(self.context.runtime, "signal_dir")
        ended = standing.ended
        last = "" if ended is None else ended.text("last_assistant_message")

        def enough(told: Told) -> bool:
            late = ended is not None and ended.kind == "Stop" and not told_since(signal_dir, ended.at)
            # Of words in several pieces a transcript has each by itself.
            return not wait or (not late and (not last or bool(told.said and last.endswith(told.said))))

        transcript = "" if ended is None else ended.text("transcript_path")
        written = [signal_dir / EVENTS_DIRECTORY, *([Path(transcript).parent] if transcript else [])]
        told = await look_until(account.transcripts, enough, written)
        account.tell(told.usage, cost_usd=cost_of(signal_dir))

    async def _last_line(self) -> str:
        address = required_address(self.context.runtime)
        output: bytes = await call_step(None, host_of(self.context), "output", address)
        lines = [plain_line(line, 400) for line in output[-65_536:].decode(errors="replace").splitlines()]
        return next((line for line in reversed(lines) if line), "")

    async def _screen(self) -> str:
        address = required_address(self.context.runtime)
        if not isinstance(address, TmuxAddress) or address.pane is None:
            return ""
        try:
            return await asyncio.to_thread(address.pane.screen)
        except TmuxError:
            return ""  # its last line is told all the same


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
