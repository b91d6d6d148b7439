"""Where work lives and flows together: one workspace per run, by which the runner publishes and verifies.

Methods may be ``def`` or ``async def``, as steps may. Without a workspace the runner takes the steps' word.
"""

from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import attrs

from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.spec import WorkstreamSpec


@attrs.frozen(kw_only=True)
class Evidence:
    """What was verified about a task's work, by facts checked in the repository.

    Args:
        head: The verified commit, full hash.
        base: The commit, frozen at prepare, that it descends from, full hash.
        changed: Whether its tree differs from the base's.
    """

    head: str
    base: str
    changed: bool


@runtime_checkable
class Workspace(Protocol):
    """The repository of a run."""

    def open_workstream(self, spec: WorkstreamSpec) -> tuple[str, Path] | Awaitable[tuple[str, Path]]:
        """Make the workstream's integration branch and worktree; return the branch's name and the path."""

    def update_workstream(self, spec: WorkstreamSpec, upstream: Sequence[WorkstreamSpec]) -> None | Awaitable[None]:
        """Merge the integration tips of other workstreams into this one; called before each prepare."""

    def publish(self, runtime: TaskRuntime) -> str | None | Awaitable[str | None]:
        """Commit what was left and open the pull request; return its URL, or `None` when nothing changed.

        Raises ``AgentFailure`` when nothing changed and the task does not allow that.
        """

    def verify(self, runtime: TaskRuntime, pr_url: str | None) -> Evidence | Awaitable[Evidence]:
        """Give evidence for the task's work, and leave its worktree clean at the verified commit.

        Args:
            runtime: The task.
            pr_url: Its pull request, `None` for a task without one.
        """

    def integrate(self, spec: WorkstreamSpec) -> str | None | Awaitable[str | None]:
        """Open the workstream's integration pull request and, with ``auto_merge``, merge it; return its URL.

        Returns `None` when the workstream holds nothing to integrate. Raises ``Parked`` where a person must act.
        """

    def close_workstream(self, spec: WorkstreamSpec) -> None | Awaitable[None]:
        """Remove the workstream's worktree; what is not safe elsewhere is saved first."""
