"""The step that merges a task's pull request on GitHub, once it may be merged, pinned to the head that was verified."""

from pathlib import Path
from typing import Literal

import attrs

from agentrelay_core.hooks import RunInfo
from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.runtime.no_room import parking
from agentrelay_core.spec import Deadlines, RunSettings
from agentrelay_core.task_runner import waits_for_others
from agentrelay_git_gh.commits import title_of
from agentrelay_git_gh.failpoints import failpoint
from agentrelay_git_gh.finishing import finished
from agentrelay_git_gh.github.forge import GitHubForge
from agentrelay_git_gh.merged_file import write_if_missing, write_merged
from agentrelay_git_gh.merging import MergeMessage
from agentrelay_git_gh.names import head_ref, verified_ref
from agentrelay_git_gh.places import Places, required
from agentrelay_git_gh.snapshot import Owner
from agentrelay_git_gh.transfer import bring

_DEADLINES = Deadlines()


@attrs.frozen(kw_only=True)
class _Subject:
    """What is to be merged."""

    forge: GitHubForge
    target: str
    head: str
    message: MergeMessage


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
        branch, target = runtime.state.branch_name, runtime.state.integration_branch
        if not runtime.resumed or branch is None or target is None:
            return "absent"
        repository, _, run = self._places.of(runtime)
        verified = verified_ref(run, runtime.task.id, runtime.state.attempt_num)
        head = repository.our_refs(verified).get(verified)
        if head is None:
            return "absent"
        forge = self._forge_for(runtime)
        found = forge.find(branch, target)
        if found is None or found.head_sha != head or not forge.is_merged(found):
            return "absent"
        forge.catch_up(target)
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

        subject = await finished(self._subject, runtime, pr_url)
        await subject.forge.land(
            pr_url,
            subject.head,
            checks=subject.forge.policy(subject.target),
            tell=tell,
            deadline=(runtime.task.deadlines or _DEADLINES).wall,
            message=subject.message,
        )
        await finished(self._take_in, runtime, subject)

    @parking()
    def _subject(self, runtime: TaskRuntime, pr_url: str) -> _Subject:
        branch = required(runtime.state.branch_name, "branch_name")
        target = required(runtime.state.integration_branch, "integration_branch")
        repository, _, run = self._places.of(runtime)
        forge = self._forge_for(runtime)
        found = forge.identify(pr_url, branch, target)
        owner = Owner(run=run, name=runtime.task.id, attempt=runtime.state.attempt_num)
        verified = verified_ref(run, owner.name, owner.attempt)
        head = repository.our_refs(verified).get(verified)
        if head is None:  # used without a workspace, so that nothing was verified: the branch's word is taken
            head = repository.user_refs(head_ref(branch))[head_ref(branch)].sha
            bring(repository, [head], repository.our_tips())
        title = found.title or title_of(runtime.task.description, runtime.task.id)
        return _Subject(
            forge=forge,
            target=target,
            head=head,
            message=MergeMessage(subject=f"{runtime.task.id}: {title}", trailers=owner.trailers()),
        )

    @parking()
    def _take_in(self, runtime: TaskRuntime, subject: _Subject) -> None:
        subject.forge.follow(subject.target)
        if runtime.state.signal_dir is not None:
            write_merged(runtime.state.signal_dir)
            failpoint("merge-noted")

    def _forge_for(self, runtime: TaskRuntime) -> GitHubForge:
        if self._forge is None:
            from agentrelay_git_gh import agentrelay_forges
            from agentrelay_git_gh.forges import github_forge

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
