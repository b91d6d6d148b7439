"""The step that merges a task's local pull request, pinned to the head that was verified."""

from pathlib import Path
from typing import Literal

from agentrelay_core.runtime import IntegrationBoundary, ProtocolViolation, TaskRuntime
from agentrelay_core.runtime.no_room import parking
from agentrelay_git_gh.commits import title_of
from agentrelay_git_gh.local_forge import LocalForge
from agentrelay_git_gh.merged_file import write_if_missing, write_merged
from agentrelay_git_gh.merging import MergeMessage
from agentrelay_git_gh.names import base_ref, head_ref, verified_ref
from agentrelay_git_gh.places import Places, required
from agentrelay_git_gh.snapshot import Owner
from agentrelay_git_gh.transfer import bring


class LocalTaskMerger:
    """Merges without a server.

    Args:
        repo_path: The user's repository.
        graph_name: The graph's name; default the runtime's.
        run_id: The run's id; default the runtime's.
        state_dir: The run's directory; default the usual one of the repository and the graph.
        helper_fds: Descriptors that git's processes inherit; see `RunInfo`.
    """

    def __init__(
        self,
        repo_path: Path,
        graph_name: str = "",
        *,
        run_id: str = "",
        state_dir: Path | None = None,
        helper_fds: tuple[int, ...] = (),
    ) -> None:
        self._places = Places(Path(repo_path), graph_name, run_id, state_dir, helper_fds)

    def reconcile(self, runtime: TaskRuntime) -> Literal["absent", "present"]:
        """Whether an earlier session of the run has merged the task's verified head; writes ``.merged`` if so."""
        branch, target = runtime.state.branch_name, runtime.state.integration_branch
        if not runtime.resumed or branch is None or target is None:
            return "absent"
        repository, graph, run = self._places.of(runtime)
        verified = verified_ref(run, runtime.task.id, runtime.state.attempt_num)
        head = repository.our_refs(verified).get(verified)
        forge = LocalForge(repository, graph)
        found = forge.find(branch, target)
        if found is None or head is None or found.head_sha != head or not forge.is_merged(found):
            return "absent"
        write_if_missing(self._places, runtime)
        return "present"

    @parking()
    def merge_pr(self, runtime: TaskRuntime, pr_url: str) -> None:
        """Merge the task's pull request into its integration branch, and write ``.merged``.

        Raises:
            ProtocolViolation: The pull request is not the task's.
            MergeConflict: Names the files.
            Parked: A person must act.
        """
        branch = required(runtime.state.branch_name, "branch_name")
        target = required(runtime.state.integration_branch, "integration_branch")
        repository, graph, run = self._places.of(runtime)
        forge = LocalForge(repository, graph)
        found = forge.find(branch, target)
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
            bring(repository, [head], repository.our_tips())
        title = found.title or title_of(runtime.task.description, runtime.task.id)
        forge.merge_verified(
            pr_url,
            head,
            MergeMessage(subject=f"{runtime.task.id}: {title}", trailers=owner.trailers()),
            known.get(base),
        )
        if runtime.state.signal_dir is not None:
            write_merged(runtime.state.signal_dir)
