"""How signal files are read: whole, fresh, without following links, and with everything that they say."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agentrelay_core.runtime import ProtocolViolation, TaskRuntime
from pytest_agentrelay.compliance.faults import fault, name_of, raised
from pytest_agentrelay.compliance.waiting import REASON, STAMP, URL, WaitingChecks

# More than any signal has, in bytes.
TOO_LARGE: Final = 1024 * 1024


class SignallingChecks(WaitingChecks):
    """What signals become."""

    def test_done_is_told(self) -> None:
        """A ``.done`` with a URL becomes the outcome done with that URL."""
        self._ends(
            lambda runtime: self.say(runtime, ".done", f"{STAMP}\n{URL}\n"),
            lambda signal: signal.outcome == "done" and signal.pr_url == URL,
            "a .done with a timestamp and a URL",
            f"TaskCompletionSignal('done', pr_url={URL!r})",
        )

    def test_failed_is_told(self) -> None:
        """A ``.failed`` becomes the outcome failed, with the agent's reason as its error."""
        self._ends(
            lambda runtime: self.say(runtime, ".failed", f"{STAMP}\n{REASON}\n"),
            lambda signal: signal.outcome == "failed" and signal.error is not None and REASON in signal.error,
            "a .failed with a timestamp and a reason",
            f"TaskCompletionSignal('failed', error={REASON!r})",
        )

    def test_concerns_are_told(self) -> None:
        """The lines of ``concerns.log`` arrive as concerns."""

        def signal_with_concerns(runtime: TaskRuntime) -> None:
            self.say(runtime, "concerns.log", "the clock is wrong\nthe cache was cold\n")
            self.say(runtime, ".done", f"{STAMP}\n{URL}\n")

        self._ends(
            signal_with_concerns,
            lambda signal: (
                signal.outcome != "done" or signal.concerns[:2] == ("the clock is wrong", "the cache was cold")
            ),
            "a concerns.log of two lines and a .done",
            "both lines, in order, in `concerns` (agentrelay_core.signals.read_concerns reads them safely)",
        )

    def test_half_written_is_not_taken(self) -> None:
        """A signal that its writer is still at is read when it is whole, not when its first line is there."""
        self.run(self._half)

    async def _half(self) -> None:
        async with self._waiting() as (runtime, step, waiting):
            assert runtime.state.signal_dir is not None
            path = runtime.state.signal_dir / ".done"
            for part in ("", f"{STAMP}\n"):
                with path.open("a", encoding="utf-8") as file:
                    file.write(part)
                await asyncio.wait((waiting,), timeout=self.watched)
            if waiting.done():
                fault(
                    f"{name_of(step, self.method)} took a .done while its writer was at it.",
                    "take a signal once it has two whole lines, a shorter one only when it stayed unchanged for 2 s; "
                    "agentrelay_core.signals.wait_for_signal does so.",
                )
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{URL}\n")
            await self._result(runtime, step, waiting)

    def test_malformed_is_a_violation(self) -> None:
        """Both signals, a link or a flood instead of a signal raise ProtocolViolation: nobody guesses."""

        def both(directory: Path) -> None:
            (directory / ".failed.part").write_text(f"{STAMP}\n{REASON}\n")
            (directory / ".done.part").write_text(f"{STAMP}\n")  # half, so that .failed is not seen alone
            (directory / ".done.part").rename(directory / ".done")
            (directory / ".failed.part").rename(directory / ".failed")

        def link(directory: Path) -> None:
            (directory.parent / "secret").write_text(f"{STAMP}\n{URL}\n")
            (directory / ".done").symlink_to(directory.parent / "secret")

        def flood(directory: Path) -> None:
            (directory / ".done.part").write_bytes(b"x\n" * (TOO_LARGE // 2))
            (directory / ".done.part").rename(directory / ".done")

        for name, make in (("both .done and .failed", both), ("a link for .done", link), ("a .done of 1 MiB", flood)):
            self.run(lambda name=name, make=make: self._violated(name, make))  # type: ignore[misc]

    async def _violated(self, name: str, make: Callable[[Path], None]) -> None:
        async with self._waiting(name.split()[-1].strip(".")) as (runtime, step, waiting):
            assert runtime.state.signal_dir is not None
            make(runtime.state.signal_dir)
            await asyncio.wait((waiting,), timeout=self.deadline / 2)
            error = waiting.exception() if waiting.done() and not waiting.cancelled() else None
            if not isinstance(error, ProtocolViolation):
                did = "went on waiting" if not waiting.done() else raised(error) if error else "returned a signal"
                fault(
                    f"{name_of(step, self.method)} met {name} and {did}.",
                    "raise agentrelay_core.runtime.ProtocolViolation; agentrelay_core.signals.wait_for_signal reads "
                    "signals without following links, and only to a limit.",
                )

    def test_stale_is_not_taken(self) -> None:
        """A signal with the nonce of another attempt does not end the wait; the attempt's own does."""
        self.run(self._stale)

    async def _stale(self) -> None:
        async with self._waiting() as (runtime, step, waiting):
            self.say(runtime, ".failed", f"{STAMP}\nan older attempt\nnonce={'0' * 32}\n")
            await asyncio.wait((waiting,), timeout=self.watched)
            if waiting.done():
                fault(
                    f"{name_of(step, self.method)} took a signal whose nonce is another attempt's.",
                    "compare line 3 with runtime.artifacts.signal_nonce: a wrong nonce is stale, none at all is good.",
                )
            assert runtime.state.signal_dir is not None
            (runtime.state.signal_dir / ".failed").unlink()
            self.say(runtime, ".done", f"{STAMP}\n{URL}\nnonce={runtime.artifacts.signal_nonce}\n")
            await self._result(runtime, step, waiting)
