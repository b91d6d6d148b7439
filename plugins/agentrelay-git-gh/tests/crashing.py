"""One task's whole life in a process that kills itself at a chosen point, and the same life gone on with afterwards.

Run as ``python crashing.py <directory> <kind> <first> <step>``: for each point from the first on it copies the
repository in ``<directory>/template``, forks a process that is killed there, goes on in another one, and prints what is
wrong. A point is a git process, or a change of a name in the file system, counted from the beginning of the life. Kinds
are ``merged`` and ``failed``: a task that is merged, and one that fails at first, leaving files in no commit.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agentrelay_git_gh.forges.local_merger import LocalTaskMerger
from agentrelay_git_gh.git import setup, trusted
from agentrelay_git_gh.preparer import WorktreeTaskPreparer
from agentrelay_git_gh.teardown import WorktreeTaskTeardown
from agentrelay_git_gh.workspace import GitWorkspace

from agentrelay_core.hooks import RunInfo
from agentrelay_core.runtime import TaskRuntime, TaskState, TaskStatus
from agentrelay_core.spec import Task, WorkstreamSpec

RUN, GRAPH = "20261123T090000Z-beef", "g"
LANE = WorkstreamSpec(id="default", merge_target_branch="release", auto_merge=True)
OTHER = WorkstreamSpec(id="other")
UNBORN = "notice: HEAD points to an unborn branch (main)"  # our bare repository's note of the default branch
FIELDS = ("branch_name", "worktree_path", "signal_dir")


class Life:
    """A task's life whose steps are noted when they have ended, as the journal notes them.

    Args:
        base: A directory with a repository in it.
    """

    def __init__(self, base: Path) -> None:
        self.user, self.state, self.journal = base / "repository", base / "state", base / "journal"
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        self.known: dict[str, Any] = dict(map(json.loads, lines))
        self.resumed = self.journal.exists()
        self.journal.touch()
        run = RunInfo(run_id=RUN, graph_name=GRAPH, repository=self.user, state_dir=self.state)
        self.workspace = GitWorkspace(run)
        self.runtime = TaskRuntime(Task(id="t", description="Do it"), run_id=RUN, graph_name=GRAPH)
        self.runtime.resumed = self.resumed
        self.runtime.state.transition(TaskStatus.RUNNING)

    def step(self, name: str, action: Callable[[], Any]) -> Any:
        """Do something unless it was done, and note what came of it."""
        if name not in self.known:
            result = action()
            with self.journal.open("a") as file:
                file.write(json.dumps([name, result]) + "\n")
            self.known[name] = result
        return self.known[name]

    def live(self) -> None:
        """From the opening of two workstreams to the closing of both."""
        self.open_both()
        self.begin()
        self.finish()
        self.step("updated", lambda: self.workspace.update_workstream(OTHER, [LANE]))
        self.step("integrated", lambda: asyncio.run(self.workspace.integrate(LANE)))
        self.step("closed", lambda: [self.workspace.close_workstream(lane) for lane in (LANE, OTHER)])

    def open_both(self) -> None:
        """Open the workstreams, as each session does, unless they are closed."""
        state = self.runtime.state
        for lane in (LANE, OTHER):
            branch, path = self.workspace.open_workstream(lane) if "closed" not in self.known else ("", self.user)
            if lane is LANE:
                state.integration_branch, state.workstream_worktree_path = branch, path

    def begin(self) -> None:
        """Prepare, and let the agent work."""
        runtime, state, attempt = self.runtime, self.runtime.state, self.runtime.state.attempt_num
        told = self.step(f"prepared {attempt}", self.prepare)
        for name in FIELDS:
            setattr(state, name, told[name] if name == "branch_name" else Path(told[name]))
        runtime.artifacts.signal_nonce = told["nonce"]
        self.step(f"worked {attempt}", self.work)

    def finish(self) -> None:
        """From the agent's end to the teardown."""
        runtime, state = self.runtime, self.runtime.state
        url = self.step("published", lambda: self.workspace.publish(runtime))
        runtime.artifacts.pr_url = url
        self.step("verified", lambda: self.workspace.verify(runtime, url).head)
        state.transition(TaskStatus.PR_CREATED)
        self.step("merged", lambda: self.merge(url))
        state.transition(TaskStatus.PR_MERGED)
        self.tear_down()

    def tear_down(self) -> None:
        """The step, for the attempt that is at work."""
        step = WorktreeTaskTeardown(self.user, graph_name=GRAPH, run_id=RUN, state_dir=self.state)
        self.step(f"torn down {self.runtime.state.attempt_num}", lambda: asyncio.run(step.teardown(self.runtime)))

    def prepare(self) -> dict[str, str | None]:
        """The step, asked first."""
        step = WorktreeTaskPreparer(self.user, GRAPH, run_id=RUN, state_dir=self.state)
        if step.reconcile(self.runtime) == "absent":
            step.prepare(self.runtime)
        told = {name: str(getattr(self.runtime.state, name)) for name in FIELDS}
        return {**told, "nonce": self.runtime.artifacts.signal_nonce}

    def work(self) -> None:
        """An agent: a commit of its own, and a file besides."""
        path = self.runtime.state.worktree_path
        assert path is not None
        branch = subprocess.check_output(("git", "branch", "--show-current"), cwd=path, text=True).strip()
        assert branch == self.runtime.state.branch_name
        if not (path / "committed").exists():
            (path / "committed").write_text("by the agent\n")
            subprocess.run(("git", "add", "committed"), cwd=path, check=True)
            subprocess.run(("git", "commit", "-q", "-m", "mine"), cwd=path, check=True)
        (path / "left.txt").write_text("left\n")

    def merge(self, url: str) -> None:
        """The step, asked first."""
        step = LocalTaskMerger(self.user, GRAPH, run_id=RUN, state_dir=self.state)
        if step.reconcile(self.runtime) == "absent":
            step.merge_pr(self.runtime, url)


class FailingLife(Life):
    """The same, where the first attempt fails with a file in no commit, and the second is merged."""

    def live(self) -> None:
        """Two attempts."""
        self.open_both()
        self.begin()
        self.runtime.state.transition(TaskStatus.FAILED)
        self.tear_down()
        self.runtime.state = TaskState(
            attempt_num=1,
            integration_branch=self.runtime.state.integration_branch,
            workstream_worktree_path=self.runtime.state.workstream_worktree_path,
        )
        self.runtime.state.transition(TaskStatus.RUNNING)
        self.begin()
        self.finish()
        self.step("integrated", lambda: asyncio.run(self.workspace.integrate(LANE)))
        self.step("closed", lambda: [self.workspace.close_workstream(lane) for lane in (LANE, OTHER)])


LIVES = {"merged": Life, "failed": FailingLife}


def kill_at(point: int) -> Callable[[], int]:
    """From now on count what changes the world, and be killed before number ``point``; gives the count so far."""
    count = 0

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            nonlocal count
            if count == point:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1
            return function(*arguments, **more)

        return call

    trusted.run_captured = counted(trusted.run_captured)  # type: ignore[attr-defined]
    setup.run_captured = counted(setup.run_captured)  # type: ignore[attr-defined]
    for name in ("replace", "rename", "link", "unlink", "mkdir", "rmdir"):
        setattr(os, name, counted(getattr(os, name)))
    return lambda: count


def in_child(action: Callable[[], None]) -> int:
    """Run something in a process of its own; how it ended, as `os.waitstatus_to_exitcode` says."""
    pid = os.fork()
    if pid == 0:
        try:
            action()
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def wrong(base: Path, kind: str) -> list[str]:
    """What is not as it is after an undisturbed life."""

    def git(*arguments: str, where: str = "repository") -> str:
        done = subprocess.run(("git", *arguments), cwd=base / where, capture_output=True, text=True, check=False)
        return done.stdout.strip() + done.stderr.strip()

    def names(prefix: str) -> list[str]:
        return git("for-each-ref", "--format=%(refname:short)", prefix).split()

    merges = git("log", "--merges", "--format=%s", "main..agentrelay/g@default").splitlines()
    checks: dict[str, tuple[object, object]] = {
        "merges": (merges, ["t: Do it"]),
        "released": (len(git("log", "--merges", "--format=%s", "main..release").splitlines()), 2),
        "content": (git("show", "release:committed") + git("show", "release:left.txt"), "by the agentleft"),
        "files": (git("ls-tree", "-r", "--name-only", "release").split(), ["committed", "first", "left.txt"]),
        "pull requests": (names("refs/agentrelay/pr"), ["agentrelay/pr/1", "agentrelay/pr/2"]),
        "worktrees": (len(git("worktree", "list").splitlines()), 1),
        "status": (git("status", "--porcelain"), ""),
        "fsck": (git("fsck", "--strict", "--no-dangling"), ""),
        "ours": (git("fsck", "--strict", "--no-dangling", where="state/repository.git"), UNBORN),
        "merged": (len(list((base / "repository").glob(".workflow/g/signals/t/*/.merged"))), 1),
    }
    branches = ["agentrelay/g@default", "agentrelay/g@other", "main", "release"]
    if kind == "merged":
        other = git("log", "--merges", "-1", "--format=%s", "agentrelay/g@other")
        checks["other"] = (other, "Merge workstream default into other")
        checks["rescued"] = (names("refs/agentrelay/rescue"), [])
    else:
        branches.insert(0, "agentrelay/g/t")  # its commit is nowhere else
        rescued = f"agentrelay/rescue/{RUN}/t/0"
        checks["rescued"] = (names("refs/agentrelay/rescue"), [rescued])
        for where in ("repository", "state/repository.git"):
            checks[f"rescued in {where}"] = (git("show", f"refs/{rescued}:left.txt", where=where), "left")
    checks["branches"] = (names("refs/heads/"), branches)
    found = [f"{name}: {seen!r}" for name, (seen, expected) in checks.items() if seen != expected]
    shown = [json.loads(git("cat-file", "blob", f"refs/agentrelay/pr/{number}")) for number in (1, 2)]
    found += [f"not merged: {record}" for record in shown if record["state"] != "merged"]
    left = [
        *base.rglob("*.lock"),
        *base.rglob("aside-*"),
        *base.rglob("agentrelay-removed-*"),
        *base.rglob("transfer-*"),
    ]
    return found + [f"left behind: {path}" for path in left]


def crash(directory: Path, kind: str, point: int) -> tuple[bool, list[str]]:
    """Kill a life at a point and go on with it; whether there is such a point, and what is wrong."""
    base = directory / f"{kind}-{point}"
    shutil.copytree(directory / "template", base, symlinks=True)

    def killed() -> None:
        kill_at(point)
        LIVES[kind](base).live()

    ended = in_child(killed)
    if ended == 1:
        return True, ["the first life failed"]
    if in_child(lambda: LIVES[kind](base).live()) != 0:
        return True, ["the second life failed"]
    problems = wrong(base, kind)
    if not problems:
        shutil.rmtree(base)
    return ended == -signal.SIGKILL, problems


def main() -> None:
    """Crash at every point that is asked for, until there is none."""
    directory, kind, first, step = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    point, there = first, True
    while there:
        there, problems = crash(directory, kind, point)
        print(json.dumps({"point": point, "there": there, "problems": problems}), flush=True)
        point += step


if __name__ == "__main__":
    main()
