"""The git workspace of a run: where its work lives and flows together."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agentrelay_core.hooks import Forge, PullRequest, RunInfo
from agentrelay_core.runtime import (
    AgentFailure,
    IntegrationBoundary,
    ProtocolViolation,
    TaskRuntime,
    UserError,
)
from agentrelay_core.runtime.no_room import parking
from agentrelay_core.spec import RunSettings, WorkstreamSpec
from agentrelay_core.task_runner import Evidence, waits_for_others
from agentrelay_git_gh.attempts import Attempt
from agentrelay_git_gh.defaults import note_default
from agentrelay_git_gh.finishing import finished
from agentrelay_git_gh.forges.bodies import task_body
from agentrelay_git_gh.forges.integrating import Integrator
from agentrelay_git_gh.forges.of_run import choice_of, forge_of, settle
from agentrelay_git_gh.forges.sharing_forge import Checks, SharingForge, check_shared, local_problems
from agentrelay_git_gh.git.commits import title_of
from agentrelay_git_gh.git.merging import MergeConflict, MergeMessage, merge_commit
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.git.setup import hide, set_up
from agentrelay_git_gh.git.transfer import take_over
from agentrelay_git_gh.handed_on import keep_outputs
from agentrelay_git_gh.locks import lock_of
from agentrelay_git_gh.names import head_ref, integration_branch, is_first, verified_ref, worktree_path
from agentrelay_git_gh.places import Places, required
from agentrelay_git_gh.preflight import check_repository
from agentrelay_git_gh.publication import Collector
from agentrelay_git_gh.refusing import refuse
from agentrelay_git_gh.worktrees.closing import close_worktree
from agentrelay_git_gh.worktrees.opening import open_branch, open_worktree
from agentrelay_git_gh.worktrees.snapshot import Owner
from agentrelay_git_gh.worktrees.worktree import Worktree

if TYPE_CHECKING:
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
        repository = self._ready()
        state, task = runtime.state, runtime.task
        branch = required(state.branch_name, "branch_name")
        target = required(state.integration_branch, "integration_branch")
        owner = self._owner(runtime)
        work = Collector(repository=repository, runtime=runtime, owner=owner).collect(commit_leftovers=True)
        runtime.artifacts.work_kept = True
        if not work.changed:
            if task.allow_no_changes:
                return None
            raise AgentFailure(
                f"the agent changed nothing: {branch} is as it was cut from {target}, and {state.worktree_path} is "
                "clean; if that is right for this task, say `allow_no_changes: true`",
                boundary=IntegrationBoundary.PULL_REQUEST,
            )
        sharing, forge = self._sharing(), self._forges()
        if sharing is not None:
            found = settle(forge.find(branch, target)) if runtime.resumed else None
            if found is not None and found.state == "merged":  # since we were killed, by a person
                merged = found.head_sha
                if merged in (work.tip, sharing.ahead(branch, work.tip)):
                    return found.url
            sharing.ensure(target)
            sharing.deliver(branch, work.tip)
        title = title_of(task.description, task.id)
        opened = settle(forge.open(branch, target, title, task_body(runtime, owner)))
        return opened.url

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
        repository = self._ready()
        owner = self._owner(runtime)
        collector = Collector(repository=repository, runtime=runtime, owner=owner)
        work = collector.collect(commit_leftovers=pr_url is None)
        if pr_url is not None:
            pushed = self._check_pull_request(runtime, pr_url, work.tip)
            if pushed != work.tip:
                work = collector.advance(work, pushed)
        if runtime.state.signal_dir is not None:
            keep_outputs(
                Attempt(repository=repository, graph=self._graph, owner=owner, signal_dir=runtime.state.signal_dir)
            )
        repository.set_ours({verified_ref(owner.run, owner.name, owner.attempt): work.tip})
        return Evidence(head=work.tip, base=work.base, changed=work.changed)

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

    def _owner(self, runtime: TaskRuntime) -> Owner:
        return Owner(run=self._run.run_id or runtime.run_id, name=runtime.task.id, attempt=runtime.state.attempt_num)

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

    def _check_pull_request(self, runtime: TaskRuntime, url: str, tip: str) -> str:
        """Check that it is the task's; the commit to verify, which on a server may be on top of what is here."""
        branch, target = runtime.state.branch_name or "", runtime.state.integration_branch or ""
        sharing = self._sharing()
        if sharing is not None:
            pushed = check_shared(sharing, url, branch, target, tip)
            problem = None if is_first(branch) else sharing.close_earlier(branch, target, url)
            if problem is not None:
                runtime.artifacts.concerns.append(problem)
            return pushed
        found: PullRequest | None = settle(self._forges().find(branch, target))
        if found is None or found.url != url:
            there = found.url if found is not None else "none"
            raise ProtocolViolation(
                f"{url} is not the pull request of {branch} into {target}; that is {there}",
                boundary=IntegrationBoundary.PULL_REQUEST,
            )
        if found.state == "open" and found.head_sha not in (None, tip):
            raise AgentFailure(
                f"{url} stands at {found.head_sha}, and {branch} at {tip}; push the branch, then signal again",
                boundary=IntegrationBoundary.PULL_REQUEST,
            )
        return tip

    @parking()
    def _integrator(self) -> Integrator:
        return Integrator(
            repository=self._ready(),
            graph=self._graph,
            run_id=self._run.run_id,
            forge=self._forges(),
            report=self._run.report,
        )

    def _checks(self, spec: WorkstreamSpec) -> Checks:
        return self._run.settings.checks if spec.checks is None else spec.checks
