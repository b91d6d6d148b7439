"""What agents in windows of tmux cost: to start a hundred at once, to hold, and to notice the end of one."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agentrelay_tmux_claude import TmuxEnvironment, TmuxHost
from measuring import Figure, Options, middle, short

from agentrelay_core import AgentConfig, Catalog, RunSettings, Task, TaskGraph, WorkstreamSpec, run_graph
from agentrelay_core.hooks import AgentCommand, RunInfo, StepContext
from agentrelay_core.runtime import TaskRuntime, agent_environment

RUN = "20260101T000000Z-0000"
WINDOWS = 100
EIGHT = 8
# Seconds that each of eight agents takes to start, and then to work.
STARTS, WORKS = 4, 3


def tmux_rows(options: Options) -> list[Figure]:
    """A hundred windows, and eight agents that take their time."""
    if shutil.which("tmux") is None:
        return [Figure(what=f"{WINDOWS} windows of tmux", value=None, note="there is no tmux here")]
    rounds = 1 if options.quick else min(options.rounds, 3)
    bare, each, memory, late = [], [], [], []
    for _ in range(rounds):
        with _place() as place:
            bare.append(_bare(place))
            started, held, noticed = asyncio.run(_hundred(place))
        each.append(started)
        memory.append(held)
        late += noticed
    with _place() as place:
        eight = asyncio.run(_eight(place))
    late.sort()
    return [
        Figure(
            what=f"{WINDOWS} agents in tmux started at once, each",
            value=middle(each, 1e3),
            unit="ms",
            floor=f"`tmux new-window` one after the other, {short(middle(bare, 1e3))} ms",
            note="wall time; a window, a runner process and the agent",
        ),
        Figure(
            what="memory of a runner process in a pane",
            value=middle(memory) / 1024,
            unit="MB",
            note="its proportional share, the agent not counted",
        ),
        *(
            Figure(
                what=f"the end of an agent in tmux noticed, {WINDOWS} windows, {name}",
                value=late[min(len(late) - 1, int(len(late) * share))] * 1e3,
                unit="ms",
                goal=100.0,
                note="until all that it may have left running was looked for",
            )
            for name, share in (("p50", 0.5), ("p95", 0.95))
        ),
        Figure(
            what=f"{EIGHT} agents in tmux, {STARTS} s to start, {WORKS} s of work, {EIGHT} at a time",
            value=eight,
            unit="s",
            goal=12.0,
            floor=f"one of them, {STARTS + WORKS} s",
            note="a run, from its graph to merged branches",
        ),
    ]


@contextmanager
def _place() -> Iterator[Path]:
    """A directory with a short path; whatever tmux servers are in it are ended."""
    with tempfile.TemporaryDirectory(prefix="art-", dir="/tmp", ignore_cleanup_errors=True) as name:
        (Path(name) / "state").mkdir(mode=0o700)
        try:
            yield Path(name)
        finally:
            for socket in Path(name).rglob("tmux-*"):
                subprocess.run(["tmux", "-S", str(socket), "kill-server"], capture_output=True, check=False)


def _bare(place: Path) -> float:
    tmux = ["tmux", "-S", str(place / "tmux-bare"), "-f", "/dev/null"]
    subprocess.run([*tmux, "new-session", "-d", "sleep", "600"], check=True)
    began = time.perf_counter()
    for _ in range(WINDOWS):
        subprocess.run([*tmux, "new-window", "-d", "sleep", "600"], check=True)
    took = time.perf_counter() - began
    subprocess.run([*tmux, "kill-server"], check=True)
    return took / WINDOWS


def _context(place: Path, name: str) -> StepContext:
    runtime = TaskRuntime(Task(id=name), run_id=RUN, graph_name="g")
    runtime.state.worktree_path = place
    runtime.state.signal_dir = place / "signals" / name
    runtime.state.signal_dir.mkdir(parents=True)
    run = RunInfo(run_id=RUN, graph_name="g", repository=None, state_dir=place / "state")
    return StepContext(runtime=runtime, run=run)


async def _hundred(place: Path) -> tuple[float, float, list[float]]:
    """Seconds to start each, KiB of memory for each, and the delays in seconds with which ends are noticed."""
    gate = place / "gate"
    os.mkfifo(gate)
    held = os.open(gate, os.O_RDWR)
    host = TmuxHost(TmuxEnvironment())
    contexts = [_context(place, f"t{number}") for number in range(WINDOWS)]
    script = f"read x < {gate}; date +%s.%N"

    def start(context: StepContext) -> Any:
        command = AgentCommand(argv=("sh", "-c", script), env=agent_environment(context.runtime))
        return host.start(command, context)

    began = time.perf_counter()
    addresses = await asyncio.gather(*(asyncio.to_thread(start, context) for context in contexts))
    each = (time.perf_counter() - began) / WINDOWS
    memory = sum(_resident(address.program.record.runner.pid) for address in addresses) / WINDOWS

    async def late(address: Any) -> float:
        await host.wait(address)
        return max(0.0, time.time() - float(address.output()))

    delays: list[float] = []
    left = {asyncio.ensure_future(late(address)) for address in addresses}
    while left:
        os.write(held, b"x\n")
        done, left = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
        delays += [task.result() for task in done]
    os.close(held)
    await asyncio.gather(*(address.teardown() for address in addresses))
    return each, memory, delays


def _resident(pid: int) -> int:
    """KiB of memory that a process has for itself, and its share of what it has with others."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


async def _eight(place: Path) -> float:
    """Seconds that a run of eight agents takes."""
    repository = place / "repository"
    git = ["git", "-C", str(repository), "-c", "user.name=u", "-c", "user.email=u@e"]
    await asyncio.to_thread(subprocess.run, ["git", "init", "-q", "-b", "main", str(repository)], check=True)
    await asyncio.to_thread(subprocess.run, [*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    work = f"sleep {STARTS}; sleep {WORKS}; echo $AGENTRELAY_TASK_ID > $AGENTRELAY_TASK_ID.txt"
    agent = AgentConfig(framework="command", environment=TmuxEnvironment(), options={"command": work})
    tasks = [
        Task(id=f"t{number}", description="Work.", primary_agent=agent, workstream_id=f"w{number}")
        for number in range(EIGHT)
    ]
    lanes = [WorkstreamSpec(id=task.workstream_id) for task in tasks]
    settings = RunSettings(max_concurrency=EIGHT, state_dir=str(place / "s"))
    graph = TaskGraph(name="eight", tasks=tasks, workstreams=lanes, settings=settings)
    began = time.perf_counter()
    result = await run_graph(graph, repository=repository, catalog=Catalog.discover())
    assert str(result.outcome) == "succeeded", result
    return time.perf_counter() - began
