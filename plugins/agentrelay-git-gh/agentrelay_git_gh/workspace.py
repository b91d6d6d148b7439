"""The git workspace of a run: where its work lives and flows together."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agentrelay_core.hooks import Forge, RunInfo
from agentrelay_core.runtime import TaskRuntime, UserError
from agentrelay_core.runtime.no_room import parking
from agentrelay_core.spec import RunSettings, WorkstreamSpec
from agentrelay_core.task_runner import Evidence, waits_for_others
from agentrelay_git_gh.defaults import note_default
from agentrelay_git_gh.finishing import finished
from agentrelay_git_gh.forges.of_run import choice_of, forge_of
from agentrelay_git_gh.forges.sharing_forge import Checks, SharingForge, local_problems
from agentrelay_git_gh.git.merging import MergeConflict, MergeMessage, merge_commit
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.git.setup import hide, set_up
from agentrelay_git_gh.git.transfer import take_over
from agentrelay_git_gh.locks import lock_of
from agentrelay_git_gh.names import head_ref, integration_branch, worktree_path
from agentrelay_git_gh.places import Places
from agentrelay_git_gh.preflight import check_repository
from agentrelay_git_gh.refusing import refuse
from agentrelay_git_gh.worktrees.closing import close_worktree
from agentrelay_git_gh.worktrees.opening import open_branch, open_worktree
from agentrelay_git_gh.worktrees.snapshot import Owner
from agentrelay_git_gh.worktrees.worktree import Worktree

if TYPE_CHECKING:
    from agentrelay_git_gh.forges.integrating import Integrator
    from agentrelay_git_gh.publishing import Publisher
    from agentrelay_git_gh.repairs.offers import GitRepairs


class GitWorkspace:
    """A run's work in a git repository. Methods block, and may be called from several threads at once.

    Args:
        run: The run; needs a repository.
    """

    def __init__(self, run: RunInfo) -> None:
        if run.repository is None:
            raise UserError("the git workspace needs a repository; give the run one")
        self._run = run
        self._graph = run.graph_name
        self._forge: Forge | None = None
        self._shared: SharingForge | None = None
        self._repository: Repository | None = None

    @property
    def repairs(self) -> "GitRepairs":
        """What the commands that repair and clean may do here."""
        from agentrelay_git_gh.repairs.offers import (
            GitRepairs,  # no part of a run, which would wait for it before it begins
        )

        return GitRepairs(self._run, self._ready)

    @parking()
    def preflight(self) -> None:
        """Refuse a repository that cannot be worked with, and get ours ready; done once.

        Raises:
            UserError: What is wrong, and what to do.
        """
        self._ready()
        sharing = self._sharing()
        if sharing is not None:
            sharing.preflight()
        elif self._is_local:
            refuse(local_problems(self._run.settings, self._run.workstreams))

    @parking()
    def open_workstream(self, spec: WorkstreamSpec) -> tuple[str, Path]:
        """Make the workstream's integration branch and worktree; return the branch's name and the path.

        Raises:
            UserError: The repository, or the branch to start from, cannot be worked with.
            Parked: A branch or a directory of that name is there and is not ours.
        """
        repository, sharing = self._ready(), self._sharing()
        if sharing is not None:
            sharing.policies[integration_branch(self._graph, spec.id)] = self._checks(spec)
        elif self._is_local:
            refuse(local_problems(RunSettings(), (spec,)))
        with lock_of("workstream", repository.common, self._graph, spec.id):
            branch, tip = open_branch(repository, self._graph, self._run.run_id, spec)
            return branch, open_worktree(repository, self._graph, spec, tip)

    @parking()
    def update_workstream(self, spec: WorkstreamSpec, upstream: Sequence[WorkstreamSpec]) -> None:
        """Merge the integration tips of other workstreams into this one.

        Raises:
            MergeConflict: Names the workstreams and the files.
        """
        sharing = self._sharing()
        if sharing is not None:
            sharing.share(integration_branch(self._graph, spec.id))
        if not upstream:
            return
        repository = self._ready()
        branches = {lane.id: integration_branch(self._graph, lane.id) for lane in upstream}
        refs = repository.user_refs(*map(head_ref, branches.values()))
        if sharing is not None:
            for branch in branches.values():
                if head_ref(branch) in refs:
                    sharing.catch_up(branch)
            refs = repository.user_refs(*map(head_ref, branches.values()))
        for lane, branch in branches.items():
            if head_ref(branch) in refs:
                self._merge_lane(repository, spec, lane, refs[head_ref(branch)].sha)
        if sharing is not None:
            sharing.share(integration_branch(self._graph, spec.id))

    @parking()
    def publish(self, runtime: TaskRuntime) -> str | None:
        """Commit what was left and open the pull request; return its URL, or `None` when nothing changed.

        Raises:
            AgentFailure: Nothing changed and the task does not allow that, or the work cannot be merged.
        """
        return self._publisher(runtime).publish()

    @parking()
    def verify(self, runtime: TaskRuntime, pr_url: str | None) -> Evidence:
        """Give evidence for the task's work, and leave its worktree clean at the verified commit.

        Args:
            runtime: The task.
            pr_url: Its pull request, `None` for a task without one.

        Raises:
            ProtocolViolation: The pull request is not this task's, or the list of files that it made is malformed.
            AgentFailure: The work is no evidence: the branch is gone or rewritten, or holds what cannot be merged.
        """
        return self._publisher(runtime).verify(pr_url)

    @waits_for_others
    async def integrate(self, spec: WorkstreamSpec) -> str | None:
        """Open the workstream's integration pull request and, with ``auto_merge``, merge it; return its URL.

        Returns:
            The URL, `None` when the workstream holds nothing to integrate.

        Raises:
            Parked: A person must merge it; the message says what to type.
        """
        integrator = await finished(self._integrator)
        return await integrator.integrate(spec, self._checks(spec))

    @parking()
    def close_workstream(self, spec: WorkstreamSpec) -> None:
        """Remove the workstream's worktree; what is not safe elsewhere is saved first.

        Raises:
            Parked: Something cannot be saved, so it stays where it is.
        """
        repository = self._ready()
        with lock_of("workstream", repository.common, self._graph, spec.id):
            path = worktree_path(repository.root, self._graph, spec.id)
            owner = Owner(run=self._run.run_id, name=spec.id)
            close_worktree(repository, Worktree(repository=repository, path=path), owner)

    def _ready(self) -> Repository:
        if self._repository is not None:
            return self._repository
        path = self._run.repository
        assert path is not None
        object_format = check_repository(path, self._run.helper_fds)
        places = Places(path, self._graph, state_dir=self._run.state_dir, helper_fds=self._run.helper_fds)
        repository = places.repository(self._graph)
        with lock_of("repository", repository.common):
            if self._repository is None:
                set_up(repository, object_format)
                note_default(repository)
                hide(repository)
                self._repository = repository
        return repository

    @property
    def _is_local(self) -> bool:
        return choice_of(self._run).forge == "local"

    def _forges(self) -> Forge:
        self._ready()
        if self._forge is None:
            forge = forge_of(self._run)
            self._shared = forge if isinstance(forge, SharingForge) else None  # costs as much as to read ten refs
            self._forge = forge
        return self._forge

    def _sharing(self) -> SharingForge | None:
        """The forge, if it has a server."""
        if self._forge is None:
            self._ready()
            if self._is_local:  # which is not even loaded before the first pull request
                return None
            self._forges()
        return self._shared

    def _merge_lane(self, repository: Repository, spec: WorkstreamSpec, lane: str, head: str) -> None:
        take_over(repository, head)
        message = MergeMessage(
            subject=f"Merge workstream {lane} into {spec.id}",
            trailers={"Agentrelay-Run": self._run.run_id, "Agentrelay-Workstream": spec.id},
        )
        try:
            merge_commit(
                repository,
                integration_branch(self._graph, spec.id),
                head,
                message,
                head_name=integration_branch(self._graph, lane),
            )
        except MergeConflict as conflict:
            raise MergeConflict(
                f"the workstream {lane!r} cannot be merged into {spec.id!r}: {conflict.message}", conflict.files
            ) from conflict

    def _publisher(self, runtime: TaskRuntime) -> "Publisher":
        from agentrelay_git_gh.publishing import Publisher  # no agent is done before the first is at work

        return Publisher(
            repository=self._ready(),
            graph=self._graph,
            owner=Owner(
                run=self._run.run_id or runtime.run_id, name=runtime.task.id, attempt=runtime.state.attempt_num
            ),
            runtime=runtime,
            sharing=self._sharing(),
            forge=self._forges,
        )

    @parking()
    def _integrator(self) -> "Integrator":
        from agentrelay_git_gh.forges.integrating import Integrator  # likewise

        return Integrator(
            repository=self._ready(),
            graph=self._graph,
            run_id=self._run.run_id,
            forge=self._forges(),
            report=self._run.report,
        )

    def _checks(self, spec: WorkstreamSpec) -> Checks:
        return self._run.settings.checks if spec.checks is None else spec.checks
