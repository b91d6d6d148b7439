"""git worktrees and pull requests, local ones and on GitHub, for agentrelay, declared as a plugin.

Nothing is imported before it is needed: asking what this plugin provides costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentrelay_core.hooks import ForgeProvider, Provider, WorkspaceProvider, hookimpl
from agentrelay_core.lazy import lazy_names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from agentrelay_core.hooks import Forge, RunInfo, StepContext
    from agentrelay_core.hooks.doctor import Finding
    from agentrelay_core.spec import RunSettings
    from agentrelay_core.task_runner import TaskMerger, TaskPreparer, TaskTeardown, Workspace
    from agentrelay_git_gh.forges.local_forge import LocalForge as LocalForge
    from agentrelay_git_gh.forges.local_merger import LocalTaskMerger as LocalTaskMerger
    from agentrelay_git_gh.github.forge import GitHubForge as GitHubForge
    from agentrelay_git_gh.github.merger import GhTaskMerger as GhTaskMerger
    from agentrelay_git_gh.preparer import WorktreeTaskPreparer as WorktreeTaskPreparer
    from agentrelay_git_gh.teardown import WorktreeTaskTeardown as WorktreeTaskTeardown
    from agentrelay_git_gh.workspace import GitWorkspace as GitWorkspace

# The steps, for those who build a runner by hand.
__getattr__, __all__ = lazy_names(
    __name__,
    {
        "agentrelay_git_gh.github.forge": "GitHubForge",
        "agentrelay_git_gh.github.merger": "GhTaskMerger",
        "agentrelay_git_gh.forges.local_forge": "LocalForge",
        "agentrelay_git_gh.forges.local_merger": "LocalTaskMerger",
        "agentrelay_git_gh.preparer": "WorktreeTaskPreparer",
        "agentrelay_git_gh.teardown": "WorktreeTaskTeardown",
        "agentrelay_git_gh.workspace": "GitWorkspace",
    },
)

_NEEDS = ("git",)


@hookimpl
def agentrelay_workspace() -> Iterable[WorkspaceProvider]:
    """The git repository of a run."""
    yield WorkspaceProvider(name="git", factory=_workspace, needs=_NEEDS, honours=("pr", "merge_method", "checks"))


@hookimpl
def agentrelay_task_preparer() -> Iterable[Provider[TaskPreparer]]:
    """A branch in the worktree of the task's workstream."""
    yield Provider(factory=_preparer, needs=_NEEDS)


@hookimpl
def agentrelay_task_merger() -> Iterable[Provider[TaskMerger]]:
    """Merging without a checkout."""
    yield Provider(factory=_merger, needs=_NEEDS)


@hookimpl
def agentrelay_task_teardown() -> Iterable[Provider[TaskTeardown]]:
    """The end of the agent, and of a branch that is not needed any more."""
    yield Provider(factory=_teardown, needs=_NEEDS)


@hookimpl
def agentrelay_forges() -> Iterable[ForgeProvider]:
    """Pull requests without a server, and on GitHub."""
    yield ForgeProvider(
        name="local", recognises=_recognises_nothing, factory=_local_forge, needs=_NEEDS, findings=_local_findings
    )
    yield ForgeProvider(
        name="github",
        recognises=_is_on_github,
        factory=_github_forge,
        needs=("git", "gh"),
        findings=_github_findings,
        has_server=True,
    )


def _workspace(run: RunInfo) -> Workspace:
    from agentrelay_git_gh.workspace import GitWorkspace

    return GitWorkspace(run)


def _preparer(context: StepContext) -> TaskPreparer:
    from agentrelay_git_gh.preparer import WorktreeTaskPreparer

    run = context.run
    return WorktreeTaskPreparer(
        _repository(run),
        run.graph_name,
        run.dependency_descriptions.get(context.runtime.task.id, {}),
        run_id=run.run_id,
        state_dir=run.state_dir,
        helper_fds=run.helper_fds,
        may_open=run.settings.pr != "orchestrator",
    )


def _merger(context: StepContext) -> TaskMerger:
    from agentrelay_git_gh.forges.of_run import choice_of, forge_of

    run = context.run
    chosen = choice_of(run).forge
    if chosen not in ("local", "github"):
        from agentrelay_git_gh.forges.forge_merger import ForgeTaskMerger

        return ForgeTaskMerger(
            _repository(run),
            run.graph_name,
            forge=forge_of(run),
            run_id=run.run_id,
            state_dir=run.state_dir,
            helper_fds=run.helper_fds,
        )
    if chosen == "github":
        from agentrelay_git_gh.github.forge import GitHubForge
        from agentrelay_git_gh.github.merger import GhTaskMerger

        forge = forge_of(run)
        assert isinstance(forge, GitHubForge)
        return GhTaskMerger(
            _repository(run),
            run.graph_name,
            run_id=run.run_id,
            state_dir=run.state_dir,
            helper_fds=run.helper_fds,
            forge=forge,
        )
    from agentrelay_git_gh.forges.local_merger import LocalTaskMerger

    return LocalTaskMerger(
        _repository(run),
        run.graph_name,
        run_id=run.run_id,
        state_dir=run.state_dir,
        helper_fds=run.helper_fds,
    )


def _teardown(context: StepContext) -> TaskTeardown:
    from agentrelay_git_gh.teardown import WorktreeTaskTeardown

    run = context.run
    return WorktreeTaskTeardown(
        _repository(run),
        run.settings.keep_panes,
        graph_name=run.graph_name,
        run_id=run.run_id,
        state_dir=run.state_dir,
        helper_fds=run.helper_fds,
    )


def _local_forge(run: RunInfo) -> Forge:
    from agentrelay_git_gh.forges.of_run import local_forge

    return local_forge(run)


def _github_forge(run: RunInfo) -> Forge:
    from agentrelay_git_gh.forges.of_run import github_forge

    return github_forge(run)


def _is_on_github(remote_url: str) -> bool:
    from agentrelay_git_gh.github.sites import recognises

    return recognises(remote_url)


def _recognises_nothing(remote_url: str) -> bool:
    return False  # chosen by name, and where no other forge recognises the remote


def _local_findings(repository: Path, settings: RunSettings) -> Iterable[Finding]:
    from agentrelay_core.hooks.doctor import Finding
    from agentrelay_git_gh.forges.sharing_forge import local_problems
    from agentrelay_git_gh.refusing import parted

    # With `auto`, the forge that would be chosen otherwise says so, and what then stands against this one.
    for problem in local_problems(settings) if settings.forge == "local" else ():
        message, mend = parted(problem)
        yield Finding(level="error", subject="local", message=message, mend=mend)


def _github_findings(repository: Path, settings: RunSettings) -> Iterable[Finding]:
    from agentrelay_git_gh.github.doctor import findings

    return findings(repository, settings)


def _repository(run: RunInfo) -> Path:
    from agentrelay_core.runtime import UserError

    if run.repository is None:
        raise UserError("agentrelay-git-gh works in a git repository, and this run has none; give it one")
    return run.repository
