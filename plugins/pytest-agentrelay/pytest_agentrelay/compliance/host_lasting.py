"""What a host knows of its agents while they live: who they are, that they live, and how all of one is ended."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from agentrelay_core.runtime import AgentAddress, IntegrationError
from pytest_agentrelay.compliance.capabilities import needs_capability
from pytest_agentrelay.compliance.faults import fault, name_of, raised
from pytest_agentrelay.compliance.host_checks import IDLE, HostChecks
from pytest_agentrelay.compliance.hosts import Bench
from pytest_agentrelay.compliance.leftovers import left_since, present


class LastingChecks(HostChecks):
    """How agents live, are told apart, found again and ended."""

    def test_alive_while_it_runs(self) -> None:
        """`is_alive` says alive, or unknown, of a program that runs, never ended."""

        async def work() -> None:
            async with self._bench() as bench:
                address = await self._start(bench, self._context(), *IDLE)
                answer = await bench.ask("is_alive", address)
                if answer not in ("alive", "unknown"):
                    fault(
                        f"{name_of(bench.host, 'is_alive')} says {answer!r} of a program that runs.",
                        'return "alive", "ended" or "unknown"; "ended" by proof alone.',
                    )

        self.run(work)

    def test_unknown_is_not_dead(self) -> None:
        """A host that did not start the agent says alive or unknown of it, never ended: unknown is never dead."""

        async def work() -> None:
            async with self._bench() as bench:
                address = await self._idle(bench)
                stranger = Bench(self.make_host())
                answer = await stranger.ask("is_alive", address)
                if answer == "ended" and await bench.ask("is_alive", address) != "ended":
                    fault(
                        f"{name_of(bench.host, 'is_alive')}, of a host made anew, says 'ended' of an agent that lives.",
                        'look the agent up by its address; what this host knows nothing of is "unknown": an agent that '
                        "is taken for dead is started a second time.",
                    )

        self.run(work)

    def test_ended_when_it_has_ended(self) -> None:
        """`is_alive` says ended of a program whose end `wait` has told."""

        async def work() -> None:
            async with self._bench() as bench:
                address = await self._start(bench, self._context(), "sh", "-c", "exit 0")
                await bench.ended(address)
                answer = await bench.ask("is_alive", address)
                if answer != "ended":
                    fault(
                        f"{name_of(bench.host, 'is_alive')} says {answer!r} of a program whose end `wait` has told.",
                        'return "ended": otherwise nobody ever stops waiting for it.',
                    )

        self.run(work)

    def test_stop_leaves_nothing(self) -> None:
        """`stop` ends the program and everything that it started; no process, descriptor or thread is left."""
        argv = ("sh", "-c", "sleep 600 & (sleep 600 &) ; echo ready; sleep 600")

        async def work(name: str) -> Any:
            async with self._bench() as bench:
                address = await self._start(bench, self._context(name), *argv)
                await bench.printed(address, b"ready", self.patience)
                waiting = asyncio.ensure_future(bench.ended(address))
                await asyncio.wait((waiting,), timeout=0.05)
                try:
                    await bench.ask("stop", address)
                except Exception as error:
                    fault(f"{name_of(bench.host, 'stop')} {raised(error)}.", "let it end an agent that runs.")
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
                bench.started.clear()  # what is left now is its fault
                return bench.host

        self.run(lambda: work("warm"))  # caches that are filled once are not left behind
        before = present(self.place)
        host = self.run(lambda: work("one"))
        found = left_since(before, self.place, self.patience)
        if found:
            fault(
                f"{name_of(host, 'stop')} left {', '.join(found)}.",
                "end the whole process group, and whoever has AGENTRELAY_SIGNAL_DIR of this attempt; "
                "wait for their end, and close what was opened for them.",
            )

    def test_stopping_twice_is_safe(self) -> None:
        """`stop` of an agent that has ended already raises nothing."""

        async def work() -> None:
            async with self._bench() as bench:
                address = await self._idle(bench)
                with suppress(Exception):
                    await bench.ask("stop", address)
                try:
                    await bench.ask("stop", address)
                except Exception as error:
                    fault(
                        f"{name_of(bench.host, 'stop')} {raised(error)} for an agent that has ended already.",
                        "treat what is gone already as done.",
                    )

        self.run(work)

    def test_cancelled_wait_leaves_the_agent(self) -> None:
        """Cancelling `wait` does not end the agent: another process may go on with it."""

        async def work() -> None:
            async with self._bench() as bench:
                address = await self._idle(bench)
                waiting = asyncio.ensure_future(bench.ended(address))
                await asyncio.wait((waiting,), timeout=0.1)
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
                if await bench.ask("is_alive", address) == "ended":
                    fault(
                        f"{name_of(bench.host, 'wait')} was cancelled, and with it the agent ended.",
                        "when cancelled, stop watching and leave the program alone: ending it is for `stop`.",
                    )

        self.run(work)

    def test_two_agents_do_not_mix(self) -> None:
        """Two agents at once have labels and logs of their own, and stopping one leaves the other alive."""

        async def work() -> None:
            async with self._bench() as bench:
                one = await self._idle(bench, "one", "sh", "-c", "echo from-one; sleep 600")
                other = await self._idle(bench, "two", "sh", "-c", "echo from-two; sleep 600")
                told = await bench.printed(other, b"from-two", self.patience)
                mixed = one.label == other.label or (told and b"from-one" in await bench.ask("output", other))
                with suppress(Exception):
                    await bench.ask("stop", one)
                if mixed or await bench.ask("is_alive", other) == "ended":
                    fault(
                        f"{name_of(bench.host)} mixes {one.label} and {other.label}, the agents of two tasks.",
                        "keep what belongs to an agent in its address, and end what that address stands for alone.",
                    )

        self.run(work)

    def test_adopt_refuses_what_is_no_address(self) -> None:
        """`adopt` of data that no address gave says None, or raises ValueError; it invents no agent."""

        async def work() -> None:
            async with self._bench() as bench:
                nonsense: tuple[Any, ...] = (None, {}, {"pid": -1}, [], "process:1", 7)
                for data in nonsense:
                    said: Any
                    try:
                        found = await bench.ask("adopt", data)
                        said = None if found is None else f"answered {found!r}"
                    except (ValueError, IntegrationError):
                        continue
                    except Exception as error:
                        said = raised(error)
                    if said is not None:
                        fault(
                            f"{name_of(bench.host, 'adopt')} was given {data!r} and {said}.",
                            "check the data's form, and raise ValueError for what `to_json` never gives.",
                        )

        self.run(work)

    @needs_capability("adoptable", "an agent is found again from its address's `to_json` by a new process")
    def test_address_finds_the_agent_again(self) -> None:
        """From `to_json`, by way of JSON, a host that is made anew finds the very agent, alive, and can end it."""

        async def work() -> None:
            async with self._bench() as bench:
                address = await self._idle(bench)
                later = Bench(self.make_host())
                try:
                    data: Any = json.loads(json.dumps(address.to_json()))
                except (TypeError, ValueError) as error:
                    fault(
                        f"{name_of(address, 'to_json')} gives what JSON cannot hold ({error}).",
                        "return dicts, lists, texts and numbers alone.",
                    )
                found = None if data is None else await later.ask("adopt", data)
                same = isinstance(found, AgentAddress) and found.label == address.label
                if not same or await later.ask("is_alive", found) != "alive":
                    fault(
                        f"{name_of(bench.host, 'adopt')} does not find {address.label} again, alive, from {data!r}.",
                        "put into `to_json` all that a new process needs, and look the agent up in `adopt`; "
                        "or do not declare 'adoptable'.",
                    )

        self.run(work)

    @needs_capability("reports_usage", "`address.cpu_seconds` tells how much the agent has used")
    def test_usage_is_told(self) -> None:
        """`address.cpu_seconds()` of a live agent is a number of seconds."""

        async def work() -> None:
            async with self._bench() as bench:
                address = await self._idle(bench)
                used = await asyncio.to_thread(address.cpu_seconds)
                if not isinstance(used, int | float) or isinstance(used, bool) or used < 0:
                    fault(
                        f"{name_of(address, 'cpu_seconds')} says {used!r} of a live agent.",
                        "return the CPU seconds of the agent and all that it started, or do not declare "
                        "'reports_usage'.",
                    )

        self.run(work)

    @needs_capability("remote", "agents live on another machine, which can become unreachable")
    def test_unreachable_is_unknown(self) -> None:
        """When the place where the agent lives cannot be reached, `is_alive` says unknown."""

        async def work() -> None:
            async with self._bench() as bench:
                address = await self._idle(bench)
                self.cut_off(address)
                answer = await bench.ask("is_alive", address)
                if answer != "unknown":
                    fault(
                        f"{name_of(bench.host, 'is_alive')} says {answer!r} while its agents cannot be reached.",
                        'return "unknown" when the question itself fails; "ended" by proof alone.',
                    )

        self.run(work)
