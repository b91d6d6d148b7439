"""Agents outlive the orchestrator: what a killed one left is found, and is the same agent, not another."""

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

from agentrelay_core.builtin.address import ProcessAddress
from agentrelay_core.builtin.host import ProcessHost
from agentrelay_core.builtin.kickoff import ComposedKickoff
from agentrelay_core.builtin.launcher import ComposedAgent, ComposedLauncher
from agentrelay_core.processes import alive, boot_id
from agentrelay_core.processes.ending import send_signal
from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.runtime.agent_records import agent_record
from agentrelay_core.task_runner import StandardTaskRunner, StepDispatch

Prepare = Callable[..., Any]

# Writes its pid and a counter, again and again, until it is told to go; then it exits 7.
COUNTER = """
import itertools, os, time
signals = os.environ["AGENTRELAY_SIGNAL_DIR"]
for number in itertools.count():
    with open(signals + "/proof", "a") as file: print(os.getpid(), number, file=file)
    if os.path.exists(signals + "/go"): break
    time.sleep(0.002)
print("last words")
raise SystemExit(7)
"""
UNTIL_TOLD = 'echo up > "$AGENTRELAY_SIGNAL_DIR/fifo"; read line < "$AGENTRELAY_SIGNAL_DIR/fifo"; '
DONE = 'printf "2026-01-01T00:00:00Z\\n\\n" > "$AGENTRELAY_SIGNAL_DIR/.done"; '

# A small orchestrating process: it launches the prepared task's agent, says where that lives, and waits for ever.
ORCHESTRATE = """
import asyncio, json, sys, time
from pathlib import Path
from agentrelay_core.builtin import agentrelay_environments, agentrelay_frameworks
from agentrelay_core.builtin.environment import ProcessEnvironment
from agentrelay_core.builtin.launcher import ComposedLauncher
from agentrelay_core.builtin.options import CommandOptions
from agentrelay_core.hooks import RunInfo, StepContext
from agentrelay_core.runtime import TaskRuntime
from agentrelay_core.spec import AgentConfig, Task

home, command = Path(sys.argv[1]), json.loads(sys.argv[2])
task = Task(id="build", primary_agent=AgentConfig(environment=ProcessEnvironment()))
runtime = TaskRuntime(task, run_id="run-1", graph_name="graph")
runtime.state.worktree_path, runtime.state.signal_dir = home / "tree", home / "signals"
(framework,), (environment,) = agentrelay_frameworks(), agentrelay_environments()
run = RunInfo(run_id="run-1", graph_name="graph", repository=None, state_dir=home)
options = CommandOptions(command=command if isinstance(command, str) else tuple(command))
context = StepContext(runtime=runtime, run=run, options=options, framework=framework, environment=environment)
print("ready", flush=True)
sys.stdin.readline()
agent = asyncio.run(ComposedLauncher(context).launch(runtime))
print(json.dumps(agent.address.to_json()), flush=True)
time.sleep(600)
"""


async def _orchestrator(one: Any) -> asyncio.subprocess.Process:
    """A process that is just about to launch the agent; its output is the agent's address."""
    arguments = (str(one.signal_dir.parent), json.dumps(one.context.options.command))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    argv = (sys.executable, "-c", ORCHESTRATE, *arguments)
    orchestrator = await asyncio.create_subprocess_exec(*argv, **pipes, start_new_session=True)
    assert orchestrator.stdout is not None
    assert orchestrator.stdin is not None
    assert await orchestrator.stdout.readline() == b"ready\n"
    orchestrator.stdin.write(b"\n")
    await orchestrator.stdin.drain()
    return orchestrator


async def _left_by_a_killed_process(one: Any, until: Callable[[], bool] = lambda: True) -> Any:
    """Launch the agent from another process, kill that by SIGKILL when it is time, and give the address it had."""
    orchestrator = await _orchestrator(one)
    assert orchestrator.stdout is not None
    data = json.loads(await orchestrator.stdout.readline())
    while not until():  # noqa: ASYNC110  # what it waits for is in another process
        await asyncio.sleep(0.001)
    os.killpg(orchestrator.pid, signal.SIGKILL)
    await orchestrator.wait()
    return data


async def _reconciled(one: Any) -> Any:
    """What a launcher of a later session says of this attempt."""
    one.runtime.resumed = True
    return await ComposedLauncher(one.context).reconcile(one.runtime)


async def _adopted(one: Any) -> ProcessAddress:
    answer, agent = await _reconciled(one)
    assert answer == "present"
    assert isinstance(agent, ComposedAgent)
    assert agent.address is one.runtime.artifacts.agent_address
    assert isinstance(agent.address, ProcessAddress)
    return agent.address


def _record(one: Any) -> Path:
    return agent_record(one.signal_dir.parent, "build", "run-1", 0)


def _proof(one: Any) -> list[tuple[int, int]]:
    path = one.signal_dir / "proof"
    text = path.read_text() if path.exists() else ""
    return [(int(pid), int(number)) for pid, number in (line.split() for line in text.splitlines() if " " in line)]


async def _ended(address: ProcessAddress) -> None:
    while await ProcessHost().is_alive(address) != "ended":  # noqa: ASYNC110  # it is in another process
        await asyncio.sleep(0.001)


class _WithoutFind:
    """A host that has only what every host must have."""

    def __init__(self) -> None:
        self._host = ProcessHost()
        self.asked: list[Any] = []

    def adopt(self, data: Any) -> Any:
        self.asked.append(data)
        return self._host.adopt(data)

    async def wait(self, address: Any) -> int | None:
        return await self._host.wait(address)

    async def is_alive(self, address: Any) -> str:
        return await self._host.is_alive(address)

    def output(self, address: Any) -> bytes:
        return self._host.output(address)


@pytest.mark.fault("L1")
@pytest.mark.parametrize("way", ["by its record", "by its address"])
async def test_adopted_agent_is_the_same(prepared: Prepare, way: str) -> None:
    """After SIGKILL of the orchestrator the agent goes on without a gap, is adopted, and its exit code is read.

    By its record it is found although nobody lived to write down that it was started.
    """
    one = prepared((sys.executable, "-uc", COUNTER))
    data = await _left_by_a_killed_process(one, until=lambda: len(_proof(one)) >= 3)
    if way == "by its address":
        host = _WithoutFind()
        one = one.evolve(environment=attrs.evolve(one.context.environment, host=lambda environment: host))
        one.runtime.artifacts.agent_data = data
    address = await _adopted(one)
    assert address.to_json() == data
    before = len(_proof(one))
    while len(_proof(one)) < before + 10:  # noqa: ASYNC110  # it is in another process
        await asyncio.sleep(0.001)
    assert await ProcessHost().is_alive(address) == "alive"
    waiting = asyncio.create_task(one.checker().wait_for_completion(one.runtime))
    (one.signal_dir / "go").touch()
    ended = await waiting
    assert ended.error == "the command exited 7:\nlast words"
    (pid,) = {pid for pid, _ in _proof(one)}
    assert address.label == f"process:{pid}"
    assert [number for _, number in _proof(one)] == list(range(len(_proof(one))))
    environment = one.runtime.artifacts.agent_environment
    assert environment["AGENTRELAY_TASK_ID"] == "build"
    assert environment["PATH"].startswith(f"{one.signal_dir}/bin:")
    await address.teardown(one.signal_dir)


@pytest.mark.fault("A8")
@pytest.mark.parametrize(
    ("command", "outcome", "error", "how"),
    [
        ("exit 3", "failed", "the command exited 3", "failed"),
        ("exit 0", "done", None, "done"),
        ("kill -9 $$", "failed", "the command was ended by SIGKILL (exit 137)", "died"),
        (DONE + "exit 3", "done", None, "done"),
    ],
)
async def test_agent_that_ended_while_nobody_watched(
    prepared: Prepare, command: str, outcome: str, error: str | None, how: str
) -> None:
    """Its exit code is read, and a signal that it wrote meanwhile counts."""
    one = prepared(UNTIL_TOLD + command)
    data = await _left_by_a_killed_process(one)
    assert await one.fifo.read() == "up"
    await one.fifo.write("go\n")
    await _ended(ProcessAddress.from_json(data))
    address = await _adopted(one)
    signal = await one.checker().wait_for_completion(one.runtime)
    assert (signal.outcome, signal.error, signal.ended) == (outcome, error, how)
    await address.teardown(one.signal_dir)


@pytest.mark.fault("A9")
async def test_agent_whose_runner_process_was_killed(prepared: Prepare) -> None:
    """It is adopted while it lives; when it ends, nobody can tell how, and without a signal it has died."""
    one = prepared(UNTIL_TOLD)
    await _left_by_a_killed_process(one)
    assert await one.fifo.read() == "up"
    address = await _adopted(one)
    runner = address.program.record.runner
    assert runner is not None
    send_signal(runner, signal.SIGKILL)
    while alive(runner) != "ended":  # noqa: ASYNC110  # it is in another process
        await asyncio.sleep(0.001)
    address = await _adopted(one)
    assert await ProcessHost().is_alive(address) == "alive"
    waiting = asyncio.create_task(one.checker(look_again=0.01).wait_for_completion(one.runtime))
    await one.fifo.write("go\n")
    signal_ = await waiting
    assert (signal_.outcome, signal_.ended) == ("failed", "died")
    assert signal_.error.startswith("the command ended, its exit code is not known")
    await address.teardown(one.signal_dir)


async def test_fresh_attempt_asks_nobody(prepared: Prepare) -> None:
    """An attempt that no earlier session can have begun is launched without a look at anything."""
    one = prepared("true").evolve(environment=None)
    assert await ComposedLauncher(one.context).reconcile(one.runtime) == "absent"


async def test_nothing_was_started(prepared: Prepare) -> None:
    """No record, and a record that was begun and no more, mean that there is no agent."""
    one = prepared("true")
    assert await _reconciled(one) == "absent"
    (_record(one) / "1").mkdir(parents=True)
    assert await _reconciled(one) == "absent"
    gone = {"pid": 1, "start_time": "none", "boot_id": boot_id()}
    begun = {"runner": gone, "program": None, "marker": ["AGENTRELAY_SIGNAL_DIR", str(one.signal_dir)]}
    (_record(one) / "1" / "agent.json").write_text(json.dumps(begun))
    assert await _reconciled(one) == "absent"
    assert one.runtime.artifacts.agent_address is None


@contextmanager
def _locked(record: Path) -> Iterator[None]:
    """Hold an attempt's lock, as a runner process does that has not come further yet."""
    (record / "1").mkdir(parents=True, exist_ok=True)
    with (record / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.mark.fault("A11")
async def test_runner_process_that_has_only_begun(prepared: Prepare) -> None:
    """While a runner process is about to start its program, nothing is known; afterwards it is."""
    one = prepared("true")
    with _locked(_record(one)):
        assert await _reconciled(one) == "unknown"
    assert await _reconciled(one) == "absent"


@pytest.mark.fault("A17")
async def test_agent_that_is_being_stopped_is_not_adopted(prepared: Prepare) -> None:
    """Killed in the middle of a teardown, what is left of the agent is ended first, and it is not gone on with."""
    one = prepared(UNTIL_TOLD)
    data = await _left_by_a_killed_process(one)
    assert await one.fifo.read() == "up"
    address = ProcessAddress.from_json(data)
    address.program.release()
    assert await _reconciled(one) == "absent"
    assert await ProcessHost().is_alive(address) == "ended"
    assert one.left() == []


@pytest.mark.fault("L2")
async def test_start_beside_a_living_agent_gives_that_one(prepared: Prepare) -> None:
    """Whoever starts an agent where one lives already gets that one; there are never two in an attempt."""
    one = prepared((sys.executable, "-uc", COUNTER))
    data = await _left_by_a_killed_process(one)
    agent = await one.launch()
    assert agent.address.to_json() == data
    (one.signal_dir / "go").touch()
    assert (await one.checker().wait_for_completion(one.runtime)).error == "the command exited 7:\nlast words"
    assert len({pid for pid, _ in _proof(one)}) == 1
    await agent.address.teardown(one.signal_dir)


@pytest.mark.slow
@pytest.mark.fault("L1")
@pytest.mark.parametrize("milliseconds", range(0, 60, 4))
async def test_orchestrator_that_is_killed_at_any_moment(prepared: Prepare, milliseconds: int) -> None:
    """Killed anywhere between the decision to launch and the address, the attempt has one agent, found or launched."""
    one = prepared((sys.executable, "-uc", COUNTER))
    orchestrator = await _orchestrator(one)
    await asyncio.sleep(milliseconds / 1000)  # the moment is what is varied
    os.killpg(orchestrator.pid, signal.SIGKILL)
    await orchestrator.wait()
    while (answer := await _reconciled(one)) == "unknown":  # noqa: ASYNC110  # as below
        await asyncio.sleep(0.001)
    agent = await one.launch() if answer == "absent" else answer[1]
    while not _proof(one):  # noqa: ASYNC110  # it is in another process
        await asyncio.sleep(0.001)
    assert agent.address.label == f"process:{_proof(one)[0][0]}"
    (one.signal_dir / "go").touch()
    assert (await one.checker().wait_for_completion(one.runtime)).error == "the command exited 7:\nlast words"
    assert len({pid for pid, _ in _proof(one)}) == 1
    assert [number for _, number in _proof(one)] == list(range(len(_proof(one))))
    await agent.address.teardown(one.signal_dir)


async def test_agent_of_the_latest_launch_is_found(prepared: Prepare) -> None:
    """Started again in the same attempt, as after a failed gate, the later agent is the one that is adopted."""
    one = prepared("echo turn; exit 4")
    first = await one.launch()
    await one.checker().wait_for_completion(one.runtime)
    assert (await _adopted(one)).to_json() == first.address.to_json()
    await first.address.teardown(one.signal_dir)
    assert await _reconciled(one) == "absent"
    second = await one.launch()
    assert second.address.to_json() == {**first.address.to_json(), "launch": 2}
    await one.checker().wait_for_completion(one.runtime)
    assert (await _adopted(one)).to_json() == second.address.to_json()
    await second.address.teardown(one.signal_dir)
    assert one.log == "turn\nturn\n"


async def test_address_is_adopted_once(prepared: Prepare) -> None:
    """A host that cannot find agents is asked about the journal's address for the first launch alone."""
    one = prepared("true")
    host = _WithoutFind()
    one = one.evolve(environment=attrs.evolve(one.context.environment, host=lambda environment: host))
    assert await _reconciled(one) == "absent"
    data = {"record": str(_record(one)), "launch": 1, "signal_dir": str(one.signal_dir)}
    one.runtime.artifacts.agent_data = data
    assert await _reconciled(one) == "absent"  # there is no such record
    (_record(one) / "1").mkdir(parents=True)
    one.runtime.artifacts.agent_data = data
    assert (await _adopted(one)).to_json() == data
    assert await _reconciled(one) == "absent"
    assert host.asked == [data, data]


async def test_agent_that_was_started_with_its_instructions_needs_no_kickoff(prepared: Prepare) -> None:
    """Kickoff is passed over for agents of the composed launcher, launched or adopted, and for no others."""
    one = prepared("true")
    assert await ComposedKickoff().reconcile(one.runtime) == "absent"
    agent = await one.launch()
    assert await ComposedKickoff().reconcile(one.runtime) == "present"
    later = TaskRuntime(one.runtime.task, run_id="run-1", graph_name="graph", resumed=True)
    later.state = one.runtime.state
    await ComposedLauncher(attrs.evolve(one.context, runtime=later)).reconcile(later)
    assert await ComposedKickoff().reconcile(later) == "present"
    await one.checker().wait_for_completion(one.runtime)
    await agent.address.teardown(one.signal_dir)


async def test_resumed_task_goes_on_from_its_adopted_agent(prepared: Prepare) -> None:
    """A task whose agent ended unwatched goes on from there; after a failed gate that agent is not adopted again."""
    one = prepared('echo turn >> turns; [ "$(wc -l < turns)" -lt 2 ] || touch right')
    data = await _left_by_a_killed_process(one)
    await _ended(ProcessAddress.from_json(data))
    runtime = one.runtime
    runtime.resumed = True
    runtime.task = attrs.evolve(runtime.task, pull_request=False, completion_gate="test -e right")
    events = []
    runner = _runner(one, lambda event: events.append((event.kind, event.message)))
    result = await runner.run(runtime)
    assert (result.status, result.error) == ("completed", None)
    assert (runtime.state.worktree_path / "turns").read_text() == "turn\nturn\n"
    launched = [message for kind, message in events if kind == "task_launched"]
    assert launched[0] == ProcessAddress.from_json(data).label
    assert len(set(launched)) == len(launched) == 2
    assert [message for kind, message in events if kind == "task_gate_failed"] == ["exit 1"]
    assert runtime.artifacts.concerns == []


class _Around:
    """The steps before and after those of the agent."""

    def prepare(self, runtime: TaskRuntime) -> None:
        """Everything is there."""

    def merge_pr(self, runtime: TaskRuntime, pr_url: str) -> None:
        raise AssertionError("not asked for")

    async def teardown(self, runtime: TaskRuntime) -> None:
        assert runtime.artifacts.agent_address is not None
        await runtime.artifacts.agent_address.teardown(runtime.state.signal_dir)


def _runner(one: Any, on_event: Callable[[Any], None]) -> StandardTaskRunner:
    def table(step: Any) -> Any:
        return StepDispatch(default=lambda runtime: step)

    around = table(_Around())
    return StandardTaskRunner(
        preparer=around,
        launcher=table(ComposedLauncher(one.context)),
        kickoff=table(ComposedKickoff()),
        completion_checker=table(one.checker()),
        merger=around,
        teardown=around,
        on_event=on_event,
    )
