"""How an attempt ends: signals, exits, and what happens when both come."""

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from agentrelay_core.builtin.host import ProcessHost
from agentrelay_core.runtime import AgentAddress, AgentFailure, InternalIntegrationError, ProtocolViolation
from agentrelay_core.task_runner import TaskCompletionSignal

Prepare = Callable[..., Any]

DONE = 'printf "2026-01-01T00:00:00Z\\nhttps://forge/pr/1\\n" > "$AGENTRELAY_SIGNAL_DIR/.done"'
FAILED = 'printf "2026-01-01T00:00:00Z\\ncannot do it\\n" > "$AGENTRELAY_SIGNAL_DIR/.failed"'
FIFO = '"$AGENTRELAY_SIGNAL_DIR/fifo"'


async def test_exit_0_is_done(prepared: Prepare) -> None:
    """A program that exits 0 without a word has done its task."""
    signal = await prepared("true").run()
    assert signal == TaskCompletionSignal("done", ended="done")


async def test_exit_code_is_failed_with_the_last_lines(prepared: Prepare) -> None:
    """Any other exit has failed; the error has the end of the output."""
    signal = await prepared("for i in 1 2 3; do echo line $i; done; exit 3").run()
    assert signal == TaskCompletionSignal(
        "failed", error="the command exited 3:\nline 1\nline 2\nline 3", ended="failed"
    )


async def test_death_by_signal(prepared: Prepare) -> None:
    """A program that a signal ended has died."""
    signal = await prepared("kill -9 $$").run()
    assert signal == TaskCompletionSignal("failed", error="the command was ended by SIGKILL (exit 137)", ended="died")


async def test_missing_program_of_a_shell_line(prepared: Prepare) -> None:
    """Exit 127 of a command line names the program that is missing."""
    signal = await prepared("no-such-agent --yes").run()
    assert signal.error.startswith("program no-such-agent not found on PATH:")


async def test_done_with_url_and_concerns(prepared: Prepare) -> None:
    """A signal's URL and concerns arrive, with an exit code of 0 without further notice."""
    one = prepared(f'echo "mind the gap" > "$AGENTRELAY_SIGNAL_DIR/concerns.log"; {DONE}')
    signal = await one.run()
    assert signal == TaskCompletionSignal("done", pr_url="https://forge/pr/1", concerns=("mind the gap",), ended="done")


async def test_concerns_without_a_signal(prepared: Prepare) -> None:
    """Concerns arrive although the program ended without a signal."""
    signal = await prepared('echo "mind the gap" > "$AGENTRELAY_SIGNAL_DIR/concerns.log"; exit 1').run()
    assert (signal.outcome, signal.concerns) == ("failed", ("mind the gap",))


async def test_failed_beats_exit_0(prepared: Prepare) -> None:
    """An agent that says it failed has failed, whatever its exit code."""
    signal = await prepared(f"{FAILED}; exit 0").run()
    assert signal == TaskCompletionSignal("failed", error="cannot do it", ended="failed")


async def test_done_beats_a_later_exit_code(prepared: Prepare) -> None:
    """An agent that says it is done is done; a later exit code is a concern."""
    signal = await prepared(f"{DONE}; exit 3").run()
    assert (signal.outcome, signal.concerns, signal.ended) == ("done", ("exited 3 after .done",), "done")


async def test_signal_decides_at_once(prepared: Prepare) -> None:
    """Once the signal is whole the outcome is fixed, even if the program changes its mind before it ends."""
    change = f'rm "$AGENTRELAY_SIGNAL_DIR/.done"; {FAILED}; exit 5'
    one = prepared(f"on_term() {{ {change}; }}; trap on_term TERM; {DONE}; while :; do sleep 0.01; done")
    signal = await one.run(grace=0.1)
    assert (one.signal_dir / ".failed").exists()
    assert (signal.outcome, signal.concerns) == ("done", ())


async def test_program_that_stays_is_stopped(prepared: Prepare) -> None:
    """After its signal a program is given the grace, then it is stopped, and that is no concern."""
    one = prepared(f"{DONE}; exec sleep 600")
    agent = await one.launch()
    began = time.monotonic()
    signal = await one.checker(grace=0.2).wait_for_completion(one.runtime)
    assert time.monotonic() - began >= 0.2
    assert (signal.outcome, signal.concerns) == ("done", ())
    assert await agent.address.program.is_alive() == "ended"
    await agent.address.teardown(one.signal_dir)


@pytest.mark.fault("A1")
async def test_signal_written_in_two_halves(prepared: Prepare) -> None:
    """A signal in halves is taken whole when the second half comes."""
    one = prepared(
        f'echo now > "$AGENTRELAY_SIGNAL_DIR/.done"; read line < {FIFO}; '
        f'echo https://forge/pr/7 >> "$AGENTRELAY_SIGNAL_DIR/.done"; exec sleep 600'
    )
    agent = await one.launch()
    waiting = asyncio.create_task(one.checker(grace=0.1).wait_for_completion(one.runtime))
    await one.fifo.write("go\n")
    assert (await waiting).pr_url == "https://forge/pr/7"
    await agent.address.teardown(one.signal_dir)


async def test_half_a_signal_counts_at_the_end(prepared: Prepare) -> None:
    """A short signal is taken as it is when its writer is gone, at once."""
    one = prepared('printf "no reason, no newline" > "$AGENTRELAY_SIGNAL_DIR/.failed"; exit 0')
    signal = await one.run()
    assert (signal.outcome, signal.error) == ("failed", "no reason, no newline")


@pytest.mark.fault("A6")
async def test_both_signals_are_a_violation(prepared: Prepare) -> None:
    """Who says both has broken the protocol; nothing is left waiting."""
    one = prepared(f"{FAILED}; {DONE}")
    agent = await one.launch()
    await agent.address.program.wait()  # type: ignore[attr-defined]
    with pytest.raises(ProtocolViolation, match="holds both"):
        await one.checker().wait_for_completion(one.runtime)
    await agent.address.teardown(one.signal_dir)
    assert len(asyncio.all_tasks()) == 1


async def test_the_group_ends_with_its_first_process(prepared: Prepare) -> None:
    """What a program leaves running in its group ends when it does."""
    one = prepared("sleep 600 & sleep 600 & exit 0")
    await one.launch()
    signal = await one.checker().wait_for_completion(one.runtime)
    assert signal.outcome == "done"
    assert one.left() == []


async def test_detached_descendants_end_too(prepared: Prepare) -> None:
    """What left the group and the session ends as well."""
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        print('daemon', os.getpid(), file=open(os.environ['AGENTRELAY_SIGNAL_DIR'] + '/fifo', 'w'))\n"
        "        time.sleep(600)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
    )
    one = prepared((sys.executable, "-c", code))
    await one.launch()
    daemon = int((await one.fifo.read()).split()[1])
    assert one.left() in ([daemon], sorted([daemon, one.runtime.artifacts.agent_address.program.identity.pid]))
    signal = await one.checker().wait_for_completion(one.runtime)
    assert signal.outcome == "done"
    assert one.left() == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_cancelled_wait_leaves_nothing(prepared: Prepare) -> None:
    """A wait that is cancelled leaves no task and no descriptor of its own; the agent goes on."""
    one = prepared(f"echo > {FIFO}; exec sleep 600")
    agent = await one.launch()
    await one.fifo.read()
    before = _descriptors()
    waiting = asyncio.create_task(one.checker().wait_for_completion(one.runtime))
    while _descriptors() == before:  # noqa: ASYNC110  # its pidfd
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert len(asyncio.all_tasks()) == 1
    assert _descriptors() - before <= {"anon_inode:inotify"}  # one for all waits of the loop, kept by it
    assert await agent.address.program.is_alive() == "alive"
    await agent.address.teardown(one.signal_dir)


def _descriptors() -> set[str]:
    own = Path("/proc/self/fd") if sys.platform.startswith("linux") else Path("/dev/fd")
    links = set()
    for entry in own.iterdir():
        with contextlib.suppress(OSError):  # that of the listing itself, or one that another thread closed
            links.add(str(entry.readlink()))
    return links


@pytest.mark.parametrize("field", ["signal_dir", "agent_address"])
async def test_wait_needs_a_launched_task(prepared: Prepare, field: str) -> None:
    """Waited for too early, the error names the field that is not set."""
    one = prepared("true")
    agent = await one.launch()
    if field == "signal_dir":
        one.runtime.state.signal_dir, kept = None, one.runtime.state.signal_dir
    else:
        one.runtime.artifacts.agent_address, kept = None, one.signal_dir
    with pytest.raises(ValueError, match=f"{field} of task 'build' is not set"):
        await one.checker().wait_for_completion(one.runtime)
    one.runtime.state.signal_dir = kept
    await agent.address.teardown(kept)


def _with_host(one: Any, host: object) -> Any:
    return one.evolve(environment=attrs.evolve(one.context.environment, host=lambda environment: host))


class _Forgetful(ProcessHost):
    """A host that has lost contact: it cannot say whether anything has ended, until it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = ["unknown", "alive", "unknown"]
        self.asked = asyncio.Event()

    async def wait(self, address: AgentAddress) -> int | None:
        return None

    async def is_alive(self, address: AgentAddress) -> Any:
        if not self.answers:
            self.asked.set()
            return "unknown"
        return self.answers.pop(0)


@pytest.mark.fault("A11")
async def test_unknown_is_never_dead(prepared: Prepare) -> None:
    """While the host knows nothing the wait goes on, and a signal is still noticed."""
    host = _Forgetful()
    one = _with_host(prepared(f"read line < {FIFO}; {DONE}"), host)
    agent = await one.launch()
    waiting = asyncio.create_task(one.checker(look_again=0.001, grace=0.05).wait_for_completion(one.runtime))
    await host.asked.wait()
    assert not waiting.done()
    await one.fifo.write("go\n")
    assert (await waiting).outcome == "done"
    await agent.address.teardown(one.signal_dir)


async def test_an_end_of_which_no_exit_code_is_known(prepared: Prepare) -> None:
    """An end that is certain, with an exit code that nobody knows, is a death."""
    host = _Forgetful()
    host.answers += ["ended"]
    one = _with_host(prepared("echo last words"), host)
    signal = await one.run(look_again=0.001)
    assert (signal.outcome, signal.ended) == ("failed", "died")
    assert signal.error.startswith("the command ended, its exit code is not known")


class _Failing(ProcessHost):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    async def wait(self, address: AgentAddress) -> int | None:
        raise self.error


async def test_host_that_fails_is_a_typed_error(prepared: Prepare) -> None:
    """A host's failure to wait names the agent and the error; one that has a type keeps it."""
    one = prepared("exec sleep 600")
    agent = await one.launch()
    with pytest.raises(InternalIntegrationError, match=r"the end of process:\d+ could not be awaited: OSError: lost"):
        await _with_host(one, _Failing(OSError("lost"))).checker().wait_for_completion(one.runtime)
    with pytest.raises(AgentFailure, match="stuck"):
        await _with_host(one, _Failing(AgentFailure("stuck"))).checker().wait_for_completion(one.runtime)
    await agent.address.teardown(one.signal_dir)


async def test_signal_stands_although_the_host_fails(prepared: Prepare) -> None:
    """What the agent said is not undone by a host that fails; that is a concern."""
    one = prepared(DONE)
    agent = await one.launch()
    await agent.address.program.wait()  # type: ignore[attr-defined]
    signal = await _with_host(one, _Failing(OSError("lost"))).checker().wait_for_completion(one.runtime)
    assert signal.outcome == "done"
    assert signal.concerns == (
        f"the agent could not be ended after its signal: the end of {agent.address.label} could not be awaited: "
        "OSError: lost",
    )
    await agent.address.teardown(one.signal_dir)


class _Plain:
    """A host of plain functions, as a plugin's may be; its ``wait`` blocks its thread."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self.exit_code: int | None = 5

    def start(self, command: Any, context: Any) -> AgentAddress:
        return _Somewhere()

    def wait(self, address: AgentAddress) -> int | None:
        self.stopped.wait(60)
        return self.exit_code

    def is_alive(self, address: AgentAddress) -> str:
        return "ended" if self.stopped.is_set() else "alive"

    def output(self, address: AgentAddress) -> bytes:
        return b"one\ntwo\n"

    def stop(self, address: AgentAddress) -> None:
        self.stopped.set()


class _Somewhere(AgentAddress):
    @property
    def label(self) -> str:
        return "somewhere"

    def teardown(self, signal_dir: Path | None = None, keep_panes: bool = False) -> None:
        """Nothing is held."""


async def test_host_of_plain_functions(prepared: Prepare) -> None:
    """A host may be plain functions; its exit code and output are read in the same way."""
    host = _Plain()
    one = _with_host(prepared("true"), host)
    await one.launch()
    waiting = asyncio.create_task(one.checker().wait_for_completion(one.runtime))
    await asyncio.to_thread(host.stop, _Somewhere())
    assert (await waiting).error == "the command exited 5:\none\ntwo"


async def test_blocking_wait_is_left_at_once(prepared: Prepare) -> None:
    """A cancelled wait does not wait for the thread in which a host blocks, and holds no thread of the pool."""
    host = _Plain()
    one = _with_host(prepared("true"), host)
    await one.launch()
    tasks = [asyncio.create_task(one.checker().wait_for_completion(one.runtime)) for _ in range(50)]
    while sum(thread.name == "wait somewhere" for thread in threading.enumerate()) < 50:  # noqa: ASYNC110
        await asyncio.sleep(0)
    assert await asyncio.wait_for(asyncio.to_thread(lambda: 1), 60) == 1
    began = time.monotonic()
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert time.monotonic() - began < 5
    host.stopped.set()


async def test_many_at_once(prepared: Prepare, tmp_path: Path) -> None:
    """A hundred waits are told apart, and each ends with its own program."""
    one = prepared("true")
    made = []
    for number in range(100):
        runtime = attrs.evolve(one.runtime)
        signal_dir = tmp_path / f"signals-{number}"
        signal_dir.mkdir()
        runtime.state = attrs.evolve(one.runtime.state, signal_dir=signal_dir, attempt_num=number)
        runtime.artifacts = attrs.evolve(one.runtime.artifacts)
        options = attrs.evolve(one.context.options, command=f"exit {number}")
        made.append(one.evolve(runtime=runtime, options=options))
    signals = await asyncio.gather(*(each.run() for each in made))
    assert [signal.error for signal in signals] == [None, *(f"the command exited {n}" for n in range(1, 100))]
