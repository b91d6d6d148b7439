"""What an earlier session left: which agents live, and the end of those that nobody adopts."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agentrelay_core.orchestrator.orphans import end_orphans, left_agents, stop_agents
from agentrelay_core.processes import Command, ProcessGroup, RecordedProgram, find_marked
from agentrelay_core.processes.ending import send_signal
from agentrelay_core.runtime.agent_records import agent_record

Start = Callable[..., RecordedProgram]


@pytest.fixture
def run_id(tmp_path: Path) -> Iterator[str]:
    """The id of a run that no other test has; whatever a test leaves of it is killed afterwards."""
    run_id = f"run-{os.getpid()}-{tmp_path.name}"
    yield run_id
    for identity in find_marked("AGENTRELAY_RUN_ID", run_id):
        send_signal(identity, signal.SIGKILL)


def _environment(tmp_path: Path, run_id: str, task_id: str, attempt: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "AGENTRELAY_RUN_ID": run_id,
        "AGENTRELAY_TASK_ID": task_id,
        "AGENTRELAY_ATTEMPT": str(attempt),
        "AGENTRELAY_SIGNAL_DIR": str(tmp_path / f"{run_id}-{task_id}-{attempt}"),
    }


@pytest.fixture
def start(tmp_path: Path, run_id: str) -> Start:
    """Starts the agent of an attempt, with its record."""

    def start(task_id: str, attempt: int, *argv: str, run: str = run_id) -> RecordedProgram:
        environment = _environment(tmp_path, run, task_id, attempt)
        return RecordedProgram.start(
            Command(argv=argv or ("sleep", "600"), cwd=tmp_path, env=environment, output=tmp_path / "log"),
            attempt=agent_record(tmp_path, task_id, run, attempt),
            marker=("AGENTRELAY_SIGNAL_DIR", environment["AGENTRELAY_SIGNAL_DIR"]),
        )

    return start


async def test_left_agents_are_listed(start: Start, tmp_path: Path, run_id: str) -> None:
    """Those that live are named by task and attempt; ended ones and those of other runs are not."""
    other = f"{run_id}-0"  # its name begins like that of this run's attempts
    programs = [start("a", 0), start("b", 3), start("b", 11), start("c", 0, "true"), start("d", 0, run=other)]
    await programs[3].wait()
    programs[2].release()
    (tmp_path / "agents" / "e" / f"{run_id}-rubbish").mkdir(parents=True)
    left = await left_agents(tmp_path, run_id)
    assert [(agent.attempt, agent.released) for agent in left] == [
        (("a", 0), False),
        (("b", 3), False),
        (("b", 11), True),
    ]
    for program in programs:
        await program.stop()
    assert await left_agents(tmp_path, run_id) == []
    assert await left_agents(tmp_path / "nothing", run_id) == []


async def test_agents_of_given_attempts_are_stopped(start: Start, tmp_path: Path, run_id: str) -> None:
    """Those attempts' agents end and cannot be adopted any more; the others go on."""
    kept, ended = start("a", 0), start("a", 1)
    told = await stop_agents(tmp_path, run_id, [("a", 1), ("b", 0)])
    assert told == "ended 1 agent of an earlier session that nobody goes on with"
    assert await ended.is_alive() == "ended"
    assert ended.record.released
    assert await kept.is_alive() == "alive"
    assert not kept.record.released
    assert await stop_agents(tmp_path, run_id, [("a", 1)]) is None
    await kept.stop()
    await ended.stop()


@pytest.mark.fault("D4")
async def test_orphans_are_ended_but_for_adoptable_attempts(start: Start, tmp_path: Path, run_id: str) -> None:
    """Whatever has the run's id ends, with a record or without, unless its attempt may be adopted."""
    adoptable, ended, other = start("a", 0), start("a", 1), start("b", 0, run=f"{run_id}-other")
    loose = ProcessGroup.start(
        Command(
            argv=["sleep", "600"],
            cwd=tmp_path,
            env=_environment(tmp_path, run_id, "b", 0),
            output=tmp_path / "log",
        )
    )
    assert await end_orphans(run_id, [("a", 0)]) == "ended 2 processes that an earlier session left"
    await ended.wait()  # until its runner process has written that down
    assert await ended.is_alive() == "ended"
    assert loose.is_alive() == "ended"
    assert await adoptable.is_alive() == "alive"
    assert await end_orphans(run_id, [("a", 0)]) is None
    assert await end_orphans(run_id) == "ended 1 process that an earlier session left"
    await adoptable.wait()
    assert await adoptable.is_alive() == "ended"
    assert await other.is_alive() == "alive"
    for program in (adoptable, ended, other):
        await program.stop()
    await loose.stop()
