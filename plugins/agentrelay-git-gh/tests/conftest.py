"""A user's repository, runs in it, and fake agents: everything here is real git."""

import functools
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest
from agentrelay_git_gh.forges.local_merger import LocalTaskMerger
from agentrelay_git_gh.git.repository import Repository
from agentrelay_git_gh.names import integration_branch
from agentrelay_git_gh.places import Places
from agentrelay_git_gh.preparer import WorktreeTaskPreparer
from agentrelay_git_gh.remote.remotes import Remote
from agentrelay_git_gh.remote.sharing import SharedBranches
from agentrelay_git_gh.teardown import WorktreeTaskTeardown
from agentrelay_git_gh.workspace import GitWorkspace
from pytest_agentrelay.git import isolate

from agentrelay_core.hooks import ForgeProvider, RunInfo
from agentrelay_core.runtime import TaskRuntime, TaskStatus
from agentrelay_core.spec import RunSettings, Task, WorkstreamSpec

RUN = "20261123T090000Z-beef"
LANE = integration_branch("g", "default")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of whoever runs the tests takes part."""
    isolate(tmp_path, monkeypatch)


@attrs.frozen
class UserGit:
    """git as a user or an agent runs it."""

    path: Path

    def __call__(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(("git", *arguments), cwd=self.path, capture_output=True, check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"git {arguments}: {done.stderr.decode()}")
        return os.fsdecode(done.stdout).rstrip("\n")

    def write(self, **files: str) -> None:
        """Write files; ``__`` in a name is a dot, ``___`` a slash."""
        for name, content in files.items():
            target = self.path / name.replace("___", "/").replace("__", ".")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content)

    def commit(self, message: str = "change") -> str:
        """Commit everything; the new commit."""
        self("add", "-A")
        self("commit", "-q", "-m", message)
        return self("rev-parse", "HEAD")


@pytest.fixture
def user(tmp_path: Path) -> UserGit:
    """A repository with two commits, its main branch checked out."""
    path = tmp_path / "repository"
    path.mkdir()
    git = UserGit(path)
    git("init", "-q")
    git.write(README__md="hello\n", src___one__py="1\n")
    git.commit("first")
    git.write(src___two__py="2\n", __gitignore="*.log\nbuild/\n")
    git.commit("second")
    return git


@attrs.define
class Bench:
    """One run, its steps called in order as the runner does."""

    user: UserGit
    state: Path
    run_id: str = RUN
    graph: str = "g"
    forge: str = "auto"
    forges: tuple[ForgeProvider, ...] = ()
    settings: dict[str, object] = attrs.field(factory=dict)
    report: Callable[[str, str], None] | None = None

    @property
    def run(self) -> RunInfo:
        """What the orchestrator hands to factories."""
        return RunInfo(
            run_id=self.run_id,
            graph_name=self.graph,
            repository=self.user.path,
            state_dir=self.state,
            settings=RunSettings(forge=self.forge, **self.settings),
            forges=self.forges,
            report=self.report,
        )

    def workspace(self) -> GitWorkspace:
        return GitWorkspace(self.run)

    def runtime(
        self,
        task: Task,
        attempt: int = 0,
        spec: WorkstreamSpec | None = None,
        workspace: GitWorkspace | None = None,
    ) -> TaskRuntime:
        """A task of an opened workstream, running."""
        runtime = TaskRuntime(task, run_id=self.run_id, graph_name=self.graph)
        opened = (workspace or self.workspace()).open_workstream(spec or WorkstreamSpec(id=task.workstream_id))
        runtime.state.integration_branch, runtime.state.workstream_worktree_path = opened
        runtime.state.attempt_num = attempt
        runtime.state.transition(TaskStatus.RUNNING)
        return runtime

    def prepare(self, runtime: TaskRuntime) -> UserGit:
        """Prepare a task; git in its worktree, as its agent has it."""
        preparer = WorktreeTaskPreparer(self.user.path, self.graph, run_id=self.run_id, state_dir=self.state)
        preparer.prepare(runtime)
        assert runtime.state.worktree_path is not None
        return UserGit(runtime.state.worktree_path)

    def merge(self, runtime: TaskRuntime, url: str) -> None:
        LocalTaskMerger(self.user.path, self.graph, run_id=self.run_id, state_dir=self.state).merge_pr(runtime, url)

    async def teardown(self, runtime: TaskRuntime) -> None:
        step = WorktreeTaskTeardown(self.user.path, graph_name=self.graph, run_id=self.run_id, state_dir=self.state)
        await step.teardown(runtime)

    async def whole_life(self, task: Task, work: Callable[[UserGit], object], attempt: int = 0) -> TaskRuntime:
        """Take a task from prepare to teardown, with ``work`` as its agent."""
        runtime = self.runtime(task, attempt)
        work(self.prepare(runtime))
        workspace = self.workspace()
        url = workspace.publish(runtime)
        assert url is not None
        workspace.verify(runtime, url)
        runtime.artifacts.pr_url = url
        runtime.state.transition(TaskStatus.PR_CREATED)
        self.merge(runtime, url)
        runtime.state.transition(TaskStatus.PR_MERGED)
        await self.teardown(runtime)
        return runtime


@pytest.fixture
def bench(user: UserGit, tmp_path: Path) -> Bench:
    """A run in the user's repository."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    return Bench(user, state)


@attrs.frozen(kw_only=True)
class RemotePlaces:
    """A remote, and someone else's clone of it.

    Args:
        bench: A run whose workstream ``default`` is open.
        bare: The remote's repository.
        other: Somebody else's clone.
        branches: Ours.
    """

    bench: Bench
    bare: UserGit
    other: UserGit
    branches: SharedBranches

    @property
    def remote(self) -> Remote:
        return self.branches.remote

    @property
    def repository(self) -> Repository:
        return self.branches.repository

    def there(self, branch: str = LANE) -> str:
        """Where a branch stands on the remote; empty where it is not there."""
        return self.bare("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")

    def here(self, branch: str = LANE) -> str:
        """Where it stands in the user's repository."""
        return self.bench.user("rev-parse", branch)

    def push_other(self, file: str, branch: str = LANE, text: str = "theirs\n") -> str:
        """Let somebody else push a commit to a branch that is there; the commit."""
        self.other("fetch", "-q", "origin", branch)
        self.other("checkout", "-q", "--detach", "FETCH_HEAD")
        (self.other.path / file).write_text(text)
        commit = self.other.commit(f"add {file}")
        self.other("push", "-q", "origin", f"HEAD:refs/heads/{branch}")
        return commit

    def commit_here(self, file: str, branch: str = LANE, text: str = "ours\n") -> str:
        """Put a commit on a branch of the user's repository, as a merge of ours does; the commit."""
        user, old = self.bench.user, self.here(branch)
        user("checkout", "-q", "--detach", old)
        (user.path / file).write_text(text)
        commit = user.commit(f"add {file}")
        user("checkout", "-q", "main")
        user("update-ref", f"refs/heads/{branch}", commit, old)
        return commit


def _remote_places(
    bench: Bench, root: Path, *, url: str | None = None, pause: Callable[[float], None] | None = None
) -> RemotePlaces:
    """Make a remote with the user's ``main`` on it, and open the workstream ``default``."""
    bare = UserGit(root / "remote.git")
    bare.path.mkdir()
    bare("init", "-q", "--bare")
    bench.user("push", "-q", str(bare.path), "main")
    other = UserGit(root / "other")
    other.path.mkdir()
    other("init", "-q")
    other("remote", "add", "origin", str(bare.path))
    bench.workspace().open_workstream(WorkstreamSpec(id="default"))
    repository = Places(bench.user.path, bench.graph, state_dir=bench.state).repository(bench.graph)
    pausing = {} if pause is None else {"pause": pause}
    remote = Remote(repository=repository, url=url or str(bare.path), **pausing)
    branches = SharedBranches(repository=repository, remote=remote)
    return RemotePlaces(bench=bench, bare=bare, other=other, branches=branches)


@pytest.fixture
def places(bench: Bench, tmp_path: Path) -> RemotePlaces:
    """A remote, somebody else's clone of it, and a run whose workstream is open."""
    return _remote_places(bench, tmp_path)


@pytest.fixture
def places_of(bench: Bench, tmp_path: Path) -> Callable[..., RemotePlaces]:
    """Makes the same with another address, or another way to wait."""
    return functools.partial(_remote_places, bench, tmp_path)
