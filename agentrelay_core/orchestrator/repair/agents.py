"""The processes of a run's agents that still live, whoever started them: known by their environment alone.

An agent's variables say which run, task and attempt it belongs to, and everything that it starts inherits them, also
what leaves its process group and session. Nothing is ever recognised by its name.
"""

import attrs

from agentrelay_core.processes import ProcessError, ProcessGroup, ProcessIdentity, identify
from agentrelay_core.processes.table import read_variable
from agentrelay_core.runtime import UserError

RUN_VARIABLE = "AGENTRELAY_RUN_ID"
TASK_VARIABLE = "AGENTRELAY_TASK_ID"
ATTEMPT_VARIABLE = "AGENTRELAY_ATTEMPT"
DIRECTORY_VARIABLE = "AGENTRELAY_SIGNAL_DIR"


@attrs.frozen(kw_only=True)
class LiveAgent:
    """What lives of one attempt's agent.

    Args:
        run_id: Its run.
        task_id: Its task.
        attempt_num: Its attempt, from 0.
        marker: Name and value of a variable that the processes of this attempt alone have.
        processes: These processes.
    """

    run_id: str
    task_id: str
    attempt_num: int
    marker: tuple[str, str]
    processes: tuple[ProcessIdentity, ...]


def live_agents() -> list[LiveAgent]:
    """All agents of our user that live now, of whatever run.

    Raises:
        UserError: The process table cannot be read.
    """
    try:
        directories = read_variable(DIRECTORY_VARIABLE)
        if not directories:
            return []
        runs, tasks, attempts = map(read_variable, (RUN_VARIABLE, TASK_VARIABLE, ATTEMPT_VARIABLE))
        found: dict[tuple[str, str, int, str], list[ProcessIdentity]] = {}
        for pid, directory in sorted(directories.items()):
            attempt = attempts.get(pid, "")
            identity = identify(pid)
            if identity is not None and pid in runs and pid in tasks and attempt.isdecimal():
                found.setdefault((runs[pid], tasks[pid], int(attempt), directory), []).append(identity)
    except ProcessError as error:
        raise UserError(f"the process table cannot be read: {error}; see `agentrelay doctor`") from error
    return [
        LiveAgent(
            run_id=run,
            task_id=task,
            attempt_num=attempt,
            marker=(DIRECTORY_VARIABLE, directory),
            processes=tuple(processes),
        )
        for (run, task, attempt, directory), processes in found.items()
    ]


async def end_agent(agent: LiveAgent) -> None:
    """End all that lives of an agent: TERM, after 10 s KILL.

    Args:
        agent: The agent, as it was found.

    Raises:
        UserError: Something could not be ended.
    """
    try:
        for identity in agent.processes:
            await ProcessGroup.adopt(identity, agent.marker).stop()
    except ProcessError as error:
        raise UserError(
            f"the agent of '{agent.task_id}' could not be ended: {error}; end it by hand, then type it again, "
            "see `agentrelay doctor`"
        ) from error
