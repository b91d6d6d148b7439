"""The variables an agent gets: an allow-list of the user's, what the task adds, and where its protocol files are.

Nothing else of the user's environment reaches an agent, or the completion gate that runs in the agent's place.
"""

import os
from collections.abc import Mapping

from agentrelay_core.runtime.state import TaskRuntime

ALLOWED = ("PATH", "HOME", "USER", "LANG", "TERM", "TZ", "TMPDIR")
ALLOWED_PREFIX = "LC_"
HELPER_DIRECTORY = "bin"
INSTRUCTIONS = "instructions.md"


def agent_environment(runtime: TaskRuntime, user: Mapping[str, str] | None = None) -> dict[str, str]:
    """Build the environment of a task's agent.

    Args:
        runtime: The task; ``state.signal_dir`` should be set.
        user: The user's own environment; default `os.environ`.

    Returns:
        Allowed and passed variables, then the agent's ``env``, then the ``AGENTRELAY_*`` variables; the folder of
        ``agentrelay-task`` stands first on ``PATH``.
    """
    user = os.environ if user is None else user
    agent = runtime.task.primary_agent
    names = {*ALLOWED, *agent.pass_env}
    variables = {name: value for name, value in user.items() if name in names or name.startswith(ALLOWED_PREFIX)}
    variables.update((name, str(value)) for name, value in agent.env)
    variables["AGENTRELAY_TASK_ID"] = runtime.task.id
    variables["AGENTRELAY_GRAPH"] = runtime.graph_name
    variables["AGENTRELAY_ATTEMPT"] = str(runtime.state.attempt_num)
    variables["AGENTRELAY_RUN_ID"] = runtime.run_id
    signal_dir = runtime.state.signal_dir
    if signal_dir is not None:
        variables["AGENTRELAY_SIGNAL_DIR"] = str(signal_dir)
        variables["AGENTRELAY_INSTRUCTIONS"] = str(signal_dir / INSTRUCTIONS)
        search_path = variables.get("PATH", os.defpath)
        variables["PATH"] = f"{signal_dir / HELPER_DIRECTORY}{os.pathsep}{search_path}"
    return variables
