"""The smallest host, and mutants of it that differ by one behaviour each."""

# ruff: noqa: D101  # a mutant's name, and the check that catches it, say how it differs

import asyncio
import os
import signal

import attrs
from plain import TABLE, PlainAddress, PlainHost, PlainPlugin, end
from pytest_agentrelay.compliance import EnvironmentCompliance
from reference import block, do_io, use_undeclared_program


class CutOff(EnvironmentCompliance):
    """An agent of the smallest host is far away as soon as its address says so."""

    __test__ = False

    def cut_off(self, address):
        address.reachable = False


class Reference(PlainHost):
    """Keeps every promise, the stronger ones too."""

    capabilities = ("adoptable", "reports_usage", "remote")


class CannotStop(PlainHost):
    caught_by = "test_has_every_method"
    stop = None


class ReadsAtConstruction(PlainHost):
    caught_by = "test_construction_does_no_io"

    def __init__(self):
        do_io()


class Blocks(PlainHost):
    caught_by = "test_leaves_the_event_loop_free"

    async def output(self, address):
        block()
        return super().output(address)


class StartsUndeclared(PlainHost):
    caught_by = "test_needs_are_declared"

    def child(self, command, context):
        use_undeclared_program()
        return super().child(command, context)


class RunsElsewhere(PlainHost):
    caught_by = "test_runs_in_the_worktree"

    def cwd(self, state):
        return state.signal_dir


class DropsEmptyArguments(PlainHost):
    caught_by = "test_hands_over_arguments"

    def child(self, command, context):
        return super().child(attrs.evolve(command, argv=tuple(filter(None, command.argv))), context)


class FlattensVariables(PlainHost):
    caught_by = "test_hands_over_variables"

    def child(self, command, context):
        env = {name: value.replace("\n", " ") for name, value in command.env.items()}
        return super().child(attrs.evolve(command, env=env), context)


class GivesNoInput(PlainHost):
    caught_by = "test_hands_over_standard_input"

    def child(self, command, context):
        return super().child(attrs.evolve(command, stdin=None), context)


class TellsAtTheEnd(PlainHost):
    caught_by = "test_output_is_told_while_it_runs"

    def output(self, address):
        return b"" if TABLE[address.number].poll() is None else super().output(address)


class LosesTheLog(PlainHost):
    caught_by = "test_teardown_saves_the_log"

    def start(self, command, context):
        address = super().start(command, context)

        def teardown(signal_dir=None, keep_panes=False):
            end(address.number)
            (address.signal_dir / "agent.log").unlink(missing_ok=True)

        address.teardown = teardown
        return address


class CallsEveryEndGood(PlainHost):
    caught_by = "test_exit_code_is_told"

    async def wait(self, address):
        await super().wait(address)
        return 0


class StartsTheMissing(PlainHost):
    """Lets the exception of the standard library through."""

    caught_by = "test_missing_program_is_told"

    def start(self, command, context):
        try:
            return super().start(command, context)
        except RuntimeError as error:
            raise FileNotFoundError(command.argv[0]) from error
        except Exception as error:
            if isinstance(error, ValueError):
                raise
            raise FileNotFoundError(command.argv[0]) from error


class NamesNoField(PlainHost):
    caught_by = "test_refuses_missing_paths"

    def start(self, command, context):
        if context.runtime.state.signal_dir is None:
            raise ValueError("not prepared")
        return super().start(command, context)


class CallsTheLivingDead(PlainHost):
    caught_by = "test_alive_while_it_runs"

    def is_alive(self, address):
        return "ended"


class KnowsItsOwnAlone(PlainHost):
    """Takes for dead what it did not start itself."""

    caught_by = "test_unknown_is_not_dead"

    def __init__(self):
        self.own = set()

    def child(self, command, context):
        child = super().child(command, context)
        self.own.add(child.pid)
        return child

    def is_alive(self, address):
        return super().is_alive(address) if address.number in self.own else "ended"


class NeverEnds(PlainHost):
    caught_by = "test_ended_when_it_has_ended"

    def is_alive(self, address):
        return "alive"


class LeavesChildren(PlainHost):
    caught_by = "test_stop_leaves_nothing"

    def stop(self, address):
        child = TABLE[address.number]
        if child.poll() is None:
            child.kill()
            child.wait()


class StopsOnce(PlainHost):
    caught_by = "test_stopping_twice_is_safe"

    def stop(self, address):
        if TABLE[address.number].returncode is not None and TABLE[address.number].returncode < 0:
            raise ProcessLookupError(address.number)
        super().stop(address)


class EndsWithItsWait(PlainHost):
    caught_by = "test_cancelled_wait_leaves_the_agent"

    async def wait(self, address):
        try:
            return await super().wait(address)
        except asyncio.CancelledError:
            end(address.number)
            raise


class OneLabel(PlainHost):
    caught_by = "test_two_agents_do_not_mix"

    def start(self, command, context):
        address = super().start(command, context)
        return type("OneLabelAddress", (PlainAddress,), {"label": "plain"})(address.number, address.signal_dir)


class StopsAll(PlainHost):
    caught_by = "test_two_agents_do_not_mix"

    def stop(self, address):
        for number, child in TABLE.items():
            if child.poll() is None:
                os.killpg(number, signal.SIGKILL)
                child.wait()


class InventsAgents(PlainHost):
    caught_by = "test_adopt_refuses_what_is_no_address"

    def adopt(self, data):
        return PlainAddress(1, None)


class TripsOverData(PlainHost):
    caught_by = "test_adopt_refuses_what_is_no_address"

    def adopt(self, data):
        return PlainAddress(data["plain"], data["signal_dir"])


class AdoptsNobody(PlainHost):
    caught_by = "test_address_finds_the_agent_again"
    capabilities = ("adoptable",)

    def adopt(self, data):
        super().adopt(data)


class KnowsNoUsage(PlainHost):
    caught_by = "test_usage_is_told"
    capabilities = ("reports_usage",)

    def start(self, command, context):
        address = super().start(command, context)
        address.cpu_seconds = lambda: None
        return address


class TakesTheFarForDead(PlainHost):
    caught_by = "test_unreachable_is_unknown"
    capabilities = ("remote",)

    def is_alive(self, address):
        return super().is_alive(address) if address.reachable else "ended"


MUTANTS = [each for each in list(globals().values()) if isinstance(each, type) and hasattr(each, "caught_by")]
COMPLIANCE = EnvironmentCompliance
for each in (Reference, *MUTANTS):
    globals()[f"Test{each.__name__}"] = type(
        f"Test{each.__name__}",
        (CutOff,),
        {
            "__module__": __name__,
            "plugin": PlainPlugin(each),
            "environment": "plain",
            "capabilities": getattr(each, "capabilities", ()),
            "patience": 0.5,
        },
    )
