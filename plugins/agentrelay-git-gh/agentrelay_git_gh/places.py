"""Where a step finds its repositories: told by the run, or worked out for a step that is used by hand."""

import functools
from pathlib import Path
from typing import TypeVar

import attrs

from agentrelay_core.runtime import TaskRuntime
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.worktrees.worktree import Worktree

T = TypeVar("T")


@attrs.frozen(eq=False)
class Places:
    """What a step was told when it was made; what is empty is worked out or taken from the task's runtime.

    Args:
        repo_path: A path in the user's repository.
        graph_name: The graph's name.
        run_id: The run's id.
        state_dir: The run's directory.
        helper_fds: Descriptors that git's processes inherit; see `RunInfo`.
    """

    repo_path: Path
    graph_name: str = ""
    run_id: str = ""
    state_dir: Path | None = None
    helper_fds: tuple[int, ...] = ()

    def of(self, runtime: TaskRuntime) -> tuple[Repository, str, str]:
        """The repositories, the graph's name and the run's id for a task.

        A task outside of a run gets an id on its runtime, so that all steps speak of the same one.

        Raises:
            UserError: The path is in no repository.
        """
        from agentrelay_core.orchestrator.places import new_run_id  # loaded in every run; heavy for `plugins list`

        graph = self.graph_name or runtime.graph_name
        if not (self.run_id or runtime.run_id):
            runtime.run_id = new_run_id()
        return self.repository(graph), graph, self.run_id or runtime.run_id

    def repository(self, graph: str) -> Repository:
        """The repositories of a graph."""
        from agentrelay_core.orchestrator.places import state_directory

        state_dir = self.state_dir or state_directory(self.repo_path, graph)
        return _repository(self.repo_path, state_dir, self.helper_fds)


@functools.lru_cache(maxsize=64)  # steps are made afresh for each task, and where their repository is does not change
def _repository(path: Path, state_dir: Path, helper_fds: tuple[int, ...]) -> Repository:
    from agentrelay_core.orchestrator.places import common_git_directory, repository_root

    return Repository(
        root=repository_root(path),
        common=common_git_directory(path),
        state_dir=state_dir,
        helper_fds=helper_fds,
    )


def worktree_of(repository: Repository, runtime: TaskRuntime) -> Worktree:
    """The worktree that a task works in."""
    return Worktree(repository=repository, path=required(runtime.state.worktree_path, "worktree_path"))


def required(value: T | None, field: str) -> T:
    """A field of the task's state that must be set by now; `ValueError` naming it."""
    if value is None:
        raise ValueError(f"{field} is not set on the task's state; an earlier step sets it")
    return value
