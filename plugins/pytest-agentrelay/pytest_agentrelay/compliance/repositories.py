"""A real git repository for the steps that work in one, and the place of a task's workstream in it."""

import asyncio
import inspect
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import attrs
import pytest

from agentrelay_core.hooks import Catalog, RunInfo
from agentrelay_core.runtime import TaskRuntime, TaskStatus
from agentrelay_core.spec import Task, WorkstreamSpec

_DEADLINE = 60.0


def git(path: Path, *arguments: str, stdin: str = "") -> str:
    """Run git as the user does, and return what it prints.

    Args:
        path: Where.
        arguments: The command's name and arguments.
        stdin: What it reads.

    Raises:
        CalledProcessError: It failed.
    """
    command = ("git", "-c", "user.name=Kit", "-c", "user.email=kit@localhost", *arguments)
    done = subprocess.run(command, cwd=path, check=True, capture_output=True, timeout=_DEADLINE, input=stdin.encode())
    return done.stdout.decode(errors="replace").strip()


def make_repository(path: Path) -> Path:
    """Make a repository with one commit on ``main``, if it is not there already.

    Args:
        path: Where.
    """
    if not path.is_dir():
        path.mkdir(parents=True)
        try:
            git(path, "init", "-q", "-b", "main")
        except FileNotFoundError:
            pytest.skip("git is not installed, and the step works in a repository")
        (path / "README.md").write_text("A repository for checks.\n", encoding="utf-8")
        git(path, "add", ".")
        git(path, "commit", "-q", "-m", "Begin")
    return path


def opened(task: Task, run: RunInfo, catalog: Catalog) -> TaskRuntime:
    """A task that is about to be prepared: its workstream is open.

    Args:
        task: The task; its workstream is its own.
        run: The run, with a repository.
        catalog: Its workspace opens the workstream; without one, a branch and a worktree are made by git.
    """
    runtime = TaskRuntime(task, run_id=run.run_id, graph_name=run.graph_name)
    workspace: Any = catalog.workspace(run)
    if workspace is not None:
        branch, path = finished(workspace.open_workstream, WorkstreamSpec(id=task.workstream_id))
    else:
        assert run.repository is not None
        branch = f"agentrelay/{run.graph_name}@{task.workstream_id}"
        path = run.state_dir / "workstreams" / task.workstream_id
        git(run.repository, "branch", branch)
        git(run.repository, "worktree", "add", "-q", "--detach", str(path), branch)
    runtime.state.integration_branch, runtime.state.workstream_worktree_path = branch, path
    runtime.state.transition(TaskStatus.RUNNING)
    return runtime


def prepared(task: Task, run: RunInfo, catalog: Catalog) -> TaskRuntime:
    """A task that the preparer of the plugins' tables has prepared; without one, it has its workstream's worktree.

    Args:
        task: The task; its workstream is its own.
        run: The run, with a repository.
        catalog: The plugins.
    """
    runtime = opened(task, run, catalog)
    try:
        agent = task.primary_agent
        factory: Any = catalog.table("task_preparer").resolve(agent.framework, type(agent.environment))
    except KeyError:
        state = runtime.state
        state.worktree_path = state.workstream_worktree_path
        state.branch_name = f"agentrelay/{run.graph_name}/{task.id}"
        state.signal_dir = run.state_dir / "signals" / task.id
        state.signal_dir.mkdir(parents=True)
        return runtime
    finished(attrs.evolve(factory, run=run)(runtime).prepare, runtime)
    return runtime


def finished(method: Callable[..., Any], *arguments: Any) -> Any:
    """Call a method that may be ``def`` or ``async def`` to its end, whether or not an event loop runs here."""

    async def called() -> Any:
        result = method(*arguments)
        return await result if inspect.isawaitable(result) else result

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, called()).result()
