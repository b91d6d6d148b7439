"""The step that merges a task's local pull request, pinned to the head that was verified."""

from pathlib import Path
from typing import Literal

from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.runtime.no_room import parking
from agentrelay_git_gh.forges.local_forge import LocalForge
from agentrelay_git_gh.forges.verified import not_its_own, resumed_work, verified_work
from agentrelay_git_gh.merged_file import write_if_missing, write_merged
from agentrelay_git_gh.places import Places


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
        work = resumed_work(self._places, runtime)
        if work is None:
            return "absent"
        forge = LocalForge(work.repository, work.graph)
        found = forge.find(work.branch, work.target)
        if found is None or found.head_sha != work.head or not forge.is_merged(found):
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
        work = verified_work(self._places, runtime)
        forge = LocalForge(work.repository, work.graph)
        found = forge.find(work.branch, work.target)
        if found is None or found.url != pr_url:
            raise not_its_own(pr_url, work)
        forge.merge_verified(pr_url, work.head, work.message(found.title), work.cut_from)
        write_merged(runtime)
