"""One piece of work: what is to be done, after what, by whom, and how its end is proven."""

from collections.abc import Iterable
from typing import Any

import attrs

from agentrelay_core.spec.agents import AgentConfig, AgentRole
from agentrelay_core.spec.frozen import freeze, names
from agentrelay_core.spec.limits import Deadlines, RetryPolicy


@attrs.frozen
class TaggedPath:
    """A file the task is about, relative to the repository, with its category (``src``, ``test``, ``spec`` …)."""

    path: str
    category: str


@attrs.frozen
class InputFrom:
    """Files that an upstream task made are input here; all of them, or those of one category."""

    task: str
    category: str | None = None


@attrs.frozen
class ReviewConfig:
    """An agent that reviews the work from a given attempt on."""

    agent: AgentConfig
    review_on_attempt: int = 1


# Not `tuple` itself: type checkers take a generic converter for one that accepts nothing.
def _paths(value: Iterable[TaggedPath]) -> tuple[TaggedPath, ...]:
    return tuple(value)


def _role(value: str) -> AgentRole:
    return value if value.__class__ is AgentRole else AgentRole(value)  # making an enum's member of itself takes long


def _inputs(value: Iterable[InputFrom]) -> tuple[InputFrom, ...]:
    return tuple(value)


@attrs.frozen(kw_only=True)
class Task:
    """A task of the graph.

    Args:
        id: Unique in the graph; becomes a branch name, a directory and a window title.
        role: Chooses the template of the agent's instructions.
        description: What is to be done, in the user's words.
        paths: Files the task is about.
        dependencies: Ids of tasks that must be merged, or completed, first.
        inputs_from: Upstream tasks whose output files are input here.
        completion_gate: Shell command that must exit 0 on the finished work.
        max_gate_attempts: Gate runs in all before the task fails.
        pull_request: False for a task that ends without a pull request.
        allow_no_changes: Whether an agent that changed nothing may have done its task.
        primary_agent: The agent that does the work.
        review: A reviewing agent, or `None`.
        retry: Retry policy, or `None` for the run's.
        deadlines: Deadlines, or `None` for the defaults.
        workstream_id: The lane whose integration branch receives the work.
        isolation: Frozen plain value for plugins that honour it.
    """

    id: str
    role: AgentRole = attrs.field(default=AgentRole.GENERIC, converter=_role)
    description: str | None = None
    paths: tuple[TaggedPath, ...] = attrs.field(default=(), converter=_paths)
    dependencies: tuple[str, ...] = attrs.field(default=(), converter=names)
    inputs_from: tuple[InputFrom, ...] = attrs.field(default=(), converter=_inputs)
    completion_gate: str | None = None
    max_gate_attempts: int = attrs.field(default=2, validator=attrs.validators.ge(1))
    pull_request: bool = True
    allow_no_changes: bool = False
    primary_agent: AgentConfig = AgentConfig()
    review: ReviewConfig | None = None
    retry: RetryPolicy | None = None
    deadlines: Deadlines | None = None
    workstream_id: str = "default"
    isolation: Any = attrs.field(default=None, converter=freeze)
