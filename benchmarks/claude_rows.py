"""What Claude Code costs as an agent, and how soon its turns' ends are known: the real program, a scripted model."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
from agentrelay_tmux_claude import TmuxEnvironment
from measuring import Figure, Options, short
from pytest_agentrelay.scripted_model import ScriptedModel, run, say

from agentrelay_core import AgentConfig, AgentEnvironment, Catalog, Event, Task, TaskGraph, WorkstreamSpec, run_graph
from agentrelay_core.builtin.environment import ProcessEnvironment
from agentrelay_core.processes.table import read_variable

AGENTS = 10
TURNS = 20  # whose ends are looked for, two of each session
KEY = "sk-ant-dummy-0123456789abcdef0123456789"
QUIET = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"}
PATIENCE = 300.0  # seconds until a measurement is given up


def claude_rows(options: Options) -> list[Figure]:
    """Ten agents at once without a terminal, and in tmux."""
    program = os.environ.get("AGENTRELAY_CLAUDE") or shutil.which("claude")
    if program is None:
        return [Figure(what=f"{AGENTS} agents of Claude Code at once", value=None, note="there is no claude here")]
    places: dict[str, AgentEnvironment] = {"without a terminal": ProcessEnvironment()}
    if shutil.which("tmux") is not None:
        places["in tmux"] = TmuxEnvironment()
    with _home(Path(program)) as (folder, model):
        bare = _bare(Path(program), folder, model)
    figures = []
    for name, environment in places.items():
        with _home(Path(program)) as (folder, model):
            at_work, memory = asyncio.run(_ten(folder, model, environment))
        figures += [
            Figure(
                what=f"{AGENTS} agents of Claude Code {name} at work at once",
                value=at_work,
                unit="s",
                floor=f"`claude -p`, {AGENTS} at once, {short(bare)} s",
                note="from the graph to the model's last first request",
            ),
            Figure(what=f"memory of one of them {name}", value=memory / (1 << 20), unit="MB", note="resident"),
        ]
    if "in tmux" in places:
        with _home(Path(program)) as (folder, model):
            late = asyncio.run(_turns(folder, model))
        figures += [
            Figure(
                what=f"the end of a turn of Claude Code in tmux known, {name}",
                value=late[min(len(late) - 1, int(len(late) * share))] * 1e3,
                unit="ms",
                goal=100.0,
                note=f"of {len(late)}, from the call of its Stop hook to the word to people",
            )
            for name, share in (("p50", 0.5), ("p95", 0.95))
        ]
    return figures


@contextmanager
def _home(program: Path) -> Iterator[tuple[Path, ScriptedModel]]:
    """A home in which Claude Code asks nothing, a repository beside it, and a model whose replies are held back."""
    before = dict(os.environ)
    model = ScriptedModel()
    with tempfile.TemporaryDirectory(prefix="art-", dir="/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        repository = folder / "repository"
        (folder / "home").mkdir()
        trusted = {str(repository): {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}}
        answers = {"hasCompletedOnboarding": True, "theme": "dark", "projects": trusted}
        answers["customApiKeyResponses"] = {"approved": [KEY[-20:]], "rejected": []}
        (folder / "home" / ".claude.json").write_text(json.dumps(answers))
        git = ("git", "-c", "user.name=a", "-c", "user.email=a@localhost", "-C", str(repository))
        subprocess.run(["git", "init", "-q", "-b", "main", str(repository)], check=True)
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
        path = f"{program.parent}{os.pathsep}{before['PATH']}"
        os.environ.update(HOME=str(folder / "home"), PATH=path, ANTHROPIC_API_KEY=KEY)
        os.environ.update(QUIET, ANTHROPIC_BASE_URL=model.url, AGENTRELAY_STATE_DIR=str(folder / "state"))
        try:
            yield folder, model
        finally:
            model.close()
            os.environ.clear()
            os.environ.update(before)


def _bare(program: Path, folder: Path, model: ScriptedModel) -> float:
    """Seconds until ten programs that were started by hand have all asked the model."""
    began = time.monotonic()
    agents = [
        subprocess.Popen(
            [program, "-p", "go"], cwd=folder / "repository", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        for _ in range(AGENTS)
    ]
    model.wait_for_requests(AGENTS, PATIENCE)
    taken = time.monotonic() - began
    for agent in agents:
        agent.kill()
        agent.wait()
    return taken


async def _ten(folder: Path, model: ScriptedModel, environment: AgentEnvironment) -> tuple[float, float]:
    """Seconds until ten agents have asked the model, and the bytes that each holds then."""
    names = [f"t{number}" for number in range(AGENTS)]
    hold = threading.Event()
    for name in names:
        model.script(name, run(f"echo {name} > {name}.txt && agentrelay-task done", hold), say("Done."))
    seen: list[float] = []

    def release() -> None:
        model.wait_for_requests(AGENTS, PATIENCE)
        seen.extend((time.monotonic(), _resident(folder)))
        hold.set()

    began = time.monotonic()
    watcher = threading.Thread(target=release)
    watcher.start()
    await _run(folder, model, environment, names, at_a_time=AGENTS)
    watcher.join()
    return seen[0] - began, seen[1] / AGENTS


async def _turns(folder: Path, model: ScriptedModel) -> list[float]:
    """Seconds from the end of each turn to the word of it, in order of size."""
    names = [f"t{number}" for number in range(TURNS // 2)]
    for name in names:
        model.script(name, run(f"echo {name} > {name}.txt"), say("Hi."), run("agentrelay-task done"), say("Done."))
    events = await _run(folder, model, TmuxEnvironment(), names, at_a_time=1)
    late: list[float] = []
    for name in names:
        known = [
            event.timestamp for event in events if event.task_id == name and event.data.get("kind") == "turn_ended"
        ]
        late += [after - end for end, after in zip(_ends(folder, name), known, strict=True)]
    return sorted(late)


def _ends(folder: Path, name: str) -> list[float]:
    """When the turns of a task ended, in seconds since the epoch, as its hooks wrote it down."""
    files = folder.rglob(f"signals/{name}/*/claude-events/*-Stop.json")
    return sorted(int(file.name.partition("-")[0]) / 1e9 for file in files)


async def _run(
    folder: Path, model: ScriptedModel, environment: AgentEnvironment, names: list[str], *, at_a_time: int
) -> list[Event]:
    """Run a task of each name to its merge; what happened."""
    agent = AgentConfig(
        framework="claude_code",
        environment=environment,
        env={**QUIET, "ANTHROPIC_BASE_URL": model.url},
        pass_env=("ANTHROPIC_API_KEY",),
        options={"permissions": "deny", "allowed_tools": ["Bash"]},
    )
    tasks = [Task(id=n, description=f"[[script:{n}]]", primary_agent=agent, workstream_id=n) for n in names]
    graph = TaskGraph(name="g", tasks=tuple(tasks), workstreams=tuple(WorkstreamSpec(id=name) for name in names))
    events: list[Event] = []
    result = await run_graph(
        graph,
        repository=folder / "repository",
        catalog=Catalog.discover(),
        settings=attrs.evolve(graph.settings, max_concurrency=at_a_time),
        on_event=events.append,
    )
    errors = [task.error for task in result.tasks.values() if task.error]
    if errors:
        raise RuntimeError(f"an agent failed: {errors[0]}")
    return events


def _resident(folder: Path) -> float:
    """Bytes that the agents below a folder hold, with what they started."""
    total = 0.0
    for pid, where in read_variable("AGENTRELAY_SIGNAL_DIR").items():
        if where.startswith(str(folder)):
            with contextlib.suppress(OSError):  # a hook, which has ended
                status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
                total += int(status.get("VmRSS", "0").split()[0]) * 1024
    return total
