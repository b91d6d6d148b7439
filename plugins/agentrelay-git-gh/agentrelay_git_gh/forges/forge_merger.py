"""The step that merges a task's pull request on a forge of another plugin, and sees that the work arrives here.

What such a forge does with a branch is its own affair; that the integration branch holds the work afterwards is ours.
"""

from pathlib import Path
from typing import Literal

from agentrelay_core.hooks import Forge, PullRequest
from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.runtime.no_room import parking
from agentrelay_git_gh.forges.of_run import settle
from agentrelay_git_gh.forges.verified import VerifiedWork, not_its_own, resumed_work, verified_work
from agentrelay_git_gh.git.merging import merge_commit
from agentrelay_git_gh.git.transfer import take_over
from agentrelay_git_gh.merged_file import write_if_missing, write_merged
from agentrelay_git_gh.names import head_ref
from agentrelay_git_gh.places import Places


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
        work = resumed_work(self._places, runtime)
        if work is None:
            return "absent"
        found = self._find(work)
        if found is None or found.state != "merged" or not _holds(work, found):
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
        work = verified_work(self._places, runtime)
        found = self._find(work)
        if found is None or found.url != pr_url:
            raise not_its_own(pr_url, work)
        settle(self._forge.merge(pr_url, work.head))
        if not _holds(work, self._find(work)):
            message = work.message(found.title)
            merge_commit(work.repository, work.target, work.head, message, head_name=work.branch, base=work.cut_from)
        write_merged(runtime)

    def _find(self, work: VerifiedWork) -> PullRequest | None:
        return settle(self._forge.find(work.branch, work.target))


def _holds(work: VerifiedWork, found: PullRequest | None) -> bool:
    """Whether the target holds the work here, or the commit that the forge calls its merge."""
    repository, target = work.repository, head_ref(work.target)
    ref = repository.user_refs(target).get(target)
    if ref is None:
        return False
    take_over(repository, ref.sha)
    merge = found.merge_sha if found is not None and found.state == "merged" else None
    wanted = (work.head, merge)
    return any(repository.has(sha) and repository.contains(ref.sha, sha) for sha in wanted if sha is not None)
