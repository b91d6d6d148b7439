"""The step that merges a task's pull request on a forge of another plugin, and sees that the work arrives here.

What such a forge does with a branch is its own affair; that the integration branch holds the work afterwards is ours.
"""

from pathlib import Path
from typing import Literal

from agentrelay_core.hooks import Forge, PullRequest
from agentrelay_core.runtime import IntegrationBoundary, ProtocolViolation, TaskRuntime
from agentrelay_core.runtime.no_room import parking
from agentrelay_git_gh.commits import title_of
from agentrelay_git_gh.forges import settle
from agentrelay_git_gh.merged_file import write_if_missing, write_merged
from agentrelay_git_gh.merging import MergeMessage, merge_commit
from agentrelay_git_gh.names import base_ref, head_ref, verified_ref
from agentrelay_git_gh.places import Places, required
from agentrelay_git_gh.repository import Repository
from agentrelay_git_gh.snapshot import Owner
from agentrelay_git_gh.transfer import take_over


class ForgeTaskMerger:
    """Merges by a forge that is asked to, and by git where that leaves the integration branch behind.

    Args:
        repo_path: The user's repository.
        graph_name: The graph's name; default the runtime's.
        forge: The run's forge.
        run_id: The run's id; default the runtime's.
        state_dir: The run's directory; default the usual one of the repository and the graph.
        helper_fds: Descriptors that git's processes inherit; see `RunInfo`.
    """

    def __init__(
        self,
        repo_path: Path,
        graph_name: str = "",
        *,
        forge: Forge,
        run_id: str = "",
        state_dir: Path | None = None,
        helper_fds: tuple[int, ...] = (),
    ) -> None:
        self._places = Places(Path(repo_path), graph_name, run_id, state_dir, helper_fds)
        self._forge = forge

    @parking()
    def reconcile(self, runtime: TaskRuntime) -> Literal["absent", "present"]:
        """Whether an earlier session of the run has merged the task's verified head; writes ``.merged`` if so."""
        branch, target = runtime.state.branch_name, runtime.state.integration_branch
        if not runtime.resumed or branch is None or target is None:
            return "absent"
        repository, _, run = self._places.of(runtime)
        verified = verified_ref(run, runtime.task.id, runtime.state.attempt_num)
        head = repository.our_refs(verified).get(verified)
        found = self._find(branch, target)
        if head is None or found is None or found.state != "merged" or not _holds(repository, target, head, found):
            return "absent"
        write_if_missing(self._places, runtime)
        return "present"

    @parking()
    def merge_pr(self, runtime: TaskRuntime, pr_url: str) -> None:
        """Merge the task's pull request, have the merge in the integration branch, and write ``.merged``.

        Raises:
            ProtocolViolation: The pull request is not the task's.
            MergeConflict: Names the files.
            Parked: A person must act.
        """
        branch = required(runtime.state.branch_name, "branch_name")
        target = required(runtime.state.integration_branch, "integration_branch")
        repository, _, run = self._places.of(runtime)
        found = self._find(branch, target)
        if found is None or found.url != pr_url:
            raise ProtocolViolation(
                f"{pr_url} is not the pull request of {branch} into {target}", boundary=IntegrationBoundary.PULL_REQUEST
            )
        owner = Owner(run=run, name=runtime.task.id, attempt=runtime.state.attempt_num)
        verified, base = verified_ref(run, owner.name, owner.attempt), base_ref(run, branch)
        known = repository.our_refs(verified, base)
        head = known.get(verified)
        if head is None:  # used without a workspace, so that nothing was verified: the branch's word is taken
            head = repository.user_refs(head_ref(branch))[head_ref(branch)].sha
            take_over(repository, head)
        settle(self._forge.merge(pr_url, head))
        if not _holds(repository, target, head, self._find(branch, target)):
            title = found.title or title_of(runtime.task.description, runtime.task.id)
            message = MergeMessage(subject=f"{runtime.task.id}: {title}", trailers=owner.trailers())
            merge_commit(repository, target, head, message, head_name=branch, base=known.get(base))
        if runtime.state.signal_dir is not None:
            write_merged(runtime.state.signal_dir)

    def _find(self, branch: str, target: str) -> PullRequest | None:
        return settle(self._forge.find(branch, target))


def _holds(repository: Repository, target: str, head: str, found: PullRequest | None) -> bool:
    """Whether a branch of the user's repository holds the work, or the commit that the forge calls its merge."""
    ref = repository.user_refs(head_ref(target)).get(head_ref(target))
    if ref is None:
        return False
    take_over(repository, ref.sha)
    merge = found.merge_sha if found is not None and found.state == "merged" else None
    return any(repository.has(sha) and repository.contains(ref.sha, sha) for sha in (head, merge) if sha is not None)
