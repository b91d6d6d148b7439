"""What pull requests say about themselves."""

from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.runtime.secrets import without_secrets
from agentrelay_core.runtime.untrusted_text import fenced
from agentrelay_git_gh.git.commits import with_trailers
from agentrelay_git_gh.worktrees.snapshot import Owner


def task_body(runtime: TaskRuntime, owner: Owner) -> str:
    """The text of a task's pull request: the task, what the agent wants known, and the trailers."""
    task = runtime.task
    sections = [f"## Task\n\n{task.description or task.id}"]
    if task.paths:
        sections.append("## Files\n\n" + "\n".join(f"- {path.path} ({path.category})" for path in task.paths))
    if runtime.artifacts.concerns:
        sections.append("## Concerns\n\n" + fenced("\n".join(runtime.artifacts.concerns)))
    return with_trailers("", without_secrets(runtime, "\n\n".join(sections)), owner.trailers())


def integration_body(graph: str, workstream: str, run: str) -> str:
    """The text of a workstream's integration pull request."""
    text = f"What the tasks of the workstream {workstream} of the graph {graph} made."
    return with_trailers("", text, {"Agentrelay-Run": run, "Agentrelay-Workstream": workstream})
