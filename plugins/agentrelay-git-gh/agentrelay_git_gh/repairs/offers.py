"""What this workspace offers to the commands that repair and clean; see `agentrelay_core.task_runner.repairs`."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import attrs

from agentrelay_core.hooks import RunInfo
from agentrelay_core.runtime import UserError
from agentrelay_core.task_runner.repairs import Leftover, Rescued
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.locks import lock_of
from agentrelay_git_gh.places import Places
from agentrelay_git_gh.repairs import rescued as rescues
from agentrelay_git_gh.repairs.inventory import inventory
from agentrelay_git_gh.repairs.letting_go import (
    clean_worktree,
    let_go_of_branch,
    let_go_of_directory,
    let_go_of_worktree,
)


@attrs.frozen(eq=False)
class GitRepairs:
    """Rescued work and leftovers of one graph's runs.

    Args:
        run: The run, or what is known of one that is over; needs a repository.
        ready: Gets our repository ready and gives both.
    """

    run: RunInfo
    ready: Callable[[], Repository]

    def rescued(self) -> list[Rescued]:
        """All that is kept in the repository, of whatever run, the oldest first."""
        return rescues.rescued_work(self._repository())

    def restore_branch(self, rescued: Rescued, branch: str) -> None:
        """Make a new branch that holds the rescued work."""
        rescues.restore_branch(self._repository(), rescued, branch)

    def restore_files(self, rescued: Rescued, directory: Path) -> int:
        """Write all files into a directory that is new or empty; return how many there are."""
        return rescues.restore_files(self._repository(), rescued, directory)

    def leftovers(self) -> list[Leftover]:
        """What there is of the graph's worktrees, branches and half-made directories; changes nothing of it."""
        return inventory(self.ready(), self.run.graph_name)

    def keep(self, leftover: Leftover) -> str | None:
        """Keep what is in a worktree and in no commit, and leave it clean; return the rescue ref if one was needed."""
        with self._lane(leftover):
            return clean_worktree(self.ready(), self.run.graph_name, self.run.run_id, leftover)

    def let_go(self, leftover: Leftover, *, ignored: bool = False) -> str | None:
        """Remove something, once all that it holds is safe elsewhere; return the rescue ref if one was needed."""
        repository, graph = self.ready(), self.run.graph_name
        if leftover.kind == "branch":
            return let_go_of_branch(repository, graph, leftover)
        if leftover.kind == "directory":
            let_go_of_directory(repository, graph, leftover)
            return None
        with self._lane(leftover):
            return let_go_of_worktree(repository, graph, self.run.run_id, leftover, ignored=ignored)

    def _lane(self, leftover: Leftover) -> AbstractContextManager[None]:
        return lock_of("workstream", self.ready().common, self.run.graph_name, leftover.workstream_id)

    def _repository(self) -> Repository:
        """Both repositories as they are, without making ours."""
        if self.run.repository is None:
            raise UserError("rescued work is in a git repository; name one with `-C PATH`")
        return Places(self.run.repository, self.run.graph_name, state_dir=self.run.state_dir).repository(
            self.run.graph_name
        )
