"""CPU time of commands as users type them, children included, beside a Python that does nothing."""

import functools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from measuring import Figure, Measure, Options, in_turns, middle, ratio, short

LAUNCH_DEADLINE = 60.0
GRAPH = """\
name: benchmark
tasks:
  only:
    description: Say that it began, and go on once it may.
    agent: {{framework: command, command: "touch {0}/began; while [ ! -e {0}/go ]; do sleep 0.01; done; echo x > x"}}
"""


def program() -> list[str]:
    """How `agentrelay` of this interpreter is started."""
    script = Path(sys.executable).with_name("agentrelay")
    return [str(script)] if script.exists() else [sys.executable, "-m", "agentrelay_core.cli"]


def environment(home: Path) -> dict[str, str]:
    """An environment in which bytecode is kept and nobody's configuration takes part."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "AGENTRELAY_", "COV"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "AGENTRELAY_STATE_DIR": str(home / "state")}


def child_cpu(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> float:
    """CPU seconds of a process and of the children that it waited for."""
    process = subprocess.Popen(
        argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)} ended with {process.returncode}: {said.decode(errors='replace')[-500:]}")
    return used.ru_utime + used.ru_stime


def make_repository(path: Path, env: Mapping[str, str], files: int = 2) -> None:
    """A repository with one commit."""
    path.mkdir(parents=True)
    for number in range(files):
        target = path / f"d{number // 100}" / f"f{number}"
        target.parent.mkdir(exist_ok=True)
        target.write_text(f"{number}\n")
    for arguments in (
        ("init", "-q", "-b", "main"),
        ("config", "user.name", "Ada Lovelace"),
        ("config", "user.email", "ada@example.org"),
        ("add", "-A"),
        ("commit", "-q", "-m", "first"),
    ):
        subprocess.run(("git", *arguments), cwd=path, env=env, check=True, stdout=subprocess.DEVNULL)


def first_launch_cpu(place: Path) -> float:
    """CPU seconds of ``agentrelay run`` until its first agent is at work, without its children."""
    with tempfile.TemporaryDirectory(dir=place) as directory:
        root = Path(directory)
        env = environment(root)
        repository = root / "repository"
        make_repository(repository, env)
        graph = root / "graph.yaml"
        graph.write_text(GRAPH.format(root))
        process = subprocess.Popen(
            [*program(), "run", str(graph)], cwd=repository, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        deadline = time.monotonic() + LAUNCH_DEADLINE
        while not (root / "began").exists():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                said = process.communicate()[0].decode(errors="replace")
                raise RuntimeError(f"agentrelay run launched nothing: {said[-500:]}")
            time.sleep(0.001)
        used = _cpu_so_far(process.pid)
        (root / "go").touch()
        said = process.communicate(timeout=LAUNCH_DEADLINE)[0]
        if process.returncode != 0:
            raise RuntimeError(
                f"agentrelay run ended with {process.returncode}: {said.decode(errors='replace')[-500:]}"
            )
        return used


def _cpu_so_far(pid: int) -> float:
    """CPU seconds of a live process's threads; Linux alone tells that finely."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def command_rows(options: Options) -> list[Figure]:
    """Help, version, status, plugins and a run up to its first launch."""
    figures = []
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        env = environment(place)
        repository = place / "repository"
        make_repository(repository, env)
        python = functools.partial(child_cpu, (sys.executable, "-c", "pass"), repository, env)
        lines = [
            ("--help", 5.0),
            ("--version", 5.0),
            ("status", 6.0),
            ("plugins list", 9.0),
        ]
        measures: dict[str, tuple[Measure, float]] = {
            line: (functools.partial(child_cpu, (*program(), *line.split()), repository, env), goal)
            for line, goal in lines
        }
        measures["run, to its first launch"] = (functools.partial(first_launch_cpu, place), 18.0)
        for name, (measure, goal) in measures.items():
            what = f"`agentrelay {name}`" if "," not in name else "`agentrelay run` up to its first launch"
            try:
                measure()  # writes bytecode
            except (OSError, RuntimeError) as error:
                figures.append(Figure(what=what, value=None, goal=goal, note=str(error).splitlines()[0][:200]))
                continue
            found = in_turns(2 * options.rounds, {"python": python, "ours": measure})
            figures.append(
                Figure(
                    what=what,
                    value=ratio(found["ours"], found["python"]),
                    goal=goal,
                    floor=f"`python -c pass`, {short(middle(found['python'], 1e3))} ms",
                    note="threads of the process, git's own processes not counted" if "," in name else "",
                )
            )
    return figures
