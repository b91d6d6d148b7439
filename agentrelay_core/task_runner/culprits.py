"""Whose fault it is that a step raised, hung or returned rubbish: the plugin that provided it, by its distribution.

Only faults of a plugin or of ours are told with a name; what an agent, a person or a limit did is nobody's fault here.
"""

from agentrelay_core.runtime import TaskRuntime, is_internal
from agentrelay_core.task_runner.dispatch import StepDispatch


def culprit(error: BaseException, method: str, target: object, runtime: TaskRuntime) -> str:
    """Who raised an error, for the end of its text.

    Args:
        error: What was raised.
        method: The method that was being called.
        target: The step's table, or the object whose method it is.
        runtime: The task.

    Returns:
        For example ``" (prepare of agentrelay-git-gh 0.1.0)"``; nothing where it is nobody's fault or nobody is known.
    """
    if not is_internal(error):
        return ""
    if isinstance(target, StepDispatch):
        who = target.provider(runtime)
    else:
        who = f"{type(target).__module__}.{type(target).__qualname__}"
    return f" ({method} of {who})" if who else ""
