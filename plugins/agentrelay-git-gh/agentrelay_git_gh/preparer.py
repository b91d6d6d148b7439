"""The step that makes a task's place of work: its branch, checked out in its workstream's worktree."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from agentrelay_core.runtime import IntegrationBoundary, InternalIntegrationError, Parked, TaskRuntime
from agentrelay_core.runtime.no_room import parking
from agentrelay_git_gh.attempts import Attempt, attempt_of_task, goes_on
from agentrelay_git_gh.git.repository import RefMoved, Repository
from agentrelay_git_gh.git.transfer import take_over
from agentrelay_git_gh.handed_on import input_files
from agentrelay_git_gh.names import attempt_of, base_ref, head_ref
from agentrelay_git_gh.places import Places, required
from agentrelay_git_gh.worktrees.recovery import Position, keep_leftovers, position
from agentrelay_git_gh.worktrees.snapshot import Owner
from agentrelay_git_gh.worktrees.worktree import Worktree


class WorktreeTaskPreparer:
    """Prepares a task in the worktree of its workstream.

    Args:
        repo_path: The user's repository.
        graph_name: The graph's name.
        dependency_descriptions: Descriptions of the task's dependencies by id.
        context_content: What the agent should know of its prerequisites; default a list of them.
        run_id: The run's id; default the runtime's.
        state_dir: The run's directory; default the usual one of the repository and the graph.
        helper_fds: Descriptors that git's processes inherit; see `RunInfo`.
        may_open: Whether the agent may open its pull request itself.
    """

    def __init__(
        self,
        repo_path: Path,
        graph_name: str,
        dependency_descriptions: Mapping[str, str | None] | None = None,
        context_content: str | None = None,
        *,
        run_id: str = "",
        state_dir: Path | None = None,
        helper_fds: tuple[int, ...] = (),
        may_open: bool = True,
    ) -> None:
        self._may_open = may_open
        self._places = Places(Path(repo_path), graph_name, run_id, state_dir, helper_fds)
        self._descriptions = dict(dependency_descriptions or {})
        self._context = context_content

    def prepare(self, runtime: TaskRuntime) -> None:
        """Make the branch and the protocol files; set branch, worktree and signal directory on the state.

        Raises:
            ValueError: ``integration_branch`` or ``workstream_worktree_path`` is not set.
            Parked: A branch of that name is not ours, or leftovers cannot be kept.
            IntegrationError: git failed.
        """
        integration = required(runtime.state.integration_branch, "integration_branch")
        path = required(runtime.state.workstream_worktree_path, "workstream_worktree_path")
        try:
            with parking():
                self._prepare(runtime, integration, path)
        except OSError as error:
            raise InternalIntegrationError(
                f"the task's files could not be made: {error}", boundary=IntegrationBoundary.WORKSPACE
            ) from error

    def reconcile(self, runtime: TaskRuntime) -> Literal["absent", "present"]:
        """Whether an earlier session of the run has prepared this attempt; if so, set what `prepare` sets.

        The worktree is not touched: its agent may be at work. All of it is looked up, but for the nonce, which is read
        from our own copy.
        """
        path, integration = runtime.state.workstream_worktree_path, runtime.state.integration_branch
        if not runtime.resumed or path is None or integration is None:
            return "absent"
        attempt = attempt_of_task(self._places, runtime)
        nonce = attempt.nonce()
        branch = attempt.branch()
        if nonce is None or branch is None:
            return "absent"
        if not goes_on(attempt.repository, Worktree(repository=attempt.repository, path=path), branch):
            return "absent"
        self._tell(runtime, attempt, branch)
        runtime.artifacts.signal_nonce = nonce
        return "present"

    def _tell(self, runtime: TaskRuntime, attempt: Attempt, branch: str) -> None:
        state = runtime.state
        state.branch_name = branch
        state.worktree_path = state.workstream_worktree_path
        state.signal_dir = attempt.signal_dir

    def _prepare(self, runtime: TaskRuntime, integration: str, path: Path) -> None:
        from agentrelay_core.signals import write_protocol_files  # not needed to list plugins

        attempt = attempt_of_task(self._places, runtime)
        repository, owner = attempt.repository, attempt.owner
        worktree = Worktree(repository=repository, path=path)
        branch, base, tip = self._branch(attempt, integration)
        self._check_out(repository, worktree, owner, branch, tip, resumed=runtime.resumed)
        self._tell(runtime, attempt, branch)
        nonce = attempt.nonce() if runtime.resumed else None
        if nonce is not None:  # a session that was killed got this far, and an agent may have been told already
            runtime.artifacts.signal_nonce = nonce
            return
        write_protocol_files(
            runtime,
            dependency_descriptions=self._descriptions,
            context_content=self._context,
            base_branch=integration,
            template_dir=repository.root / ".agentrelay" / "templates",
            keep_copies_in=attempt.copies,
            commit={"base": base},
            input_files=input_files(attempt, runtime.task),
            may_open=self._may_open,
        )

    def _branch(self, attempt: Attempt, integration: str) -> tuple[str, str, str]:
        """Find or make the task's branch; its name, the commit frozen as its base, and its tip."""
        repository, owner, names = attempt.repository, attempt.owner, attempt.branches
        refs = repository.user_refs(head_ref(integration), *map(head_ref, names))
        target = refs.get(head_ref(integration))
        if target is None:
            raise Parked(f"the integration branch {integration} does not exist; open its workstream first")
        if head_ref(names[0]) not in refs:
            return names[0], target.sha, self._cut(repository, owner.run, names[0], target.sha)
        ours = repository.our_refs(*(base_ref("*", name) for name in names))
        for name in names:
            base = ours.get(base_ref(owner.run, name))
            tip = refs.get(head_ref(name))
            if tip is None:
                return name, target.sha, self._cut(repository, owner.run, name, target.sha)
            if base is not None:
                take_over(repository, tip.sha)
                return name, base, tip.sha
            if not any(ref.endswith(f"/{name}") for ref in ours):
                raise Parked(f"the branch {name} is there already and is not ours; rename it, then run again")
        raise Parked(f"the branch {names[-1]} is there already and is not this run's; rename it, then run again")

    def _cut(self, repository: Repository, run: str, name: str, base: str) -> str:
        take_over(repository, base)  # for someone else may have moved the integration branch
        repository.set_ours({base_ref(run, name): base})  # first, so that the branch is known as ours
        try:
            repository.move(head_ref(name), base, None)
        except RefMoved as error:
            raise Parked(f"the branch {name} was made by someone else just now: {error}") from error
        return base

    def _check_out(
        self, repository: Repository, worktree: Worktree, owner: Owner, branch: str, tip: str, *, resumed: bool
    ) -> None:
        """Check the branch out; what an earlier task left in the worktree is kept first."""
        where = position(repository, worktree) or Position(branch=None, commit=tip)
        if where.branch == branch:
            return  # by a run that was stopped here: what is in the worktree is this attempt's own work
        if resumed and repository.has(where.commit) and worktree.settle(tip):
            worktree.set_head(f"ref: {head_ref(branch)}")
            return
        known = worktree.holds(where.commit)
        if not known:
            take_over(repository, where.commit)
        with worktree.index_at(where.commit) as git:
            earlier = attempt_of(where.branch or "")
            left_by = Owner(run=owner.run, name=earlier[0], attempt=earlier[1]) if earlier else owner
            keep_leftovers(repository, git, left_by, where, unnamed=where.branch is None and not known)
            worktree.fill(git, tip)
        worktree.set_head(f"ref: {head_ref(branch)}")
