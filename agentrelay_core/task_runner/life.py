"""One task's way through the steps, each looked up in its own table at the moment it is needed."""

import asyncio
from typing import TYPE_CHECKING

from agentrelay_core.failpoints import failpoint
from agentrelay_core.runtime import (
    Agent,
    AgentFailure,
    ExpectedTaskFailureError,
    HeadMoved,
    IntegrationBoundary,
    IntegrationFailureClass,
    Internal,
    TaskRuntime,
    Throttled,
)
from agentrelay_core.runtime.secrets import without_secrets
from agentrelay_core.runtime.status import COMPLETED, DONE, FAILED, PR_CREATED, PR_MERGED, RUNNING
from agentrelay_core.spec import TearDownMode
from agentrelay_core.task_runner.agent_wait import TEARDOWN, AgentWait
from agentrelay_core.task_runner.calls import call_step
from agentrelay_core.task_runner.completion import TaskCompletionSignal
from agentrelay_core.task_runner.gate import run_gate
from agentrelay_core.task_runner.gate_feedback import append_gate_failure, retire_done
from agentrelay_core.task_runner.limited import after_limit
from agentrelay_core.task_runner.watchdog import Wait

if TYPE_CHECKING:
    from agentrelay_core.task_runner.runner import StandardTaskRunner

# Deadlines in seconds of the steps that a task does not set: git, fetch and push have their own within these.
PREPARE = 900.0
PUBLISH = 900.0
MERGE = 900.0
KICKOFF_TRIES = 3
# How often what would be merged may have moved on since it was verified, until a person is asked.
HEAD_MOVES = 4

_NO_URL = "Task completion signaled 'done' but did not include pr_url."
_NO_ERROR = "Task failed without an error message."


class Life(AgentWait):
    """One run of one task.

    Args:
        runner: What serves every task.
        runtime: The task.
        wait: Its place at the watchdog.
    """

    __slots__ = ("agent",)

    def __init__(self, runner: "StandardTaskRunner", runtime: TaskRuntime, wait: Wait) -> None:
        super().__init__(runner, runtime, wait)
        self.agent: Agent | None = None
        runtime.reporter = self._event

    async def live(self) -> IntegrationFailureClass | None:
        """Go from prepare to merge; the failure class of a gate that failed, else `None`."""
        runtime = self.runtime
        runner = self.runner
        await self._step("prepare", runner.preparer, PREPARE)
        self._event("task_prepared", f"branch={runtime.state.branch_name}")
        failpoint("prepare", "outcome")
        if not runtime.agent_done:
            await self._launch_and_kick_off()
            if runtime.turn_due:
                await self._next_turn()
        gates, moves = runtime.gates_failed, 0
        signal = None
        while True:
            if signal is None:
                signal = TaskCompletionSignal("done") if runtime.agent_done else await self._wait_for_signal()
                runtime.agent_done = False
            if signal.outcome == "failed":
                self._failed(signal.error or _NO_ERROR)
                return None
            if not await self._publish(signal):
                return None
            exit_code = await self._gate(gates + 1)
            if exit_code is not None:
                gates = runtime.gates_failed = gates + 1
                if gates >= runtime.task.max_gate_attempts:
                    self._failed(f"Completion gate failed: exit {exit_code}")
                    return IntegrationFailureClass.EXPECTED_TASK_FAILURE
                await self._next_turn()
                signal = None
                continue
            try:
                await self._merge()
                return None
            except HeadMoved as moved:
                moves += 1
                if moves == HEAD_MOVES:
                    raise
                self.warn(f"it is verified again: {moved.message.partition(';')[0]}")
                signal = TaskCompletionSignal("done", pr_url=runtime.artifacts.pr_url)

    async def is_merged(self) -> bool:
        """Whether the merger finds the task's merge."""
        return await self._is_there("merge_pr", self.runner.merger)

    async def find_again(self) -> None:
        """Find the place and the agent of a resumed task by their steps' word alone; nothing is made."""
        if await self._is_there("prepare", self.runner.preparer):
            await self._is_there("launch", self.runner.launcher, keep=self._launched)

    async def end(self, teardown_mode: TearDownMode, *, stop_agent: bool = False) -> None:
        """Tear down as the mode says; an error joins the concerns and never changes the outcome."""
        runtime = self.runtime
        done = runtime.state.status in DONE
        try:
            wanted = teardown_mode == TearDownMode.ALWAYS or (teardown_mode == TearDownMode.ON_SUCCESS and done)
            if not stop_agent:
                if wanted:
                    await self._step("teardown", self.runner.teardown, TEARDOWN)
                return
            async with asyncio.timeout(TEARDOWN):
                if wanted:
                    await call_step(self.runner.executor, self.runner.teardown(runtime), "teardown", runtime)
                else:
                    await self._stop_agent()
        except TimeoutError:
            runtime.artifacts.concerns.append(f"teardown_failed: no end within {TEARDOWN:g} s")
        except Exception as exc:
            runtime.artifacts.concerns.append(f"teardown_failed: {exc}")

    async def _launch_and_kick_off(self) -> None:
        await self._step("launch", self.runner.launcher, self.deadlines.launch, keep=self._launched)
        if self.agent is None:
            raise Internal("the launcher returned no agent", boundary=IntegrationBoundary.AGENT_LAUNCH)
        address = self.agent.address
        self._event("task_launched", address.label, {"agent": data} if (data := address.to_json()) else None)
        failpoint("launch", "outcome")
        await self._step("kickoff", self.runner.kickoff, self.deadlines.kickoff * KICKOFF_TRIES, self.agent)

    def _launched(self, agent: Agent) -> None:
        if not hasattr(agent, "address"):
            raise Internal(f"the launcher returned {agent!r:.100}, which is no agent")
        self.agent = agent
        self.runtime.artifacts.agent_address = agent.address

    async def _publish(self, signal: TaskCompletionSignal) -> bool:
        """Take note of, or open, the pull request, and verify it; False when the task has failed."""
        runtime = self.runtime
        workspace = self.runner.workspace
        url = signal.pr_url
        if runtime.task.pull_request:
            if workspace is not None and not url:
                try:
                    url = await self._effect(workspace, "publish", PUBLISH, runtime)
                except Throttled as limit:
                    url = await after_limit(self, limit, lambda: self._effect(workspace, "publish", PUBLISH, runtime))
            elif not url:
                self._failed(_NO_URL)
                return False
            if url and runtime.state.status == RUNNING:
                runtime.artifacts.pr_url = url
                runtime.state.transition(PR_CREATED)
        else:
            url = None
        if workspace is not None:
            failpoint("publish", "outcome")
            try:
                evidence = await self._effect(workspace, "verify", PUBLISH, runtime, url)
            except Throttled as limit:
                evidence = await after_limit(
                    self, limit, lambda: self._effect(workspace, "verify", PUBLISH, runtime, url)
                )
            failpoint("verify", "outcome")
            task = runtime.task
            if not evidence.changed and task.pull_request and not task.allow_no_changes:
                raise AgentFailure(
                    f"done without evidence: nothing changed since {evidence.base[:12]}",
                    boundary=IntegrationBoundary.PULL_REQUEST,
                )
        return True

    async def _gate(self, number: int) -> int | None:
        """Run the completion gate; its exit code when it failed, else `None`."""
        command = self.runtime.task.completion_gate
        if command is None:
            return None
        self._event("task_gate_running", command)
        result = await self._timed(
            run_gate(self.runtime, command), lambda: self.deadlines.gate, _gate_overdue, detachable=True
        )
        if result.passed:
            self._event("task_gate_passed", "")
            return None
        signal_dir = self.runtime.state.signal_dir
        if signal_dir is not None and number < self.runtime.task.max_gate_attempts:
            # Before it is recorded: that a gate failed means that the agent can be given its next turn.
            retire_done(signal_dir, number)
            append_gate_failure(signal_dir, output=without_secrets(self.runtime, result.output), attempt=number)
        self._event("task_gate_failed", f"exit {result.exit_code}")
        return int(result.exit_code)

    async def _next_turn(self) -> None:
        """Give the agent another turn; start it again where it takes none."""
        runtime = self.runtime
        agent = self.agent
        instructions = str(runtime.state.signal_dir / "instructions.md") if runtime.state.signal_dir else ""
        runtime.turn_due = runtime.artifacts.work_kept = False
        seconds = self.deadlines.kickoff * KICKOFF_TRIES
        if agent is not None and await self._effect(agent, "send_turn", seconds, instructions):
            failpoint("send_turn", "outcome")
            return
        await self._stop_agent()
        self.agent = None
        await self._launch_and_kick_off()

    async def _merge(self) -> None:
        runtime = self.runtime
        url = runtime.artifacts.pr_url
        if url is None or not runtime.task.pull_request:
            runtime.state.transition(COMPLETED)
            return
        self._event("task_pr_merging", url)
        # A merge that ends while we are being cancelled has happened all the same.
        try:
            await self._step("merge_pr", self.runner.merger, MERGE, url, keep=self._merged)
        except Throttled as limit:
            await after_limit(
                self, limit, lambda: self._step("merge_pr", self.runner.merger, MERGE, url, keep=self._merged)
            )

    def _merged(self, _: object) -> None:
        self.runtime.state.transition(PR_MERGED)

    def _failed(self, error: str) -> None:
        self.runtime.state.transition(FAILED)
        self.runtime.state.error = without_secrets(self.runtime, error)


def _gate_overdue(seconds: float) -> ExpectedTaskFailureError:
    return ExpectedTaskFailureError(
        f"Completion gate failed: no end within {seconds:g} s", boundary=IntegrationBoundary.WORKSPACE
    )
