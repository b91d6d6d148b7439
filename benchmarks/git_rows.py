"""What our git costs for a task besides the checkout, and what a merge costs in small and large repositories."""

import asyncio
import contextlib
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import attrs
from agentrelay_git_gh.forges.local_merger import LocalTaskMerger
from agentrelay_git_gh.git.trusted import Git
from agentrelay_git_gh.preparer import WorktreeTaskPreparer
from agentrelay_git_gh.teardown import WorktreeTaskTeardown
from agentrelay_git_gh.workspace import GitWorkspace
from agentrelay_git_gh.worktrees.worktree import Worktree
from command_rows import environment, make_repository
from measuring import TIMES, Figure, Options, middle, ratio, short

from agentrelay_core import RunInfo, RunSettings, Task, TaskRuntime, TaskStatus
from agentrelay_core.spec import WorkstreamSpec

RUN = "20260101T000000Z-beef"
GRAPH = "benchmark"


def used() -> float:
    """CPU seconds of this process and of the children that it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@attrs.define
class Tally:
    """What a task cost: git's processes and CPU seconds, of which our own process and the checkout are parts."""

    processes: int = 0
    total: float = 0.0
    own: float = 0.0
    checkout: float = 0.0
    merge: float = 0.0

    @property
    def besides(self) -> float:
        """All that is not checkout."""
        return self.total - self.checkout


@contextlib.contextmanager
def counting(tally: Tally) -> Iterator[None]:
    """Count git's processes meanwhile, and the time of checkouts."""
    run, fill = Git.run, Worktree.fill

    def counted(self: Git, *arguments: str, **more: Any) -> Any:
        tally.processes += 1
        return run(self, *arguments, **more)

    def timed(self: Worktree, *arguments: Any) -> None:
        began = used()
        fill(self, *arguments)
        tally.checkout += used() - began

    with patch.object(Git, "run", counted), patch.object(Worktree, "fill", timed):
        yield


class Repository:
    """A user's repository with an opened workstream.

    Args:
        root: An empty directory for it and the run's state.
        files: Number of files in it.
    """

    def __init__(self, root: Path, files: int) -> None:
        self.path, self.state = root / "repository", root / "state"
        self.state.mkdir(parents=True, mode=0o700)
        make_repository(self.path, environment(root), files)
        run = RunInfo(
            run_id=RUN,
            graph_name=GRAPH,
            repository=self.path,
            state_dir=self.state,
            settings=RunSettings(),
        )
        self.workspace = GitWorkspace(run)
        self.lane = self.workspace.open_workstream(WorkstreamSpec(id="default"))
        self.tasks = 0
        self.loop = asyncio.Runner()  # one for all tasks, as in a run

    def move_target(self) -> None:
        """Let somebody else commit on the integration branch."""
        branch = self.lane[0]
        tree = subprocess.check_output(("git", "rev-parse", f"{branch}^{{tree}}"), cwd=self.path, text=True).strip()
        commit = ("git", "commit-tree", tree, "-p", branch, "-m", "meanwhile")
        sha = subprocess.check_output(commit, cwd=self.path, text=True).strip()
        subprocess.run(("git", "update-ref", f"refs/heads/{branch}", sha), cwd=self.path, check=True)

    def task(self, *, moved: bool = False) -> Tally:
        """Take a task from prepare to teardown; with ``moved``, its target has moved on before it is merged."""
        self.tasks += 1
        runtime = TaskRuntime(Task(id=f"t{self.tasks}", description="Do it."), run_id=RUN, graph_name=GRAPH)
        runtime.state.integration_branch, runtime.state.workstream_worktree_path = self.lane
        runtime.state.transition(TaskStatus.RUNNING)
        preparer = WorktreeTaskPreparer(self.path, GRAPH, run_id=RUN, state_dir=self.state)
        merger = LocalTaskMerger(self.path, GRAPH, run_id=RUN, state_dir=self.state)
        teardown = WorktreeTaskTeardown(self.path, graph_name=GRAPH, run_id=RUN, state_dir=self.state)
        tally = Tally()
        with counting(tally):
            began, own = used(), time.process_time()
            preparer.prepare(runtime)
            assert runtime.state.worktree_path is not None
            (runtime.state.worktree_path / f"work-{self.tasks}").write_text("work\n")
            url = self.workspace.publish(runtime)
            assert url is not None
            self.workspace.verify(runtime, url)
            runtime.artifacts.pr_url = url
            runtime.state.transition(TaskStatus.PR_CREATED)
            if moved:
                self.move_target()
            before = used()
            merger.merge_pr(runtime, url)
            tally.merge = used() - before
            runtime.state.transition(TaskStatus.PR_MERGED)
            self.loop.run(teardown.teardown(runtime))
            tally.total = used() - began
            tally.own = time.process_time() - own
        return tally


def version_cpu() -> float:
    """CPU seconds of ``git --version``, started as any process is."""
    count = 5
    began = used()
    for _ in range(count):
        subprocess.run(("git", "--version"), stdout=subprocess.DEVNULL, check=True)
    return (used() - began) / count


def git_rows(options: Options) -> list[Figure]:
    """Tasks in a small repository and in a large one."""
    large = 20_000
    floors: list[float] = []
    small_tallies: list[Tally] = []
    large_tallies: list[Tally] = []
    moved: list[float] = []
    with tempfile.TemporaryDirectory() as directory, patch.dict(os.environ, environment(Path(directory)), clear=True):
        few, many = Repository(Path(directory) / "few", 20), Repository(Path(directory) / "many", large)
        few.task(), many.task()  # the first opens what later ones use
        for _ in range(options.rounds):
            floors.append(version_cpu())
            small_tallies.append(few.task())
            large_tallies.append(many.task())
            moved.append(many.task(moved=True).merge)
        few.loop.close(), many.loop.close()
    floor = f"`git --version`, {short(middle(floors, 1e3))} ms"
    small_merges, large_merges = [t.merge for t in small_tallies], [t.merge for t in large_tallies]
    figures = [
        Figure(
            what=what,
            value=ratio([tally.besides for tally in tallies], floors),
            goal=goal,
            floor=floor,
            note=f"{middle([tally.processes for tally in tallies]):.0f} processes; of it our own process"
            f" {short(ratio([tally.own for tally in tallies], floors))} {TIMES}; the checkout apart"
            f" {short(ratio([tally.checkout for tally in tallies], floors))} {TIMES}",
        )
        for what, goal, tallies in (
            ("our git per task besides checkout, 20 files", 45.0, small_tallies),
            (f"the same, {large:,} files", None, large_tallies),
        )
    ]
    figures += [
        Figure(what=f"a merge, {count:,} files", value=ratio(merges, floors), goal=20, floor=floor)
        for count, merges in ((20, small_merges), (large, large_merges))
    ]
    figures.append(
        Figure(
            what=f"a merge into a branch that somebody else has moved, {large:,} files",
            value=ratio(moved, floors),
            floor=floor,
            note="with taking over the other's commit",
        )
    )
    figures.append(
        Figure(
            what=f"a merge, {large:,} files over 20",
            value=ratio(large_merges, small_merges),
            goal=2,
            floor=f"a merge, 20 files, {short(middle(small_merges, 1e3))} ms",
        )
    )
    return figures
