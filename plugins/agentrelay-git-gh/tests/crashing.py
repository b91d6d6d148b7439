"""One task's whole life in a process that kills itself at a chosen point, and the same life gone on with afterwards.

Run as ``python crashing.py <directory> <first> <last> <step>``: for each of those points it copies the repository in
``<directory>/template``, forks a process that is killed there, goes on in another one, and prints what is wrong. A
point is a git process, or a change of a name in the file system, counted from the beginning of the life.
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

from agentrelay_git_gh import setup, trusted
from agentrelay_git_gh.local_merger import LocalTaskMerger
from agentrelay_git_gh.preparer import WorktreeTaskPreparer
from agentrelay_git_gh.teardown import WorktreeTaskTeardown
from agentrelay_git_gh.workspace import GitWorkspace

from agentrelay_core.hooks import RunInfo
from agentrelay_core.runtime import TaskRuntime, TaskStatus
from agentrelay_core.spec import Task, WorkstreamSpec

RUN, GRAPH = "20261123T090000Z-beef", "g"
LANE = WorkstreamSpec(id="default", merge_target_branch="release", auto_merge=True)
OTHER = WorkstreamSpec(id="other")
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
        runtime, state = self.runtime, self.runtime.state
        for lane in (LANE, OTHER):
            branch, path = self.workspace.open_workstream(lane) if "closed" not in self.known else ("", self.user)
            if lane is LANE:
                state.integration_branch, state.workstream_worktree_path = branch, path
        told = self.step("prepared", self.prepare)
        for name in FIELDS:
            setattr(state, name, told[name] if name == "branch_name" else Path(told[name]))
        runtime.artifacts.signal_nonce = told["nonce"]
        self.step("worked", self.work)
        url = self.step("published", lambda: self.workspace.publish(runtime))
        runtime.artifacts.pr_url = url
        self.step("verified", lambda: self.workspace.verify(runtime, url).head)
        state.transition(TaskStatus.PR_CREATED)
        self.step("merged", lambda: self.merge(url))
        state.transition(TaskStatus.PR_MERGED)
        teardown = WorktreeTaskTeardown(self.user, graph_name=GRAPH, run_id=RUN, state_dir=self.state)
        self.step("torn down", lambda: asyncio.run(teardown.teardown(runtime)))
        self.step("updated", lambda: self.workspace.update_workstream(OTHER, [LANE]))
        self.step("integrated", lambda: self.workspace.integrate(LANE))
        self.step("closed", lambda: [self.workspace.close_workstream(lane) for lane in (LANE, OTHER)])

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
        assert subprocess.check_output(("git", "branch", "--show-current"), cwd=path).strip() == b"agentrelay/g/t"
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


def wrong(base: Path) -> list[str]:
    """What is not as it is after an undisturbed life."""

    def git(*arguments: str) -> str:
        done = subprocess.run(("git", *arguments), cwd=base / "repository", capture_output=True, text=True)
        return done.stdout.strip() + done.stderr.strip()

    merges = git("log", "--merges", "--format=%s", "main..agentrelay/g@default").splitlines()
    checks = {
        "merges": (merges, ["t: Do it"]),
        "other": (git("log", "--merges", "-1", "--format=%s", "agentrelay/g@other"),
                  "Merge workstream default into other"),
        "released": (len(git("log", "--merges", "--format=%s", "main..release").splitlines()), 2),
        "content": (git("show", "release:committed") + git("show", "release:left.txt"), "by the agentleft"),
        "files": (git("ls-tree", "-r", "--name-only", "release").split(), ["committed", "first", "left.txt"]),
        "branches": (
            git("branch", "--format=%(refname:short)").split(),
            ["agentrelay/g@default", "agentrelay/g@other", "main", "release"],
        ),
        "pull requests": (git("for-each-ref", "--format=%(refname)", "refs/agentrelay/pr").split(),
                          ["refs/agentrelay/pr/1", "refs/agentrelay/pr/2"]),
        "rescued": (git("for-each-ref", "refs/agentrelay/rescue"), ""),
        "worktrees": (len(git("worktree", "list").splitlines()), 1),
        "status": (git("status", "--porcelain"), ""),
        "fsck": (git("fsck", "--strict", "--no-dangling"), ""),
        "merged": (len(list((base / "repository").glob(".workflow/g/signals/t/*/.merged"))), 1),
    }  # fmt: skip
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


def crash(directory: Path, point: int) -> tuple[bool, list[str]]:
    """Kill a life at a point and go on with it; whether there is such a point, and what is wrong."""
    base = directory / f"at-{point}"
    shutil.copytree(directory / "template", base, symlinks=True)

    def killed() -> None:
        kill_at(point)
        Life(base).live()

    ended = in_child(killed)
    if ended == 1:
        return True, ["the first life failed"]
    if in_child(lambda: Life(base).live()) != 0:
        return True, ["the second life failed"]
    problems = wrong(base)
    if not problems:
        shutil.rmtree(base)
    return ended == -signal.SIGKILL, problems


def main() -> None:
    """Crash at every point that is asked for, until there is none."""
    directory, first, step = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    point, there = first, True
    while there:
        there, problems = crash(directory, point)
        print(json.dumps({"point": point, "there": there, "problems": problems}), flush=True)
        point += step


if __name__ == "__main__":
    main()
