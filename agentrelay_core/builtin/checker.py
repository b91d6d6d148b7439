"""The completion checker of every pair that has none of its own: signal files joined with the program's end.

A whole signal decides at once, and what the program does afterwards is a concern at most. A program that ends without
one has, after a last look for it, the outcome that its framework reads from the exit code and the last lines.
"""

import asyncio
import contextlib
from pathlib import Path

import attrs

from agentrelay_core.builtin.output import OutputReader
from agentrelay_core.builtin.required import framework_of, host_of, required_address, required_path
from agentrelay_core.builtin.watching import program_ended
from agentrelay_core.hooks import EnvironmentHost, Framework, StepContext
from agentrelay_core.processes import describe_exit
from agentrelay_core.runtime import (
    AgentAddress,
    IntegrationBoundary,
    IntegrationError,
    Internal,
    InternalIntegrationError,
    TaskRuntime,
)
from agentrelay_core.runtime.untrusted_text import plain_line
from agentrelay_core.signals import final_look, read_concerns, wait_for_signal
from agentrelay_core.task_runner import TaskCompletionSignal
from agentrelay_core.task_runner.calls import call_step

# How much of the output's end a framework is shown.
LAST_BYTES = 65_536
LAST_LINES = 50


@attrs.frozen(eq=False)
class ComposedCompletionChecker:
    """Waits for a signal, or for the end of the agent's program.

    Args:
        context: The task, with the records of its framework and environment.
        grace: Seconds that the program is given to end by itself after its signal; then it is stopped.
        look_again: Seconds between looks while the host does not know whether the program has ended.
        poll_interval: Seconds between looks for signals where the file system does not tell of changes.
    """

    context: StepContext
    grace: float = attrs.field(default=10.0, kw_only=True)
    look_again: float = attrs.field(default=5.0, kw_only=True)
    poll_interval: float = attrs.field(default=2.0, kw_only=True)

    async def wait_for_completion(self, runtime: TaskRuntime) -> TaskCompletionSignal:
        """Wait for the end of the agent's work.

        Args:
            runtime: The task, launched.

        Returns:
            The signal, or the framework's reading of an end without one.

        Raises:
            ValueError: ``signal_dir`` or ``agent_address`` is not set.
            UserError: No installed plugin declares the framework or the environment.
            ProtocolViolation: The agent broke the file protocol.
            IntegrationError: The host could not tell the program's end.
        """
        signal_dir = required_path(runtime, "signal_dir")
        address = required_address(runtime)
        host = host_of(self.context)
        framework = framework_of(self.context)
        nonce = runtime.artifacts.signal_nonce
        ended = asyncio.ensure_future(program_ended(host, address, look_again=self.look_again))
        reader = OutputReader(framework, runtime, signal_dir)
        try:
            reader.begin()
            signal = await self._signal_before(ended, signal_dir, nonce) or final_look(signal_dir, nonce)
            if signal is not None:
                signal = await self._after_signal(signal, ended, host, address)
                await reader.finish()
                return _with_problem(signal, reader)
            exit_code = _exit_code(ended, address)
            await reader.finish()
            signal = _with_problem(_judged(framework, exit_code, await _last_lines(host, address)), reader)
            concerns = (*signal.concerns, *read_concerns(signal_dir))
            died = signal.outcome == "failed" and (exit_code is None or exit_code < 0)
            return attrs.evolve(signal, concerns=concerns, ended=signal.ended or ("died" if died else signal.outcome))
        finally:
            reader.stop()
            ended.cancel()
            await asyncio.gather(ended, return_exceptions=True)

    async def _signal_before(
        self, ended: "asyncio.Future[int | None]", signal_dir: Path, nonce: str | None
    ) -> TaskCompletionSignal | None:
        """Wait for a whole signal; `None` when the program ended first. No task of its own: thousands wait here."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as until_ended:

                def give_up(_: object) -> None:
                    with contextlib.suppress(RuntimeError):  # a signal came first
                        until_ended.reschedule(loop.time())

                ended.add_done_callback(give_up)
                return await wait_for_signal(signal_dir, nonce, poll_interval=self.poll_interval)
        except TimeoutError:
            if not ended.done():
                raise  # the file system's own
            return None

    async def _after_signal(
        self,
        signal: TaskCompletionSignal,
        ended: "asyncio.Future[int | None]",
        host: EnvironmentHost,
        address: AgentAddress,
    ) -> TaskCompletionSignal:
        """Give the program time to end, then stop it; the signal stands whatever comes of that."""
        concern = None
        try:
            await asyncio.wait((ended,), timeout=self.grace)
            if not ended.done():
                await call_step(None, host, "stop", address)
            elif (exit_code := _exit_code(ended, address)) and signal.outcome == "done":
                concern = f"{describe_exit(exit_code)} after .done"
        except Exception as error:
            concern = f"the agent could not be ended after its signal: {plain_line(str(error))}"
        concerns = signal.concerns if concern is None else (*signal.concerns, concern)
        return attrs.evolve(signal, concerns=concerns, ended=signal.ended or signal.outcome)


def _judged(framework: Framework, exit_code: int | None, last_lines: list[str]) -> TaskCompletionSignal:
    """What the framework makes of an end without a signal; its mistake is named as its own."""
    judged: object = framework.outcome(exit_code, last_lines)
    if isinstance(judged, TaskCompletionSignal):
        return judged
    raise Internal(f"outcome of {type(framework).__name__} returned {judged!r:.100}, which is no TaskCompletionSignal")


def _with_problem(signal: TaskCompletionSignal, reader: OutputReader) -> TaskCompletionSignal:
    return attrs.evolve(signal, concerns=(*signal.concerns, reader.problem)) if reader.problem else signal


def _exit_code(ended: "asyncio.Future[int | None]", address: AgentAddress) -> int | None:
    """What the host said; its failure as a typed error."""
    error = ended.exception()
    if error is None or isinstance(error, IntegrationError):
        return ended.result()
    raise InternalIntegrationError(
        f"the end of {address.label} could not be awaited: {type(error).__name__}: {error}",
        boundary=IntegrationBoundary.AGENT_LAUNCH,
    ) from error


async def _last_lines(host: EnvironmentHost, address: AgentAddress) -> list[str]:
    output: bytes = await call_step(None, host, "output", address)
    return output[-LAST_BYTES:].decode(errors="replace").splitlines()[-LAST_LINES:]
