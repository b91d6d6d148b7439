"""What the mergers have in common: the commit of a task that was verified, and what its merge says."""

import attrs

from agentrelay_core.runtime import IntegrationBoundary, ProtocolViolation, TaskRuntime
from agentrelay_git_gh.git.commits import title_of
from agentrelay_git_gh.git.merging import MergeMessage
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.git.transfer import bring
from agentrelay_git_gh.names import base_ref, head_ref, verified_ref
from agentrelay_git_gh.places import Places, required
from agentrelay_git_gh.worktrees.snapshot import Owner


@attrs.frozen(kw_only=True)
class VerifiedWork:
    """A task's work as it is to be merged.

    Args:
        repository: Both repositories.
        graph: The graph's name.
        branch: The task's branch.
        target: The integration branch.
        head: The commit to merge, full hash.
        cut_from: What the branch was cut from, where known, full hash.
        owner: The task and the attempt.
        description: What the task says of itself.
    """

    repository: Repository
    graph: str
    branch: str
    target: str
    head: str
    cut_from: str | None
    owner: Owner
    description: str | None

    def message(self, title: str) -> MergeMessage:
        """What the merge commit says.

        Args:
            title: The pull request's title; an empty one is made up for.
        """
        subject = f"{self.owner.name}: {title or title_of(self.description, self.owner.name)}"
        return MergeMessage(subject=subject, trailers=self.owner.trailers())


def verified_work(places: Places, runtime: TaskRuntime) -> VerifiedWork:
    """The work of a task that is to be merged; where nothing was verified, its branch's word is taken.

    Args:
        places: Where the step works.
        runtime: The task, with its branches' names.

    Raises:
        ValueError: A branch's name is not set.
    """
    branch = required(runtime.state.branch_name, "branch_name")
    target = required(runtime.state.integration_branch, "integration_branch")
    found = _work(places, runtime, branch, target)
    if found.head:
        return found
    repository = found.repository
    head = repository.user_refs(head_ref(branch))[head_ref(branch)].sha
    bring(repository, [head], repository.our_tips())
    return attrs.evolve(found, head=head)


def resumed_work(places: Places, runtime: TaskRuntime) -> VerifiedWork | None:
    """The work that an earlier session of the run verified, and may have merged; `None` where it came not so far.

    Args:
        places: Where the step works.
        runtime: The task.
    """
    branch, target = runtime.state.branch_name, runtime.state.integration_branch
    if not runtime.resumed or branch is None or target is None:
        return None
    found = _work(places, runtime, branch, target)
    return found if found.head else None


def not_its_own(url: str, work: VerifiedWork) -> ProtocolViolation:
    """That a pull request is not the task's."""
    return ProtocolViolation(
        f"{url} is not the pull request of {work.branch} into {work.target}", boundary=IntegrationBoundary.PULL_REQUEST
    )


def _work(places: Places, runtime: TaskRuntime, branch: str, target: str) -> VerifiedWork:
    """The work as it is noted, with an empty head where nothing was verified."""
    repository, graph, run = places.of(runtime)
    owner = Owner(run=run, name=runtime.task.id, attempt=runtime.state.attempt_num)
    verified, base = verified_ref(run, owner.name, owner.attempt), base_ref(run, branch)
    known = repository.our_refs(verified, base)
    return VerifiedWork(
        repository=repository,
        graph=graph,
        branch=branch,
        target=target,
        head=known.get(verified, ""),
        cut_from=known.get(base),
        owner=owner,
        description=runtime.task.description,
    )
