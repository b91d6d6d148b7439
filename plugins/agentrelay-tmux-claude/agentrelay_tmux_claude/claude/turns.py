"""Claude Code without a terminal: each turn is a program of its own, and all of them are one session, known by its id.

A turn is remembered before it is started, so that whoever comes after a crash starts it, or finds it, and no other.
"""

from pathlib import Path
from typing import Final, Literal

import attrs

from agentrelay_core import Agent, AgentAddress, AgentCommand, StepContext, TaskRuntime
from agentrelay_core.builtin.launcher import ComposedLauncher, completed
from agentrelay_core.builtin.required import host_of, required_address, required_path
from agentrelay_core.runtime import agent_environment
from agentrelay_core.runtime.agent_files import write_atomically
from agentrelay_core.runtime.environment import INSTRUCTIONS
from agentrelay_core.task_runner.calls import call_step
from agentrelay_tmux_claude.claude.arguments import added_environment, headless_arguments, terminal_arguments
from agentrelay_tmux_claude.claude.gates import gate_turn, is_told
from agentrelay_tmux_claude.claude.memory import (
    ANEW,
    FIRST,
    Memory,
    Turn,
    mark_started,
    read_memory,
    unstarted_turn,
    write_memory,
)
from agentrelay_tmux_claude.claude.prompts import INTERRUPTED, read_instructions

_PROMPT: Final = "turn-{number}.md"

Found = Literal["absent", "unknown"] | tuple[Literal["present"], Agent]
"""What a launcher's ``reconcile`` answers."""


async def begin_turn(context: StepContext, turn: Turn, *, terminal: bool = False) -> AgentAddress:
    """Start a turn of the attempt's session; one that was remembered and not started is not remembered twice.

    Args:
        context: The task, prepared.
        turn: Its reason, and what the agent is told.
        terminal: Whether the program is one for a terminal, and goes on after this turn.

    Returns:
        The address of its program, which is the task's agent from now on.

    Raises:
        AgentFailure: The program is missing, or could not be started.
        ValueError: ``worktree_path`` or ``signal_dir`` is not set.
    """
    runtime = context.runtime
    required_path(runtime, "worktree_path")
    signal_dir = required_path(runtime, "signal_dir")
    memory = read_memory(context)
    earlier = tuple(item for item in memory.turns if item.started)
    before = runtime.artifacts.agent_address
    turn = attrs.evolve(turn, after="" if before is None else before.label)
    memory = attrs.evolve(memory, turns=(*earlier, turn))
    write_memory(context, memory)
    resume = bool(earlier) and turn.reason != ANEW
    environment = completed(agent_environment(runtime), added_environment(context), signal_dir)
    runtime.artifacts.agent_environment = environment
    if terminal:
        prompt = turn.prompt or read_instructions(str(signal_dir / INSTRUCTIONS))
        command = AgentCommand(
            argv=terminal_arguments(context, prompt, number=len(memory.turns), resume=resume), env=environment
        )
    else:
        file = _prompt_file(signal_dir, turn, len(memory.turns))
        command = AgentCommand(argv=headless_arguments(context, resume=resume), env=environment, stdin=file)

    def keep(address: AgentAddress) -> None:
        runtime.artifacts.agent_address = address  # kept at once: a cancelled launch must still be ended

    address: AgentAddress = await call_step(None, host_of(context), "start", command, context, keep=keep)
    mark_started(context)
    if earlier:
        data = {"agent": known} if (known := address.to_json()) else {}
        runtime.report("task_launched", address.label, data)
    return address


def _prompt_file(signal_dir: Path, turn: Turn, number: int) -> Path | None:
    prompt = signal_dir / INSTRUCTIONS
    if turn.prompt:
        prompt = signal_dir / _PROMPT.format(number=number)
        write_atomically(prompt, turn.prompt.encode())
    return prompt if prompt.is_file() else None


class ClaudeSession(Agent):
    """The attempt's session as an agent: it lives where its latest turn lives.

    Args:
        context: The task.
    """

    def __init__(self, context: StepContext) -> None:
        self._context = context

    @property
    def address(self) -> AgentAddress:
        """Where its latest turn lives; a `ValueError` before its first one."""
        return required_address(self._context.runtime)

    def send_kickoff(self, instructions_path: str) -> None:
        """Nothing is left to be told: the first turn was started with its instructions."""

    async def send_turn(self, instructions_path: str) -> bool:
        """Give the session the turn after a failed gate.

        Args:
            instructions_path: Path of ``instructions.md``, which has the gate's output.

        Returns:
            True.
        """
        signal_dir = Path(instructions_path).parent
        self._look_back(signal_dir)  # it may have been told right before we were killed
        turn = gate_turn(signal_dir)
        if not is_told(read_memory(self._context), turn):
            await self._tell(turn)
        return True

    def _look_back(self, signal_dir: Path) -> None:
        """Take note of a turn that was given and not remembered so."""
        unstarted_turn(self._context, self.address.label)

    async def _tell(self, turn: Turn) -> None:
        await begin_turn(self._context, turn)


def opening_turn(context: StepContext) -> Turn:
    """The turn that a launch gives: the task, or, where the attempt's session exists already, that it was interrupted.

    Args:
        context: The task.
    """
    exists = any(turn.started for turn in read_memory(context).turns)
    return Turn(reason="interrupted", prompt=INTERRUPTED) if exists else Turn(reason=FIRST)


async def found_again(context: StepContext, session: ClaudeSession) -> Found:
    """Look for the program that an earlier session of the run started last in this attempt.

    Args:
        context: The task, prepared.
        session: The agent that it would be.

    Returns:
        ``present`` and the agent, be its program alive or not; ``absent`` when none was started; ``unknown`` when the
        host cannot tell now.
    """
    found = await ComposedLauncher(context).reconcile(context.runtime)
    return ("present", session) if isinstance(found, tuple) else found


@attrs.frozen
class ClaudeLauncher:
    """Starts Claude Code without a terminal, in any environment that runs programs.

    Args:
        context: The task.
    """

    context: StepContext

    async def launch(self, runtime: TaskRuntime) -> Agent:
        """Start the first turn; in an attempt whose session exists already, one that says that it was interrupted.

        Args:
            runtime: The task, prepared.

        Raises:
            ValueError: ``worktree_path`` or ``signal_dir`` is not set.
            UserError: The task's options do not say what the agent may do.
            AgentFailure: The program is missing, or could not be started.
        """
        await begin_turn(self.context, opening_turn(self.context))
        runtime.artifacts.agent_at_work = True
        return ClaudeSession(self.context)

    async def reconcile(self, runtime: TaskRuntime) -> Found:
        """Look for the turn that an earlier session of the run started last; see `found_again`.

        Args:
            runtime: The task, prepared.
        """
        return await found_again(self.context, ClaudeSession(self.context))


def remember(context: StepContext, memory: Memory) -> Memory:
    """Write down what is remembered, and return it."""
    write_memory(context, memory)
    return memory
