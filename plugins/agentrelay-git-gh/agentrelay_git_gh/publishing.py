"""From an agent that is done to its pull request, and to the evidence by which it may be merged."""

from collections.abc import Callable

import attrs

from agentrelay_core.hooks import Forge, PullRequest
from agentrelay_core.runtime import AgentFailure, IntegrationBoundary, ProtocolViolation, TaskRuntime
from agentrelay_core.task_runner import Evidence
from agentrelay_git_gh.attempts import Attempt
from agentrelay_git_gh.collecting import Collector
from agentrelay_git_gh.forges.bodies import task_body
from agentrelay_git_gh.forges.of_run import settle
from agentrelay_git_gh.forges.sharing_forge import SharingForge, check_shared
from agentrelay_git_gh.git.commits import title_of
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.handed_on import keep_outputs
from agentrelay_git_gh.names import is_first, verified_ref
from agentrelay_git_gh.places import required
from agentrelay_git_gh.worktrees.snapshot import Owner


@attrs.frozen(kw_only=True, eq=False)
class Publisher:
    """Publishes and judges one task's work.

    Args:
        repository: Both repositories.
        graph: The graph's name.
        owner: The task and the attempt.
        runtime: The task.
        sharing: The run's forge, if it has a server.
        forge: Gives the run's forge, whichever it is.
    """

    repository: Repository
    graph: str
    owner: Owner
    runtime: TaskRuntime
    sharing: SharingForge | None
    forge: Callable[[], Forge]

    def publish(self) -> str | None:
        """Do what `GitWorkspace.publish` says."""
        runtime, sharing = self.runtime, self.sharing
        state, task = runtime.state, runtime.task
        branch = required(state.branch_name, "branch_name")
        target = required(state.integration_branch, "integration_branch")
        work = self._collector().collect(commit_leftovers=True)
        runtime.artifacts.work_kept = True
        if not work.changed:
            if task.allow_no_changes:
                return None
            raise AgentFailure(
                f"the agent changed nothing: {branch} is as it was cut from {target}, and {state.worktree_path} is "
                "clean; if that is right for this task, say `allow_no_changes: true`",
                boundary=IntegrationBoundary.PULL_REQUEST,
            )
        forge = self.forge()
        if sharing is not None:
            found = settle(forge.find(branch, target)) if runtime.resumed else None
            if found is not None and found.state == "merged":  # since we were killed, by a person
                merged = found.head_sha
                if merged in (work.tip, sharing.ahead(branch, work.tip)):
                    return found.url
            sharing.ensure(target)
            sharing.deliver(branch, work.tip)
        title = title_of(task.description, task.id)
        opened = settle(forge.open(branch, target, title, task_body(runtime, self.owner)))
        return opened.url

    def verify(self, pr_url: str | None) -> Evidence:
        """Do what `GitWorkspace.verify` says."""
        signal_dir, owner, collector = self.runtime.state.signal_dir, self.owner, self._collector()
        work = collector.collect(commit_leftovers=pr_url is None)
        if pr_url is not None:
            pushed = self._check_pull_request(pr_url, work.tip)
            if pushed != work.tip:
                work = collector.advance(work, pushed)
        if signal_dir is not None:
            keep_outputs(Attempt(repository=self.repository, graph=self.graph, owner=owner, signal_dir=signal_dir))
        self.repository.set_ours({verified_ref(owner.run, owner.name, owner.attempt): work.tip})
        return Evidence(head=work.tip, base=work.base, changed=work.changed)

    def _collector(self) -> Collector:
        return Collector(repository=self.repository, runtime=self.runtime, owner=self.owner)

    def _check_pull_request(self, url: str, tip: str) -> str:
        """Check that it is the task's; the commit to verify, which on a server may be on top of what is here."""
        runtime, sharing = self.runtime, self.sharing
        branch, target = runtime.state.branch_name or "", runtime.state.integration_branch or ""
        if sharing is not None:
            pushed = check_shared(sharing, url, branch, target, tip)
            problem = None if is_first(branch) else sharing.close_earlier(branch, target, url)
            if problem is not None:
                runtime.artifacts.concerns.append(problem)
            return pushed
        found: PullRequest | None = settle(self.forge().find(branch, target))
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
