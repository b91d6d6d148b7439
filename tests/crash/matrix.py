"""The crash matrix: the real `agentrelay run` is killed again and again, and must come to the same end each time.

A run of many tasks in several workstreams, each task a real process, is killed by SIGKILL at named places and at random
moments, and typed again. At its end the tree is compared with the one of an undisturbed run, and what agents wrote
outside of the repository tells that none was started twice. `python tests/crash/matrix.py --kills 200` prints the
figures; `tox -e crash` writes them into the documentation.
"""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

from agentrelay_core.failpoints import FAILPOINTS
from agentrelay_core.journal import read_events
from agentrelay_core.processes import find_marked

LANES = ("default", "one", "two", "three", "four", "five")
# Whole runs in a row without one kill, after which the matrix says that it does not work.
FRUITLESS = 5
# A kill that was armed at a place that is not passed any more ends with the run; seconds until that is an error.
DEADLINE = 300.0
# No gate fails in these graphs, so that no agent takes another turn; and an agent whose command carries its
# instructions has had its kickoff with its launch.
NOT_PASSED = frozenset(name for name in FAILPOINTS if name.startswith("send_turn:")) | {
    "kickoff:intent",
    "kickoff:effect",
}
POINTS = tuple(sorted(FAILPOINTS - NOT_PASSED))

AGENT = """#!/bin/sh
# Counts outside of the repository, so that a second start of it would be seen; then does its work.
count=0
while [ $count -lt 10 ]; do
    count=$((count + 1))
    echo "$$ $count" >> "$1/$AGENTRELAY_TASK_ID"
    sleep 0.02
done
mkdir -p work
echo "$AGENTRELAY_TASK_ID" > "work/$AGENTRELAY_TASK_ID.txt"
"""


@attrs.define
class Figures:
    """What a matrix came to; all but the first five must be 0.

    Args:
        runs: Runs that came to their end.
        tasks: Tasks that were merged in them.
        kills: SIGKILLs of the orchestrator.
        points: How often it was killed at each named place, ``random`` among them.
        seconds: How long it took.
        other_trees: Runs whose final tree differs from the undisturbed run's.
        lost: Tasks whose commit is not in the end's history.
        double_merges: Tasks that were merged more than once.
        double_launches: Tasks for which more than one agent was started, or whose agent was interrupted.
        left: Processes, worktrees and locks that were left.
    """

    runs: int = 0
    tasks: int = 0
    kills: int = 0
    points: Counter[str] = attrs.Factory(Counter)
    seconds: float = 0.0
    other_trees: int = 0
    lost: int = 0
    double_merges: int = 0
    double_launches: int = 0
    left: int = 0

    @property
    def wrong(self) -> int:
        """Everything that must be 0, together."""
        return self.other_trees + self.lost + self.double_merges + self.double_launches + self.left


class Place:
    """A user's repository with a graph of tasks.

    Args:
        root: An empty directory.
        tasks: Number of tasks.
        seed: What their dependencies are drawn from.
    """

    def __init__(self, root: Path, tasks: int, seed: int) -> None:
        self.root = root
        self.repository = root / "repository"
        self.outside = root / "outside"
        self.state = root / "state"
        self.ids = [f"t{number:02}" for number in range(tasks)]
        for directory in (self.repository, self.outside):
            directory.mkdir(parents=True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "AGENTRELAY_STATE_DIR": str(self.state),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        self.git("init", "--quiet", "--initial-branch=main")
        self.git(
            "-c", "user.name=u", "-c", "user.email=u@localhost", "commit", "--quiet", "--allow-empty", "-m", "Begin"
        )
        self.git("checkout", "--quiet", "-b", "elsewhere")
        agent = root / "agent.sh"
        agent.write_text(AGENT)
        agent.chmod(0o755)
        (root / "graph.yaml").write_text(self._graph(agent, random.Random(seed)))

    def _graph(self, agent: Path, draw: random.Random) -> str:
        lines = ["name: crash", f"max_concurrency: {len(LANES)}", "agents:"]
        lines += [
            f"  a: {{framework: command, command: ['{agent}', '{self.outside}']}}",
            "defaults: {agent: a}",
            "tasks:",
        ]
        for number, task_id in enumerate(self.ids):
            earlier = draw.sample(self.ids[:number], k=min(number, draw.choice((0, 1, 1, 2))))
            lines.append(f"  {task_id}:")
            lines.append(f"    description: Write work/{task_id}.txt.")
            lines.append(f"    workstream_id: {LANES[number % len(LANES)]}")
            lines.append(f"    dependencies: [{', '.join(sorted(earlier))}]")
        lines.append("workstreams:")
        lines += [f"  {lane}: {{base_branch: main, merge_target_branch: main, auto_merge: true}}" for lane in LANES]
        return "\n".join(lines) + "\n"

    def git(self, *arguments: str) -> str:
        """Run git in the user's repository."""
        return subprocess.run(
            ["git", *arguments], cwd=self.repository, env=self.environment, check=True, capture_output=True, text=True
        ).stdout.strip()

    def start(self, failpoint: str | None = None) -> "subprocess.Popen[str]":
        """Start the real command, which a failpoint may kill."""
        armed = {"AGENTRELAY_FAILPOINTS": failpoint} if failpoint else {}
        return subprocess.Popen(
            [sys.executable, "-m", "agentrelay_core.cli", "run", str(self.root / "graph.yaml")],
            cwd=self.repository,
            env=self.environment | armed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def tree(self) -> str:
        """The tree that all work came to."""
        return self.git("rev-parse", "main^{tree}")

    def judge(self, figures: Figures, tree: str | None) -> list[str]:
        """Count what is wrong with the end of a run; in sentences too."""
        wrong = []
        if tree is not None and self.tree() != tree:
            figures.other_trees += 1
            wrong.append(f"the tree is {self.tree()}, not {tree}: {self.git('ls-tree', '-r', '--name-only', 'main')}")
        merged = self.git(
            "log", "--format=%(trailers:key=Agentrelay-Task,valueonly,separator=%x2C)", "--merges", "main"
        )
        merges = Counter(line for line in merged.splitlines() if line)
        for task_id in self.ids:
            if merges[task_id] > 1:
                figures.double_merges += 1
                wrong.append(f"{task_id} was merged {merges[task_id]} times")
            if not merges[task_id]:
                figures.lost += 1
                wrong.append(f"{task_id} is not in main")
            said = [line.split() for line in (self.outside / task_id).read_text().splitlines()]
            if len({pid for pid, _ in said}) != 1 or [int(count) for _, count in said] != list(range(1, 11)):
                figures.double_launches += 1
                wrong.append(f"{task_id} has been at work as {Counter(pid for pid, _ in said)}: {self._story(task_id)}")
        left = self._left()
        figures.left += len(left)
        return wrong + left

    def _story(self, task_id: str) -> str:
        """What the journal tells of a task, and of the sessions meanwhile."""
        [journal] = self.state.rglob("journal.sqlite")
        told = [event for _, event in read_events(journal) if event.task_id == task_id or event.kind == "run_resumed"]
        return " ".join(f"{event.kind}@{event.attempt_num}({event.message[:60]})" for event in told)

    def _left(self) -> list[str]:
        git_dir = self.repository / ".git"
        left = [f"worktree {line}" for line in self.git("worktree", "list").splitlines()[1:]]
        left += [f"lock {path}" for path in git_dir.rglob("*.lock")]
        left += [f"file {path}" for path in (self.repository / ".agentrelay").rglob("*")]
        left += [f"file {path}" for pattern in ("transfer-*", "aside-*") for path in self.state.rglob(pattern)]
        [run_id] = {path.name.rpartition("-")[0] for path in self.repository.glob(".workflow/crash/signals/*/*")}
        left += [f"process {identity.pid}" for identity in find_marked("AGENTRELAY_RUN_ID", run_id)]
        return left


def run_to_the_end(place: Place, figures: Figures, kills: list[str], draw: random.Random, lasts: float = 0.0) -> None:
    """Type `agentrelay run`, kill it where `kills` say, and type it again, until the run is done.

    Args:
        place: The repository.
        figures: Counted in.
        kills: Named places, ``random`` for any moment; what was used is taken out.
        draw: What moments and counts are drawn from.
        lasts: How long an undisturbed run takes, in seconds: a random moment is one of its.

    Raises:
        AssertionError: A run that was not killed did not end well, or nothing came of it in time.
    """
    began = time.monotonic()
    while time.monotonic() - began < DEADLINE:
        point = kills.pop() if kills else None
        armed = None if point in (None, "random") else f"{point}=kill@{draw.randint(1, 4)}"
        process = place.start(armed)
        if point == "random":
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(draw.uniform(0.1, 0.8) * lasts)
            process.kill()
        said, _ = process.communicate(timeout=DEADLINE)
        if process.returncode == -signal.SIGKILL:
            assert point is not None
            figures.kills += 1
            figures.points[point] += 1
            continue
        assert process.returncode == 0, f"{armed}: exit {process.returncode}\n{said}"
        if point is not None:
            kills.insert(0, point)  # it was not reached: left for another run
        return
    raise AssertionError(f"the run did not come to an end within {DEADLINE:.0f} s")


def matrix(kills: int, tasks: int, seed: int, *, per_run: int = 25) -> tuple[Figures, list[str]]:
    """Run the matrix.

    Args:
        kills: How many SIGKILLs at least.
        tasks: Tasks of a run.
        seed: What everything random is drawn from.
        per_run: The most kills of one run.

    Returns:
        The figures, and what was wrong, in sentences.
    """
    began = time.monotonic()
    draw = random.Random(seed)
    figures, wrong = Figures(), []
    with TemporaryDirectory(prefix="crash-") as directory:
        undisturbed = Place(Path(directory) / "undisturbed", tasks, seed)
        run_to_the_end(undisturbed, Figures(), [], draw)
        lasts = time.monotonic() - began
        wrong += undisturbed.judge(figures, None)
        fruitless = 0
        while figures.kills < kills:
            place = Place(Path(directory) / str(figures.runs), tasks, seed)
            wanted = min(per_run, kills - figures.kills)
            # Every named place comes before one comes again; every fourth kill is at a random moment.
            rare = sorted(POINTS, key=lambda point: (figures.points[point], draw.random()))[:wanted]
            chosen = [point if number % 4 else "random" for number, point in enumerate(rare)]
            draw.shuffle(chosen)
            before, unreached = figures.kills, chosen[-1]
            run_to_the_end(place, figures, chosen, draw, lasts)
            wrong += [f"run {figures.runs}: {sentence}" for sentence in place.judge(figures, undisturbed.tree())]
            figures.runs += 1
            figures.tasks += tasks
            # One place asked for its fourth passage, or one late moment, may lie behind the end of a run; not five.
            fruitless = 0 if figures.kills > before else fruitless + 1
            assert fruitless < FRUITLESS, f"{FRUITLESS} whole runs were not killed, the last one not at {unreached}"
    figures.seconds = time.monotonic() - began
    return figures, wrong


def table(figures: Figures) -> str:
    """The figures as they stand in the documentation."""
    named = {point: count for point, count in figures.points.items() if point != "random"}
    rows = [
        ("SIGKILLs of the orchestrator", figures.kills),
        ("at different named places", len(named)),
        ("at random moments", figures.points["random"]),
        ("runs that came to their end", figures.runs),
        ("tasks in them", figures.tasks),
        ("final trees that differ from an undisturbed run's", figures.other_trees),
        ("commits lost", figures.lost),
        ("tasks merged twice", figures.double_merges),
        ("agents started twice, or interrupted", figures.double_launches),
        ("processes, worktrees, locks and temporary files left", figures.left),
    ]
    lines = [f"| {what} | {count} |" for what, count in rows]
    return "\n".join(["| what | how many |", "|---|---|", *lines]) + "\n"


def main() -> int:
    """Run the matrix from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--tasks", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help="a page whose table of figures is replaced")
    options = parser.parse_args()
    figures, wrong = matrix(options.kills, options.tasks, options.seed)
    print(table(figures), f"{figures.seconds:.0f} s", *wrong, sep="\n")
    if options.write is not None:
        page = options.write.read_text()
        begin, end = page.index("<!-- figures -->"), page.index("<!-- end of figures -->")
        options.write.write_text(f"{page[:begin]}<!-- figures -->\n\n{table(figures)}\n{page[end:]}")
    return 1 if figures.wrong or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
