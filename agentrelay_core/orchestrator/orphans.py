"""Agents that an earlier session of the run left behind: which of them live, and the end of those nobody will adopt.

Two agents must never work in one worktree. What is left of an attempt that is not gone on with is therefore ended
before the run goes on. Two ways lead to it: the records of agents, which know of their runner processes too, and the
run's id in the environment of processes. What has neither is never touched.
"""

import asyncio
from collections.abc import Collection, Sized
from pathlib import Path

import attrs

from agentrelay_core.processes import ProcessError, ProcessGroup, ProcessIdentity, RecordedProgram, find_marked
from agentrelay_core.processes.table import read_variable
from agentrelay_core.runtime.agent_records import agent_records

MARKER = "AGENTRELAY_RUN_ID"
TASK = "AGENTRELAY_TASK_ID"
ATTEMPT = "AGENTRELAY_ATTEMPT"

Attempt = tuple[str, int]
"""Id of a task, and which attempt of it."""


@attrs.frozen(kw_only=True)
class LeftAgent:
    """An agent of an earlier session that has a record and has not ended for certain.

    Args:
        task_id: Its task.
        attempt_num: Its attempt.
        program: Its program.
        released: Whether it was being stopped for good: it will not be adopted.
    """

    task_id: str
    attempt_num: int
    program: RecordedProgram
    released: bool

    @property
    def attempt(self) -> Attempt:
        """Task and attempt."""
        return self.task_id, self.attempt_num


async def left_agents(state_dir: Path, run_id: str) -> list[LeftAgent]:
    """The agents of a run that live, or may live, by their records.

    Args:
        state_dir: The run's state directory.
        run_id: The run.

    Returns:
        In the order of their tasks and attempts.
    """
    found = []
    for task_id, attempt_num, directory in await asyncio.to_thread(lambda: list(agent_records(state_dir, run_id))):
        program = RecordedProgram.find(directory)
        if program is not None and await program.is_alive() != "ended":
            released = program.record.released
            agent = LeftAgent(task_id=task_id, attempt_num=attempt_num, program=program, released=released)
            found.append(agent)
    return found


async def stop_agents(state_dir: Path, run_id: str, attempts: Collection[Attempt]) -> str | None:
    """End the agents of given attempts with everything that they started, and their runner processes.

    Args:
        state_dir: The run's state directory.
        run_id: The run.
        attempts: Which are not gone on with.

    Returns:
        What was done, or could not be done, in a sentence; `None` when there was nothing.
    """
    agents = [agent for agent in await left_agents(state_dir, run_id) if agent.attempt in attempts]
    for agent in agents:
        agent.program.release()
    ended = await asyncio.gather(*(agent.program.stop() for agent in agents), return_exceptions=True)
    problems = [problem for problem in ended if isinstance(problem, BaseException)]
    for problem in problems:
        if not isinstance(problem, ProcessError):
            raise problem
    if problems:
        return f"agents of an earlier session could not be ended: {'; '.join(map(str, problems))}"
    return f"ended {_count(agents, 'agent')} of an earlier session that nobody goes on with" if agents else None


async def end_orphans(run_id: str, adoptable: Collection[Attempt] = ()) -> str | None:
    """End the processes that earlier sessions of a run left.

    Args:
        run_id: The run.
        adoptable: Attempts whose agents may be adopted, and are left alone.

    Returns:
        What was done, or could not be done, in a sentence; `None` when there was nothing.
    """
    try:
        left = await asyncio.to_thread(_orphans, run_id, adoptable)
        for identity in left:
            await ProcessGroup.adopt(identity, None).stop()
    except ProcessError as error:
        return f"processes that an earlier session left could not be ended: {error}"
    return f"ended {_count(left, 'process', 'processes')} that an earlier session left" if left else None


async def end_what_was_left(state_dir: Path, run_id: str, go_on: Collection[Attempt]) -> list[str]:
    """End what earlier sessions of a run left running, but for the agents of attempts that go on.

    Args:
        state_dir: The run's state directory.
        run_id: The run.
        go_on: Attempts whose agents may be adopted.

    Returns:
        What was done, or could not be done, in sentences.
    """
    abandoned = {agent.attempt for agent in await left_agents(state_dir, run_id)} - set(go_on)
    told = (await stop_agents(state_dir, run_id, abandoned), await end_orphans(run_id, go_on))
    return [sentence for sentence in told if sentence is not None]


def _count(things: Sized, singular: str, plural: str = "") -> str:
    return f"{len(things)} {singular if len(things) == 1 else plural or singular + 's'}"


def _orphans(run_id: str, adoptable: Collection[Attempt]) -> list[ProcessIdentity]:
    marked = find_marked(MARKER, run_id)
    if not adoptable or not marked:
        return marked
    tasks, numbers = read_variable(TASK), read_variable(ATTEMPT)
    kept = {(task_id, str(number)) for task_id, number in adoptable}
    return [each for each in marked if (tasks.get(each.pid), numbers.get(each.pid)) not in kept]
