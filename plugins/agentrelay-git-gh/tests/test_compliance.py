"""This plugin's steps keep what every plugin's have to keep, with local pull requests in a real repository."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
from agentrelay_git_gh.forges.of_run import local_forge
from pytest_agentrelay.compliance import ForgeCompliance, MergerCompliance, PreparerCompliance, TeardownCompliance
from pytest_agentrelay.compliance.repositories import finished, git

from agentrelay_core.hooks import ForgeProvider, RunInfo, hookimpl
from agentrelay_core.runtime import TaskRuntime

PLUGIN = "agentrelay_git_gh"
OPTIONS = {"command": "true"}


class TestWorktreeTaskPreparer(PreparerCompliance):
    """The preparer."""

    plugin = PLUGIN
    options = OPTIONS
    capabilities = frozenset({"resumable"})


class TestLocalTaskMerger(MergerCompliance):
    """The merger of local pull requests."""

    plugin = PLUGIN
    options = OPTIONS
    capabilities = frozenset({"resumable"})

    def open_pull_request(self, runtime: TaskRuntime) -> str:
        worktree = runtime.state.worktree_path
        assert worktree is not None
        (worktree / f"{runtime.task.id}.txt").write_text("work\n")
        workspace: Any = self.catalog.workspace(self.make_run())
        url = finished(workspace.publish, runtime)
        finished(workspace.verify, runtime, url)
        return str(url)

    def was_merged(self, runtime: TaskRuntime, url: str) -> int:
        assert self.repository is not None
        branch = str(runtime.state.integration_branch)
        merges = git(self.repository, "log", "--merges", "--format=%(trailers:key=Agentrelay-Task,valueonly)", branch)
        return merges.split().count(runtime.task.id)


class Elsewhere:
    """A plugin with a forge that merges in the repository, as another distribution may have one."""

    @hookimpl
    def agentrelay_forges(self) -> Iterator[ForgeProvider]:
        yield ForgeProvider(name="elsewhere", recognises=lambda url: False, factory=local_forge)


class TestForgeTaskMerger(TestLocalTaskMerger):
    """The merger of pull requests on a forge of another plugin."""

    companions = (Elsewhere(),)

    def make_run(self) -> RunInfo:
        run = super().make_run()
        settings = attrs.evolve(run.settings, forge="elsewhere")
        return attrs.evolve(run, forges=self.catalog.forges, settings=settings)

    def was_merged(self, runtime: TaskRuntime, url: str) -> int:
        assert self.repository is not None
        head = git(self.repository, "rev-parse", str(runtime.state.branch_name))
        merges = git(self.repository, "log", "--merges", "--format=%P", str(runtime.state.integration_branch))
        return [line.split()[1] for line in merges.splitlines()].count(head)


class TestWorktreeTaskTeardown(TeardownCompliance):
    """The teardown."""

    plugin = PLUGIN
    options = OPTIONS


class TestLocalForge(ForgeCompliance):
    """Pull requests without a server."""

    plugin = PLUGIN
    forge = "local"


def test_the_steps_are_the_plugins_own(tmp_path: Path) -> None:
    """What these classes judge is made by this plugin's factories, not by another's."""
    for judge, name in (
        (TestWorktreeTaskPreparer(), "WorktreeTaskPreparer"),
        (TestLocalTaskMerger(), "LocalTaskMerger"),
        (TestForgeTaskMerger(), "ForgeTaskMerger"),
        (TestWorktreeTaskTeardown(), "WorktreeTaskTeardown"),
    ):
        judge.place = tmp_path / name
        judge.place.mkdir()
        runtime = judge.make_runtime()
        assert type(judge.make_step(judge.make_context(runtime))).__name__ == name
