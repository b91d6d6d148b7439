"""One task in one run: what it is, where it stands, and what it has produced so far."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from agentrelay_core.runtime.status import LEGAL_EDGES, TaskStatus
from agentrelay_core.spec import Task

if TYPE_CHECKING:
    from agentrelay_core.runtime.agent import AgentAddress


@attrs.define(kw_only=True)
class TaskState:
    """Where a task stands.

    Args:
        status: Changed by `transition`; plain assignment is for tests and replay.
        worktree_path: The checked-out tree that the agent works in.
        branch_name: The task's own branch.
        signal_dir: The attempt's directory of protocol files.
        error: Why the task failed, as ``<ExceptionType>: <message>`` or in the agent's words.
        attempt_num: Counts from 0.
        integration_branch: Where the task's work is merged; set before the task starts.
        workstream_worktree_path: The worktree of the task's lane; set before the task starts.
    """

    status: TaskStatus = TaskStatus.PENDING
    worktree_path: Path | None = None
    branch_name: str | None = None
    signal_dir: Path | None = None
    error: str | None = None
    attempt_num: int = 0
    integration_branch: str | None = None
    workstream_worktree_path: Path | None = None

    def transition(self, to: TaskStatus) -> None:
        """Move to another status.

        Args:
            to: The next status.

        Raises:
            RuntimeError: That edge is illegal; the text names both statuses.
        """
        if to not in LEGAL_EDGES[self.status]:
            raise RuntimeError(f"a task cannot go from {self.status.name} to {TaskStatus(to).name}")
        self.status = to


@attrs.define(kw_only=True)
class TaskArtifacts:
    """What a task has produced.

    Args:
        pr_url: URL of the task's pull request.
        concerns: What the agent, or a step, wants people to know; in order.
        agent_address: How to reach, and to end, the task's live agent.
        agent_data: What the address's ``to_json`` gave, as the journal has it; for a task that is resumed.
        agent_at_work: Whether the agent needs no kickoff, because it was started with its instructions.
        agent_environment: The variables that the agent was started with, where its launcher told them.
        output_read: How much of ``agent.log`` the agent's framework has read, in bytes.
        signal_nonce: What the attempt's helper adds to its signals; a signal with another one is stale.
        resting: Whether the agent waits for a limit to end, or for a person, which is no stall.
        work_kept: Whether the workspace keeps what the agent did where a later session finds it, so that it need not be
            done again.
        ended: How the agent's work ended, where its completion checker told: ``done``, ``failed``, ``died``, ``hung``.
    """

    pr_url: str | None = None
    concerns: list[str] = attrs.Factory(list)
    agent_address: "AgentAddress | None" = None
    agent_data: Any = None
    agent_at_work: bool = False
    agent_environment: dict[str, str] | None = None
    output_read: int = 0
    signal_nonce: str | None = None
    resting: bool = False
    work_kept: bool = False
    ended: str | None = None


@attrs.define(eq=False)
class TaskRuntime:
    """The mutable side of one task in one run.

    Args:
        task: The specification, which running never changes.
        run_id: Id of the run, empty outside of one.
        graph_name: Name of the graph, empty outside of one.
        last_error: Why the previous attempt failed, for the next one's instructions.
        failure: The exception that ended the last run of it, if one did.
        resumed: Whether an earlier session of the run may have begun this attempt, so that its steps' effects may be
            there already.
        seconds_used: How much of its wall budget earlier sessions of the run have used.
        gates_failed: How many completion gates of this attempt have failed.
        turn_due: Whether the agent of a resumed attempt is still to be told of the last of them.
        agent_done: Whether the agent of a resumed attempt had done its work: a person was needed afterwards.
        unwatched: Whether the agent of a resumed attempt ended while nobody watched.
        on_progress: Takes what `progress` tells; `None` while nobody waits for the agent.
        reporter: Takes what a step reports; set by the runner, `None` where nobody listens.
        state: Where the task stands.
        artifacts: What it has produced.
    """

    task: Task
    run_id: str = attrs.field(default="", kw_only=True)
    graph_name: str = attrs.field(default="", kw_only=True)
    last_error: str | None = attrs.field(default=None, kw_only=True)
    failure: BaseException | None = attrs.field(default=None, kw_only=True)
    resumed: bool = attrs.field(default=False, kw_only=True)
    seconds_used: float = attrs.field(default=0.0, kw_only=True)
    gates_failed: int = attrs.field(default=0, kw_only=True)
    turn_due: bool = attrs.field(default=False, kw_only=True)
    agent_done: bool = attrs.field(default=False, kw_only=True)
    reporter: Callable[[str, str, dict[str, Any]], None] | None = attrs.field(default=None, kw_only=True, repr=False)
    unwatched: bool = attrs.field(default=False, kw_only=True)
    on_progress: Callable[[str, str], None] | None = attrs.field(default=None, kw_only=True, repr=False)
    state: TaskState = attrs.field(factory=TaskState, kw_only=True)
    artifacts: TaskArtifacts = attrs.field(factory=TaskArtifacts, kw_only=True)

    def progress(self, kind: str, message: str = "") -> None:
        """Tell people how far the agent is; it counts as progress where a stall is judged.

        For steps, from whichever thread; while nobody waits for the agent nothing happens. The same text again counts,
        and is shown once.

        Args:
            kind: What the agent does, a word.
            message: More about it, a line.
        """
        if self.on_progress is not None:
            self.on_progress(kind, message)

    def report(self, kind: str, message: str = "", data: Mapping[str, Any] | None = None) -> None:
        """Tell people and the journal of something that happened while a step goes on; from the event loop alone.

        Args:
            kind: The event's name, for example ``task_usage``.
            message: For people; the secrets that the agent was given are taken out of it.
            data: Plain values for programs, by kind.
        """
        if self.reporter is not None:
            self.reporter(kind, message, dict(data or {}))
