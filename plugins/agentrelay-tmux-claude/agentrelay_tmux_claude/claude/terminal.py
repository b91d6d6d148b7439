"""Claude Code in a window of tmux: started with its task as an argument, told more by text that it acknowledges."""

import asyncio
from pathlib import Path

import attrs

from agentrelay_core import Agent, AgentAddress, StepContext, TaskRuntime
from agentrelay_core.builtin.required import host_of, required_address, required_path
from agentrelay_core.signals.noticing import notices_of
from agentrelay_core.task_runner.calls import call_step
from agentrelay_tmux_claude.claude.arguments import options_of
from agentrelay_tmux_claude.claude.dialogs import obstacle
from agentrelay_tmux_claude.claude.events import EventReader, Standing
from agentrelay_tmux_claude.claude.hook_program import EVENTS_DIRECTORY
from agentrelay_tmux_claude.claude.memory import Turn, mark_started, read_memory, unstarted_turn, write_memory
from agentrelay_tmux_claude.claude.turns import ClaudeSession, Found, begin_turn, found_again, opening_turn
from agentrelay_tmux_claude.tmux.address import TmuxAddress
from agentrelay_tmux_claude.tmux.delivery import deliver


class Arrival:
    """The acknowledgement of Claude Code's side that another prompt has arrived.

    Args:
        reader: The attempt's events.
        before: How many prompts had arrived before.
    """

    def __init__(self, reader: EventReader, before: int) -> None:
        self._reader = reader
        self._before = before

    def standing(self) -> Standing:
        """Where the session stands."""
        return self._reader.standing(asks=True)

    async def __call__(self, seconds: float) -> bool:
        """Wait for it, but no longer than this; whether it came."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        with notices_of(self._reader.directory, 1.0, names=None) as notices:
            while self.standing().prompts <= self._before:
                if loop.time() >= until:
                    return False
                await notices.changed(until)
        return True


async def tell(context: StepContext, turn: Turn) -> None:
    """Give a session its next turn: by text where its program lives, by starting it again where it has ended.

    Args:
        context: The task, launched.
        turn: The reason, and what the agent is told.

    Raises:
        KickoffError: The text was not acknowledged.
        AgentFailure: The program could not be started.
    """
    runtime = context.runtime
    address = required_address(runtime)
    alive = await call_step(None, host_of(context), "is_alive", address) == "alive"
    if not alive or not isinstance(address, TmuxAddress) or address.pane is None:
        await start(context, turn)
        return
    reader = EventReader(required_path(runtime, "signal_dir"))
    memory = read_memory(context)
    earlier = tuple(item for item in memory.turns if item.started)
    before = reader.standing(asks=True).prompts
    turn = attrs.evolve(turn, after=address.label)
    write_memory(context, attrs.evolve(memory, turns=(*earlier, turn), arrived=before))
    await deliver(address.pane, turn.prompt, acknowledged=Arrival(reader, before), obstacle=obstacle)
    mark_started(context)


async def start(context: StepContext, turn: Turn) -> AgentAddress:
    """Start the session's program, in a new session or in the one that exists.

    Args:
        context: The task, prepared.
        turn: The reason, and what the agent is told at once.
    """
    signal_dir = required_path(context.runtime, "signal_dir")
    before = context.runtime.artifacts.agent_address
    if before is not None:  # its window is not to stay beside the new one
        await call_step(None, before, "teardown", None, context.run.settings.keep_panes)
    await asyncio.to_thread(Path.mkdir, signal_dir / EVENTS_DIRECTORY, exist_ok=True)
    arrived = EventReader(signal_dir).standing(asks=True).prompts
    write_memory(context, attrs.evolve(read_memory(context), arrived=arrived))
    return await begin_turn(context, turn, terminal=True)


def never_given(context: StepContext, reader: EventReader) -> Turn | None:
    """The turn that was remembered last and never given; one whose prompt arrived is remembered as given.

    Args:
        context: The task, launched.
        reader: The attempt's events.
    """
    due = unstarted_turn(context, required_address(context.runtime).label)
    if due is not None and reader.standing(asks=True).prompts > read_memory(context).arrived:
        mark_started(context)
        return None
    return due


class TerminalSession(ClaudeSession):
    """A session in a terminal as an agent: what it is told after its start is text that it acknowledges."""

    def _look_back(self, signal_dir: Path) -> None:
        never_given(self._context, EventReader(signal_dir))

    async def _tell(self, turn: Turn) -> None:
        await tell(self._context, turn)


@attrs.frozen
class TmuxTaskLauncher:
    """Starts Claude Code in a window of tmux, in the task's worktree.

    Args:
        context: The task.
    """

    context: StepContext

    async def launch(self, runtime: TaskRuntime) -> Agent:
        """Start it; in an attempt whose session exists already, that session, which is told that it was interrupted.

        Args:
            runtime: The task, prepared.

        Raises:
            ValueError: ``worktree_path`` or ``signal_dir`` is not set.
            UserError: The task's options do not say what the agent may do.
            AgentFailure: The program, or tmux, is missing or could not be started.
        """
        options_of(self.context)
        await start(self.context, opening_turn(self.context))
        return TerminalSession(self.context)

    async def reconcile(self, runtime: TaskRuntime) -> Found:
        """Look for the program that an earlier session of the run started last; see `found_again`.

        Args:
            runtime: The task, prepared.
        """
        return await found_again(self.context, TerminalSession(self.context))
