"""The step that ends what is left of a task: its agent, and its branch once the commits are safe elsewhere."""

import asyncio
import inspect
from contextlib import suppress
from pathlib import Path

from agentrelay_core.runtime import TaskRuntime, TaskStatus
from agentrelay_core.runtime.no_room import parking
from agentrelay_git_gh.git.repository import RefMoved, Repository
from agentrelay_git_gh.git.transfer import descends, take_over
from agentrelay_git_gh.names import head_ref
from agentrelay_git_gh.places import Places, worktree_of
from agentrelay_git_gh.worktrees.exact import staged_alone
from agentrelay_git_gh.worktrees.recovery import Position, keep_leftovers, position
from agentrelay_git_gh.worktrees.snapshot import Owner
from agentrelay_git_gh.worktrees.worktree import Worktree


class WorktreeTaskTeardown:
    """Tears a task down. The worktree belongs to the workstream and stays.

    Args:
        repo_path: The user's repository.
        keep_panes: Leave what shows the agent for a look.
        graph_name: The graph's name; default the runtime's.
        run_id: The run's id; default the runtime's.
        state_dir: The run's directory; default the usual one of the repository and the graph.
        helper_fds: Descriptors that git's processes inherit; see `RunInfo`.
    """

    def __init__(
        self,
        repo_path: Path,
        keep_panes: bool = False,
        *,
        graph_name: str = "",
        run_id: str = "",
        state_dir: Path | None = None,
        helper_fds: tuple[int, ...] = (),
    ) -> None:
        self._places = Places(Path(repo_path), graph_name, run_id, state_dir, helper_fds)
        self._keep_panes = keep_panes

    async def teardown(self, runtime: TaskRuntime) -> None:
        """End the agent, keep what it left in no commit, and delete the branch if that loses nothing.

        Raises:
            Parked: Something cannot be kept, so it stays where it is.
        """
        address = runtime.artifacts.agent_address
        if address is not None:
            released = await asyncio.to_thread(address.teardown, runtime.state.signal_dir, self._keep_panes)
            if inspect.isawaitable(released):
                await released
        if runtime.state.branch_name is not None and runtime.state.worktree_path is not None:
            await asyncio.to_thread(self._release, runtime, runtime.state.branch_name)

    @parking()
    def _release(self, runtime: TaskRuntime, branch: str) -> None:
        repository, _, run = self._places.of(runtime)
        integration = runtime.state.integration_branch
        owner = Owner(run=run, name=runtime.task.id, attempt=runtime.state.attempt_num)
        worktree = worktree_of(repository, runtime)
        names = [head_ref(name) for name in (branch, integration) if name]
        refs = repository.user_refs(*names)
        tip = refs.get(head_ref(branch))
        if tip is None:
            return
        where = position(repository, worktree, refs) if worktree.admin() is not None else None
        here = where is not None and where.branch == branch
        if here and where is not None:
            self._keep(repository, worktree, owner, where)
        target = refs.get(head_ref(integration or ""))
        unneeded = target is not None and descends(repository, target.sha, tip.sha)
        if not unneeded and runtime.state.status != TaskStatus.FAILED:
            kept = repository.our_refs(owner.ref).get(owner.ref)
            unneeded = kept is not None and descends(repository, kept, tip.sha)
        elsewhere = tip.checked_out is not None and not here
        if here:
            worktree.set_head(tip.sha)
        if unneeded and not elsewhere:
            with suppress(RefMoved):  # someone works on it: it is not ours to delete
                repository.change(repository.user, f"delete {head_ref(branch)}\0{tip.sha}\0")

    def _keep(self, repository: Repository, worktree: Worktree, owner: Owner, where: Position) -> None:
        if worktree.leftovers(where.commit) == [] and not staged_alone(repository, worktree, where.commit):
            return
        if not worktree.holds(where.commit):
            take_over(repository, where.commit)
        with worktree.index_at(where.commit) as git:
            kept = keep_leftovers(repository, git, owner, where)
            if kept is not None:
                worktree.fill(git, where.commit)
            elif not worktree.holds(where.commit):
                worktree.keep_index(git, where.commit)
