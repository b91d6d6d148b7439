"""A correct step of each protocol, as small as it can be: the reference that the compliance checks are proven with.

They share a `FakeRepository`; nothing is done before a method is called, and no state is kept but there and on the
runtime, so that two tasks never mix.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from agentrelay_core.runtime import Agent, TaskRuntime
from agentrelay_core.runtime.agent_files import write_atomically
from agentrelay_core.runtime.environment import INSTRUCTIONS
from agentrelay_core.signals import signal_directory, write_protocol_files
from agentrelay_core.task_runner.calls import call_step
from pytest_agentrelay.fakes.address import agent_at
from pytest_agentrelay.fakes.agent import FakeAgent
from pytest_agentrelay.fakes.completion import FakeCompletionChecker as FakeCompletionChecker
from pytest_agentrelay.fakes.options import DRY_RUN
from pytest_agentrelay.fakes.repository import FakeRepository, digest
from pytest_agentrelay.fakes.required import required
from pytest_agentrelay.fakes.script import Script

MERGED: Final = ".merged"


class FakePreparer:
    """Prepares a task in the directory of its workstream.

    Args:
        repository: What is shared with the other fakes.
    """

    def __init__(self, repository: FakeRepository | None = None) -> None:
        self.repository = repository or FakeRepository()

    def prepare(self, runtime: TaskRuntime) -> None:
        """Make the worktree and the protocol files; set branch, worktree and signal directory on the state.

        What an earlier session of the run has prepared stays as it is, and what its agent did too.

        Raises:
            ValueError: ``integration_branch`` or ``workstream_worktree_path`` is not set.
            InternalIntegrationError: Somebody else made the attempt's directory.
        """
        required(runtime, "integration_branch")
        branch, worktree, signal_dir = _places(runtime)
        if self.reconcile(runtime) == "present":
            return
        worktree.mkdir(parents=True, exist_ok=True)
        runtime.state.branch_name, runtime.state.worktree_path, runtime.state.signal_dir = _places(runtime)
        self.repository.bases.setdefault(branch, digest(worktree))
        write_protocol_files(runtime, dependency_descriptions={})
        self.repository.nonces[signal_dir] = runtime.artifacts.signal_nonce

    def reconcile(self, runtime: TaskRuntime) -> Literal["absent", "present"]:
        """Whether an earlier session of the run has prepared this attempt; if so, set what `prepare` sets.

        Raises:
            ValueError: ``workstream_worktree_path`` is not set.
        """
        signal_dir = _places(runtime)[2]
        if not runtime.resumed or signal_dir not in self.repository.nonces:
            return "absent"
        runtime.state.branch_name, runtime.state.worktree_path, runtime.state.signal_dir = _places(runtime)
        runtime.artifacts.signal_nonce = self.repository.nonces[signal_dir]
        return "present"


def _places(runtime: TaskRuntime) -> tuple[str, Path, Path]:
    """What an attempt's branch, worktree and signal directory are called."""
    task, attempt, graph = runtime.task.id, runtime.state.attempt_num, runtime.graph_name or "graph"
    worktree = required(runtime, "workstream_worktree_path")
    branch = f"agentrelay/{graph}/{task}" + (f"@{attempt}" if attempt else "")
    return branch, worktree, signal_directory(worktree.parent, graph, task, runtime.run_id or "run", attempt)


class FakeLauncher:
    """Launches a `FakeAgent`, which is idle until it is kicked off.

    Args:
        script: What the agent does in each turn.
    """

    def __init__(self, script: Script = DRY_RUN) -> None:
        self.script = tuple(script)

    def launch(self, runtime: TaskRuntime) -> FakeAgent:
        """Start the agent.

        Raises:
            ValueError: ``worktree_path`` or ``signal_dir`` is not set, or the script is none.
            AgentFailure: The agent could not be started.
        """
        return FakeAgent.start(
            self.script,
            task_id=runtime.task.id,
            worktree=required(runtime, "worktree_path"),
            signal_dir=required(runtime, "signal_dir"),
        )

    def reconcile(self, runtime: TaskRuntime) -> Literal["absent"] | tuple[Literal["present"], FakeAgent]:
        """Look for the agent of a resumed attempt; one that lived in another process has ended with it.

        Raises:
            ValueError: ``signal_dir`` is not set.
        """
        address = agent_at(required(runtime, "signal_dir")) if runtime.resumed else None
        return "absent" if address is None else ("present", FakeAgent(address))


class FakeKickoff:
    """Tells an agent where its instructions are."""

    async def kickoff(self, runtime: TaskRuntime, agent: Agent) -> None:
        """Return when the agent has its instructions.

        Raises:
            ValueError: ``signal_dir`` is not set.
            AgentFailure: The agent has ended, or does not read them.
        """
        await call_step(None, agent, "send_kickoff", str(required(runtime, "signal_dir") / INSTRUCTIONS))

    def reconcile(self, runtime: TaskRuntime) -> Literal["absent", "present"]:
        """Whether the agent of a resumed attempt has its instructions."""
        signal_dir = runtime.state.signal_dir
        address = None if signal_dir is None or not runtime.resumed else agent_at(signal_dir)
        return "present" if address is not None and address.agent.received else "absent"


class FakeMerger:
    """Merges in memory.

    Args:
        repository: What is shared with the other fakes.
    """

    def __init__(self, repository: FakeRepository | None = None) -> None:
        self.repository = repository or FakeRepository()

    def merge_pr(self, runtime: TaskRuntime, pr_url: str) -> None:
        """Merge the task's pull request, and write ``.merged``; merging again changes nothing.

        Raises:
            ValueError: ``branch_name`` or ``integration_branch`` is not set.
            ProtocolViolation: The pull request is not the task's.
        """
        branch, integration = required(runtime, "branch_name"), required(runtime, "integration_branch")
        self.repository.merge(branch, integration, pr_url)
        path = None if runtime.state.signal_dir is None else runtime.state.signal_dir / MERGED
        if path is not None and not path.exists():
            write_atomically(path, f"{datetime.now(UTC).isoformat()}\n".encode())

    def reconcile(self, runtime: TaskRuntime) -> Literal["absent", "present"]:
        """Whether a resumed task's pull request is merged."""
        return "present" if runtime.resumed and runtime.artifacts.pr_url in self.repository.merged else "absent"


class FakeTeardown:
    """Ends an agent through its address."""

    async def teardown(self, runtime: TaskRuntime) -> None:
        """Return when nothing of the task is left running; tearing down again changes nothing.

        Raises:
            AgentFailure: The agent does not end.
        """
        address: Any = runtime.artifacts.agent_address
        if address is not None:
            await call_step(None, address, "teardown", runtime.state.signal_dir, False)
