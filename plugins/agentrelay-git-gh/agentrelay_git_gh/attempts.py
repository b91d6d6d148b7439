"""One attempt of a task: what its branch may be called, where its files are, and whether it was prepared before."""

import json
from pathlib import Path

import attrs

from agentrelay_core.runtime import TaskRuntime
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.names import attempt_of, base_ref, head_ref, task_branch
from agentrelay_git_gh.places import Places
from agentrelay_git_gh.worktrees.recovery import position
from agentrelay_git_gh.worktrees.snapshot import Owner
from agentrelay_git_gh.worktrees.worktree import Worktree


@attrs.frozen(kw_only=True, eq=False)
class Attempt:
    """One attempt of a task, and where its files are.

    Args:
        repository: Both repositories.
        graph: The graph's name.
        owner: The run, the task and the attempt.
        signal_dir: Its directory of protocol files, which the agent can write.
    """

    repository: Repository
    graph: str
    owner: Owner
    signal_dir: Path

    @property
    def copies(self) -> Path:
        """Our copies of what the agent was told."""
        owner = self.owner
        return self.repository.state_dir.joinpath("protocol", owner.name, f"{owner.run}-{owner.attempt}")

    def nonce(self) -> str | None:
        """The attempt's nonce; `None` while its signal directory, which is made last and at once, is not there."""
        from agentrelay_core.signals.layout import MANIFEST

        if self.signal_dir.is_symlink() or not self.signal_dir.is_dir():
            return None
        try:
            return str(json.loads((self.copies / MANIFEST).read_bytes())["nonce"])
        except FileNotFoundError:
            return None

    @property
    def branches(self) -> tuple[str, str]:
        """What its branch may be called: the second where an earlier run took the first."""
        owner = self.owner
        return (
            task_branch(self.graph, owner.name, owner.attempt),
            task_branch(self.graph, owner.name, owner.attempt, owner.run),
        )

    def branch(self) -> str | None:
        """Its branch, if it is there and is this run's."""
        for name in self.branches:
            base = base_ref(self.owner.run, name)
            if base in self.repository.our_refs(base):
                return name if self.repository.user_refs(head_ref(name)) else None
        return None


def attempt_of_task(places: Places, runtime: TaskRuntime) -> Attempt:
    """The attempt that a task is at."""
    from agentrelay_core.signals import signal_directory  # not needed to list plugins

    repository, graph, run = places.of(runtime)
    owner = Owner(run=run, name=runtime.task.id, attempt=runtime.state.attempt_num)
    return Attempt(
        repository=repository,
        graph=graph,
        owner=owner,
        signal_dir=signal_directory(repository.root, graph, owner.name, run, owner.attempt),
    )


def goes_on(repository: Repository, worktree: Worktree, branch: str) -> bool:
    """Whether a worktree can be left as it is for an attempt whose branch is this one.

    An agent may have checked out what it likes. Another attempt's branch, or a commit without any change, which is how
    a worktree is that was made anew, has to be checked out again.
    """
    if worktree.admin() is None or not (worktree.path / ".git").is_file():
        return False
    where = position(repository, worktree)
    if where is None or where.branch == branch:
        return where is not None
    if where.branch is not None:
        return attempt_of(where.branch) is None
    return worktree.leftovers(where.commit) != []
