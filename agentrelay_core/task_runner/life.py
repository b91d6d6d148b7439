"""One task's way through the steps, each looked up in its own table at the moment it is needed."""

import asyncio
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import TYPE_CHECKING, Any

from agentrelay_core.runtime import (
    Agent,
    AgentFailure,
    Event,
    ExpectedTaskFailureError,
    IntegrationBoundary,
    IntegrationFailureClass,
    Internal,
    Lost,
    TaskRuntime,
    TaskStatus,
)
from agentrelay_core.runtime.status import DONE, ENDED
from agentrelay_core.spec import Deadlines, TearDownMode
from agentrelay_core.task_runner.calls import call_step
from agentrelay_core.task_runner.completion import TaskCompletionSignal
from agentrelay_core.task_runner.dispatch import StepDispatch
from agentrelay_core.task_runner.gate import run_gate
from agentrelay_core.task_runner.gate_feedback import append_gate_failure, retire_done
from agentrelay_core.task_runner.watchdog import Interruption, Wait

if TYPE_CHECKING:
    from agentrelay_core.task_runner.runner import StandardTaskRunner

# Deadlines in seconds of the steps that a task does not set: git, fetch and push have their own within these.
PREPARE = 900.0
PUBLISH = 900.0
MERGE = 900.0
TEARDOWN = 120.0
KICKOFF_TRIES = 3
# How often, and how long apart in seconds, an "unknown" is looked at again.
LOOKS = 3
LOOK_PAUSE = 1.0

# Steps whose delay is the agent's; that of the others is the machine's or a plugin's.
AGENT_STEPS = frozenset({"launch", "kickoff", "wait_for_completion", "send_turn"})

_NO_URL = "Task completion signaled 'done' but did not include pr_url."
_NO_ERROR = "Task failed without an error message."


class Detached(Exception):  # no error: the end of a run whose agent goes on
    """The run was left; the agent goes on."""


class Life:
    """One run of one task.

    Args:
        runner: What serves every task.
        runtime: The task.
        wait: Its place at the watchdog.
    """

    __slots__ = ("agent", "deadlines", "detached", "runner", "runtime", "wait")

    def __init__(self, runner: "StandardTaskRunner", runtime: TaskRuntime, wait: Wait) -> None:
        self.runner = runner
        self.runtime = runtime
        self.wait = wait
        self.deadlines = runtime.task.deadlines or Deadlines()
        self.agent: Agent | None = None
        self.detached = False

    async def live(self) -> IntegrationFailureClass | None:
        """Go from prepare to merge; the failure class of a gate that failed, else `None`."""
        runtime = self.runtime
        runner = self.runner
        await self._step("prepare", runner.preparer, PREPARE)
        self._event("task_prepared", f"branch={runtime.state.branch_name}")
        await self._launch_and_kick_off()
        gates = 0
        while True:
            signal = await self._wait_for_signal()
            if signal.outcome == "failed":
                self._failed(signal.error or _NO_ERROR)
                return None
            if not await self._publish(signal):
                return None
            gates += 1
            exit_code = await self._gate(gates)
            if exit_code is None:
                break
            if gates >= runtime.task.max_gate_attempts:
                self._failed(f"Completion gate failed: exit {exit_code}")
                return IntegrationFailureClass.EXPECTED_TASK_FAILURE
            await self._next_turn()
        await self._merge()
        return None

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
        self._event("task_launched", self.agent.address.label)
        await self._step("kickoff", self.runner.kickoff, self.deadlines.kickoff * KICKOFF_TRIES, self.agent)

    def _launched(self, agent: Agent) -> None:
        self.agent = agent
        self.runtime.artifacts.agent_address = agent.address

    async def _wait_for_signal(self) -> TaskCompletionSignal:
        self._event("task_waiting", "")
        signal: TaskCompletionSignal = await self._step(
            "wait_for_completion", self.runner.completion_checker, self.deadlines.wall, detachable=True
        )
        self.runtime.artifacts.concerns.extend(signal.concerns)
        return signal

    async def _publish(self, signal: TaskCompletionSignal) -> bool:
        """Take note of, or open, the pull request, and verify it; False when the task has failed."""
        runtime = self.runtime
        workspace = self.runner.workspace
        url = signal.pr_url
        if runtime.task.pull_request:
            if workspace is not None and not url:
                url = await self._call(workspace, "publish", PUBLISH, runtime)
            elif not url:
                self._failed(_NO_URL)
                return False
            if url and runtime.state.status == TaskStatus.RUNNING:
                runtime.artifacts.pr_url = url
                runtime.state.transition(TaskStatus.PR_CREATED)
        else:
            url = None
        if workspace is not None:
            evidence = await self._call(workspace, "verify", PUBLISH, runtime, url)
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
        overdue = ExpectedTaskFailureError(
            f"Completion gate failed: no end within {self.deadlines.gate:g} s", boundary=IntegrationBoundary.WORKSPACE
        )
        result = await self._timed(run_gate(self.runtime, command), self.deadlines.gate, overdue, detachable=True)
        if result.passed:
            self._event("task_gate_passed", "")
            return None
        self._event("task_gate_failed", f"exit {result.exit_code}")
        signal_dir = self.runtime.state.signal_dir
        if signal_dir is not None and number < self.runtime.task.max_gate_attempts:
            retire_done(signal_dir, number)
            append_gate_failure(signal_dir, output=result.output, attempt=number)
        return int(result.exit_code)

    async def _next_turn(self) -> None:
        """Give the agent another turn; start it again where it takes none."""
        runtime = self.runtime
        agent = self.agent
        assert agent is not None
        instructions = str(runtime.state.signal_dir / "instructions.md") if runtime.state.signal_dir else ""
        if await self._call(agent, "send_turn", self.deadlines.kickoff * KICKOFF_TRIES, instructions):
            return
        await self._stop_agent()
        self.agent = None
        await self._launch_and_kick_off()

    async def _merge(self) -> None:
        runtime = self.runtime
        url = runtime.artifacts.pr_url
        if url is None or not runtime.task.pull_request:
            runtime.state.transition(TaskStatus.COMPLETED)
            return
        self._event("task_pr_merging", url)
        # A merge that ends while we are being cancelled has happened all the same.
        await self._step("merge_pr", self.runner.merger, MERGE, url, keep=self._merged)

    def _merged(self, _: object) -> None:
        self.runtime.state.transition(TaskStatus.PR_MERGED)

    async def _stop_agent(self) -> None:
        address = self.runtime.artifacts.agent_address
        if address is not None:
            await call_step(self.runner.executor, address, "teardown", self.runtime.state.signal_dir, False)

    async def _step(
        self,
        method: str,
        table: StepDispatch[Any],
        seconds: float,
        *args: object,
        keep: Callable[[Any], None] | None = None,
        detachable: bool = False,
    ) -> Any:
        """Look a step up, ask it whether its effect is there already, and run it."""
        runner, runtime = self.runner, self.runtime
        step = table(runtime)
        how = runner.ways.get((type(step), method)) or runner.way_to_call(step, method)
        if how.reconciles:
            present, value = await self._reconcile(step, method)
            if present:
                if keep is not None:
                    keep(value)
                return value
        if how.is_async:
            result = await self._timed(getattr(step, method)(runtime, *args), seconds, method, detachable=detachable)
            if keep is not None:
                keep(result)
            return result
        work = call_step(runner.executor, step, method, runtime, *args, keep=keep)
        return await self._timed(work, seconds, method, detachable=detachable)

    async def _reconcile(self, step: object, method: str) -> tuple[bool, Any]:
        for look in range(LOOKS):
            if look:
                await asyncio.sleep(LOOK_PAUSE)
            answer = await self._call(step, "reconcile", PREPARE, self.runtime)
            value = None
            if isinstance(answer, tuple):
                answer, value = answer
            elif isinstance(answer, Agent):
                answer, value = "present", answer
            if answer == "absent":
                return False, None
            if answer == "present":
                return True, value
        raise Lost(f"cannot tell whether {method} of {self.runtime.task.id!r} has happened already")

    async def _call(self, target: object, method: str, seconds: float, *args: object) -> Any:
        return await self._timed(call_step(self.runner.executor, target, method, *args), seconds, method)

    async def _timed(
        self, work: Coroutine[Any, Any, Any], seconds: float, overdue: str | Exception, *, detachable: bool = False
    ) -> Any:
        """Await `work` with a deadline; leave it at once, if it may be left, when the run is detached.

        `overdue` is the step's method, or the error itself, for a wait that outlasts its deadline.
        """
        wait = self.wait
        self._leave_if_detached(work)
        wait.due = monotonic() + seconds
        wait.detachable = detachable
        try:
            result = await work
        except asyncio.CancelledError:
            why = wait.taken_back()
            if why is Interruption.DETACHED:
                raise Detached from None
            if why is Interruption.OVERDUE:
                raise _overdue(overdue, seconds) from None
            raise
        finally:
            wait.due = None
            wait.detachable = False
        self._leave_if_detached()
        return result

    def _leave_if_detached(self, work: Coroutine[Any, Any, Any] | None = None) -> None:
        if self.detached and self.runtime.state.status not in ENDED:
            if work is not None:
                work.close()
            raise Detached

    def _failed(self, error: str) -> None:
        self.runtime.state.transition(TaskStatus.FAILED)
        self.runtime.state.error = error

    def _event(self, kind: str, message: str) -> None:
        listener = self.runner.on_event
        if listener is not None:
            task = self.runtime.task
            listener(
                Event(
                    kind=kind,
                    task_id=task.id,
                    workstream_id=task.workstream_id,
                    attempt_num=self.runtime.state.attempt_num,
                    message=message,
                )
            )


def _overdue(overdue: str | Exception, seconds: float) -> Exception:
    if isinstance(overdue, Exception):
        return overdue
    text = f"{overdue} did not end within {seconds:g} s"
    return AgentFailure(text) if overdue in AGENT_STEPS else Internal(text)
