"""What the manifest and the policies of an attempt say: the task as plain data, for agents that are programs."""

from collections.abc import Mapping, Sequence
from typing import Any

from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_core.signals.layout import SCHEMA_VERSION
from agentrelay_core.spec import AdrVerbosity, TaggedPath, Task

LONGEST_TITLE = 72
BODY_SECTIONS = ("Summary", "Changes", "Concerns")


def manifest(
    runtime: TaskRuntime,
    *,
    nonce: str,
    dependency_descriptions: Mapping[str, str | None],
    input_files: Mapping[str, Sequence[TaggedPath]],
) -> dict[str, Any]:
    """The content of ``manifest.json``.

    Args:
        runtime: The task, with its branches on the state.
        nonce: What the attempt's helper adds to its signals.
        dependency_descriptions: Descriptions by task id; those of the task's dependencies are used.
        input_files: Files that upstream tasks made, by task id.
    """
    task, state = runtime.task, runtime.state
    return {
        "schema_version": SCHEMA_VERSION,
        "nonce": nonce,
        "task": {"id": task.id, "role": task.role.value, "description": task.description},
        "paths": paths_by_category(task.paths),
        "workspace": {"branch": state.branch_name, "integration_branch": state.integration_branch},
        "execution": {"run": runtime.run_id, "attempt": state.attempt_num, "graph": runtime.graph_name},
        "dependencies": {name: dependency_descriptions.get(name) for name in task.dependencies},
        "input_files": [
            {
                "task": source.task,
                "category": source.category,
                "files": [
                    file.path for file in input_files.get(source.task, ()) if source.category in (None, file.category)
                ],
            }
            for source in task.inputs_from
        ],
    }


def policies(
    task: Task,
    *,
    base_branch: str | None,
    commit: Mapping[str, Any] | None,
    verification: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The content of ``policies.json``; a policy that does not apply is ``None``.

    Args:
        task: The task.
        base_branch: What the pull request is to be merged into.
        commit: How commits are made, as plain data.
        verification: What is checked before the work is merged, as plain data; default what the task says of changes.
    """
    adr = task.primary_agent.adr_verbosity
    return {
        "schema_version": SCHEMA_VERSION,
        "commit": None if commit is None else dict(commit),
        "pull_request": {
            "base_branch": base_branch,
            "title": pull_request_title(task),
            "body_sections": list(BODY_SECTIONS),
        }
        if task.pull_request
        else None,
        "completion_gate": {"command": task.completion_gate, "max_attempts": task.max_gate_attempts}
        if task.completion_gate is not None
        else None,
        "review": {
            "framework": task.review.agent.framework,
            "model": task.review.agent.model,
            "review_on_attempt": task.review.review_on_attempt,
        }
        if task.review is not None
        else None,
        "adr": {"verbosity": adr.value} if adr is not AdrVerbosity.NONE else None,
        "verification": {"changes_required": not task.allow_no_changes} if verification is None else dict(verification),
    }


def paths_by_category(paths: Sequence[TaggedPath]) -> dict[str, list[str]]:
    """Paths in their order, grouped by category.

    Args:
        paths: Paths with categories.
    """
    grouped: dict[str, list[str]] = {}
    for path in paths:
        grouped.setdefault(path.category, []).append(path.path)
    return grouped


def pull_request_title(task: Task) -> str:
    """The first line of the task's description, else its id.

    Args:
        task: The task.
    """
    lines = (task.description or "").strip().splitlines()
    return plain_line(lines[0] if lines else task.id, LONGEST_TITLE)
