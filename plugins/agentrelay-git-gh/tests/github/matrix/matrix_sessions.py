"""One task's life in sessions that are processes of their own, each of which goes on from the journal of the last one.

A session is forked, and writes down how it ended. What other people and the faults do happens in the server, which
stays in the process that forks.
"""

import asyncio
import functools
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
from agentrelay_git_gh import agentrelay_forges
from agentrelay_git_gh.forges.of_run import forge_of
from agentrelay_git_gh.github import clearing, forge, pace, poller
from agentrelay_git_gh.github.merger import GhTaskMerger
from agentrelay_git_gh.preparer import WorktreeTaskPreparer
from agentrelay_git_gh.workspace import GitWorkspace
from matrix_lives import BRANCH, GRAPH, RUN, TASK, Ended, Life, git_at

from agentrelay_core import failpoints as registry
from agentrelay_core.hooks import RunInfo
from agentrelay_core.runtime import HeadMoved, IntegrationError, Parked, TaskRuntime, TaskStatus, Throttled
from agentrelay_core.spec import Deadlines, RunSettings, Task, WorkstreamSpec
from agentrelay_core.task_runner.life import HEAD_MOVES

FIELDS = ("branch_name", "worktree_path", "signal_dir")
DEADLINE = 240  # seconds for one session
LONGEST_LIMIT = 5.0  # seconds for which any limit in these lives may last


class Session:
    """A life from where its journal ends.

    Args:
        life: The life.
    """

    def __init__(self, life: Life) -> None:
        self.life, self.plan, self.journal = life, life.plan, life.root / "journal"
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        self.known: dict[str, Any] = dict(map(json.loads, lines))
        self.state = life.root / "state"
        self.lane = WorkstreamSpec(
            id="default", base_branch="main", merge_target_branch="main", auto_merge=True, checks=self.plan.checks
        )
        self.info = RunInfo(
            run_id=RUN,
            graph_name=GRAPH,
            repository=life.user,
            state_dir=self.state,
            settings=RunSettings(forge="github", merge_method=self.plan.method),
            forges=tuple(agentrelay_forges()),
        )
        self.workspace = GitWorkspace(self.info)
        task = Task(id=TASK, description="Write one.", deadlines=Deadlines(wall=self.plan.patience))
        self.runtime = TaskRuntime(task, run_id=RUN, graph_name=GRAPH)
        self.runtime.resumed = self.journal.exists()
        self.journal.touch()
        self.runtime.state.transition(TaskStatus.RUNNING)

    def step(self, name: str, action: Callable[[], Any]) -> Any:
        """Do something unless it was done, wait out what limits it, and note what came of it."""
        while name not in self.known:
            try:
                result = action()
            except Throttled as limit:
                if limit.retry_after is None or limit.retry_after > LONGEST_LIMIT:
                    raise AssertionError(f"a limit of {limit.retry_after} s: {limit.message}") from limit
                time.sleep(limit.retry_after)
                continue
            with self.journal.open("a") as file:
                file.write(json.dumps([name, result]) + "\n")
            self.known[name] = result
        return self.known[name]

    def live(self) -> None:
        """From the opening of the lane to its integration."""
        runtime, state, workspace = self.runtime, self.runtime.state, self.workspace
        opened = workspace.open_workstream(self.lane)
        state.integration_branch, state.workstream_worktree_path = opened
        self.step("updated", lambda: workspace.update_workstream(self.lane, []))
        told = self.step("prepared", self.prepare)
        state.branch_name = told["branch_name"]
        state.worktree_path, state.signal_dir = Path(told["worktree_path"]), Path(told["signal_dir"])
        runtime.artifacts.signal_nonce = told["nonce"]
        self.step("worked", self.work)
        url = self.plan.url or self.step("published", lambda: workspace.publish(runtime))
        runtime.artifacts.pr_url = url
        state.transition(TaskStatus.PR_CREATED)
        for moves in range(1, HEAD_MOVES + 1):  # as the runner does it
            self.step("verified", lambda: workspace.verify(runtime, url).head)
            if self.plan.later is not None:
                self.step("went on", lambda: self.plan.later and self.plan.later(state.worktree_path))
            try:
                self.step("merged", lambda: self.merge(url))
                break
            except HeadMoved:
                del self.known["verified"]
                if moves == HEAD_MOVES:
                    raise
        if self.plan.integrates:
            self.step("integrated", lambda: asyncio.run(workspace.integrate(self.lane)))

    def prepare(self) -> dict[str, str | None]:
        """The step, asked first."""
        step = WorktreeTaskPreparer(self.life.user, GRAPH, run_id=RUN, state_dir=self.state)
        if step.reconcile(self.runtime) == "absent":
            step.prepare(self.runtime)
        told = {name: str(getattr(self.runtime.state, name)) for name in FIELDS}
        return {**told, "nonce": self.runtime.artifacts.signal_nonce}

    def work(self) -> None:
        """An agent: one commit, and if it is told to, a push."""
        path = self.runtime.state.worktree_path
        assert path is not None
        if not (path / "one.txt").exists():
            (path / "one.txt").write_text("one\n")
            git_at(path, "add", "one.txt")
            git_at(path, "commit", "-q", "-m", "Write one")
        if self.plan.pushes:
            git_at(path, "push", "-q", "origin", BRANCH)

    def merge(self, url: str) -> None:
        """The step, asked first."""
        step = GhTaskMerger(
            self.life.user,
            GRAPH,
            run_id=RUN,
            state_dir=self.state,
            forge=forge_of(self.info),
        )
        if step.reconcile(self.runtime) == "absent":
            asyncio.run(step.merge_pr(self.runtime, url))


def run(life: Life) -> Ended:
    """One session, as ``agentrelay run`` is typed once."""
    told = life.root / "told"
    told.unlink(missing_ok=True)
    failpoints = "" if life.ends else life.plan.failpoints
    life.pid = os.fork()
    if life.pid == 0:
        _session(life, told, failpoints)
    status = os.waitstatus_to_exitcode(os.waitpid(life.pid, 0)[1])
    if told.exists():
        ended = Ended(*json.loads(told.read_text()))
    else:
        ended = Ended({-signal.SIGKILL: "killed", -signal.SIGALRM: "hung"}.get(status, "broken"), f"exit {status}")
    life.ends.append(ended)
    return ended


def _session(life: Life, told: Path, failpoints: str) -> None:
    """The forked process; it does not return."""
    try:
        # A pipe that the server reads at this moment would stay open with us.
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        signal.alarm(DEADLINE)
        hasten(life.plan.answer_within)
        if failpoints:
            arm(failpoints)
        ended = _lived(life)
        told.with_suffix(".new").write_text(json.dumps(attrs.astuple(ended)))
        told.with_suffix(".new").replace(told)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def _lived(life: Life) -> Ended:
    try:
        Session(life).live()
    except IntegrationError as failure:
        return Ended("Parked" if isinstance(failure, Parked) else type(failure).__name__, failure.message)
    except Exception:
        return Ended("broken", traceback.format_exc())
    return Ended("done")


def arm(failpoints: str) -> None:
    """Arm failpoints in a process that is running already."""
    registry._ARMED.update(registry._parse(failpoints))


def hasten(answer_within: float) -> None:
    """Let pauses between tries and looks be short; their lengths have tests of their own."""
    quick = 0.05
    forge.GitHubApi = functools.partial(forge.GitHubApi, jitter=lambda longest: longest / 50, deadline=answer_within)
    forge.Remote = functools.partial(forge.Remote, pause=lambda seconds: time.sleep(seconds / 50))
    forge.Poller = functools.partial(forge.Poller, allowance=pace.Allowance(calls=1_000_000, burst=500_000))
    for module, names in (
        (pace, {"_QUICK": (quick,) * 3, "_SOONEST": quick, "_SLOWEST": 4 * quick}),
        (poller, {"_NEWCOMER": quick}),
        (clearing, {"_HEAD_LAG": 1.0, "_HEAD_MOVED": 0.2}),
    ):
        for name, value in names.items():
            assert hasattr(module, name), name
            setattr(module, name, value)
