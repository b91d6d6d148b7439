"""The step that merges a task's pull request on GitHub, once it may be merged, pinned to the head that was verified."""

from pathlib import Path
from typing import Literal

from agentrelay_core.hooks import RunInfo
from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.runtime.no_room import parking
from agentrelay_core.spec import Deadlines, RunSettings
from agentrelay_core.task_runner import waits_for_others
from agentrelay_git_gh.failpoints import failpoint
from agentrelay_git_gh.finishing import finished
from agentrelay_git_gh.forges.verified import VerifiedWork, resumed_work, verified_work
from agentrelay_git_gh.git.merging import MergeMessage
from agentrelay_git_gh.github.forge import GitHubForge
from agentrelay_git_gh.merged_file import write_if_missing, write_merged
from agentrelay_git_gh.places import Places

_DEADLINES = Deadlines()


class GhTaskMerger:
    """Merges through `gh`.

    Args:
        repo_path: The user's repository.
        graph_name: The graph's name; default the runtime's.
        run_id: The run's id; default the runtime's.
        state_dir: The run's directory; default the usual one of the repository and the graph.
        helper_fds: Descriptors that the processes inherit; see `RunInfo`.
        forge: The run's forge; default one of its own, of the repository's remote.
    """

    def __init__(
        self,
        repo_path: Path,
        graph_name: str = "",
        *,
        run_id: str = "",
        state_dir: Path | None = None,
        helper_fds: tuple[int, ...] = (),
        forge: GitHubForge | None = None,
    ) -> None:
        self._path = Path(repo_path)
        self._places = Places(self._path, graph_name, run_id, state_dir, helper_fds)
        self._forge = forge

    @parking()
    def reconcile(self, runtime: TaskRuntime) -> Literal["absent", "present"]:
        """Whether the task's verified head is merged, by whomever; the local branch follows, and ``.merged`` is there.

        Raises:
            Parked: GitHub cannot be asked.
        """
        work = resumed_work(self._places, runtime)
        if work is None:
            return "absent"
        forge = self._forge_for(runtime)
        found = forge.find(work.branch, work.target)
        if found is None or found.head_sha != work.head or not forge.is_merged(found):
            return "absent"
        forge.catch_up(work.target)
        write_if_missing(self._places, runtime)
        failpoint("merge-noted")
        return "present"

    @waits_for_others
    async def merge_pr(self, runtime: TaskRuntime, pr_url: str) -> None:
        """Wait until the task's pull request may be merged, merge it, bring the merge here, and write ``.merged``.

        Raises:
            ProtocolViolation: The pull request is not the task's.
            MergeConflict: Names the files.
            AgentFailure: A check speaks against the work.
            Parked: A person must act.
        """

        def tell(state: str, detail: str) -> None:
            runtime.report("task_waiting_external", f"{state}: {detail}", {"state": state, "detail": detail})

        forge, work, message = await finished(self._identified, runtime, pr_url)
        await forge.land(
            pr_url,
            work.head,
            checks=forge.policy(work.target),
            tell=tell,
            deadline=(runtime.task.deadlines or _DEADLINES).wall,
            message=message,
        )
        await finished(self._take_in, runtime, forge, work.target)

    @parking()
    def _identified(self, runtime: TaskRuntime, pr_url: str) -> tuple[GitHubForge, VerifiedWork, MergeMessage]:
        work = verified_work(self._places, runtime)
        forge = self._forge_for(runtime)
        found = forge.identify(pr_url, work.branch, work.target)
        return forge, work, work.message(found.title)

    @parking()
    def _take_in(self, runtime: TaskRuntime, forge: GitHubForge, target: str) -> None:
        forge.follow(target)
        write_merged(runtime)
        failpoint("merge-noted")

    def _forge_for(self, runtime: TaskRuntime) -> GitHubForge:
        if self._forge is None:
            from agentrelay_git_gh import agentrelay_forges
            from agentrelay_git_gh.forges.of_run import github_forge

            repository, graph, run_id = self._places.of(runtime)
            self._forge = github_forge(
                RunInfo(
                    run_id=run_id,
                    graph_name=graph,
                    repository=self._path,
                    state_dir=repository.state_dir,
                    settings=RunSettings(forge="github"),
                    forges=tuple(agentrelay_forges()),
                    helper_fds=repository.helper_fds,
                )
            )
        return self._forge
