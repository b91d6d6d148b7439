"""The kickoff of Claude Code in tmux: over when its own side says that the prompt arrived, or told by name why not."""

import asyncio
from typing import Final, Literal

import attrs

from agentrelay_core import Agent, IntegrationBoundary, Parked, StepContext, TaskRuntime
from agentrelay_core.builtin.required import host_of, required_address, required_path
from agentrelay_core.runtime.environment import INSTRUCTIONS
from agentrelay_core.spec import Deadlines
from agentrelay_core.task_runner.calls import call_step
from agentrelay_tmux_claude.claude.dialogs import dialog_on, obstacle
from agentrelay_tmux_claude.claude.events import EventReader
from agentrelay_tmux_claude.claude.memory import read_memory
from agentrelay_tmux_claude.claude.prompts import read_instructions
from agentrelay_tmux_claude.claude.terminal import Arrival
from agentrelay_tmux_claude.tmux.address import TmuxAddress
from agentrelay_tmux_claude.tmux.delivery import Delivery, deliver
from agentrelay_tmux_claude.tmux.errors import KickoffError
from agentrelay_tmux_claude.tmux.panes import Pane

# Seconds between looks at the screen while nothing arrives; a dialog is named when two looks find it.
LOOK: Final = 2.0
# Seconds that a prompt given as an argument may take once the session takes input; then it is typed.
PATIENCE: Final = 20.0
_DEFAULTS = Deadlines()


@attrs.frozen
class TmuxTaskKickoff:
    """Waits until Claude Code has its instructions.

    Args:
        context: The task.
        look: Seconds between looks at the screen while nothing arrives.
        patience: Seconds that the prompt may take once the session takes input.
        delivery: How it is typed where it was lost.
    """

    context: StepContext
    look: float = attrs.field(default=LOOK, kw_only=True)
    patience: float = attrs.field(default=PATIENCE, kw_only=True)
    delivery: Delivery = attrs.field(factory=Delivery, kw_only=True)

    async def kickoff(self, runtime: TaskRuntime, agent: Agent) -> None:
        """Return when the prompt has arrived, or the program has ended: what that means is the checker's to say.

        Args:
            runtime: The task, launched.
            agent: The agent.

        Raises:
            ValueError: ``signal_dir`` is not set.
            Parked: A dialog waits for a person; the text names it and how to answer it for good.
            KickoffError: Nothing arrived in time; the text shows what was on the screen.
        """
        signal_dir = required_path(runtime, "signal_dir")
        address = agent.address
        pane = address.pane if isinstance(address, TmuxAddress) else None
        arrival = Arrival(EventReader(signal_dir), self._before())
        loop = asyncio.get_running_loop()
        deadline = (runtime.task.deadlines or _DEFAULTS).kickoff
        until, seen = loop.time() + deadline, None
        typed_from: float | None = None
        while not await arrival(min(self.look, max(until - loop.time(), 0.0))):
            if await call_step(None, host_of(self.context), "is_alive", address) == "ended":
                return
            screen = "" if pane is None else await asyncio.to_thread(pane.screen)
            dialog = dialog_on(screen)
            if dialog is not None and dialog is seen:
                raise Parked(dialog.told, boundary=IntegrationBoundary.AGENT_LAUNCH)
            seen = dialog
            if loop.time() >= until:
                raise KickoffError(f"Claude Code did not acknowledge its instructions within {deadline:g} s", screen)
            if typed_from is None and arrival.standing().started:
                typed_from = loop.time() + self.patience
            if pane is not None and typed_from is not None and loop.time() >= typed_from:
                await self._type(pane, signal_dir / INSTRUCTIONS, arrival)
                return

    async def reconcile(self, runtime: TaskRuntime) -> Literal["absent", "present"]:
        """Whether the prompt of the latest start has arrived already.

        Args:
            runtime: The task, launched.
        """
        if not runtime.resumed:
            return "absent"
        reader = EventReader(required_path(runtime, "signal_dir"))
        arrived = reader.standing(asks=True).prompts > self._before()
        ended = await call_step(None, host_of(self.context), "is_alive", required_address(runtime)) == "ended"
        return "present" if arrived or ended else "absent"

    def _before(self) -> int:
        """How many prompts had arrived before the latest start."""
        return read_memory(self.context).arrived

    async def _type(self, pane: Pane, instructions: object, arrival: Arrival) -> None:
        prompt = read_instructions(str(instructions))
        await deliver(pane, prompt, acknowledged=arrival, obstacle=obstacle, how=self.delivery)
