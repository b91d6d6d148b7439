"""The forge matrix: each way in which GitHub, people or machines get in the way, at many moments, through the real gh.

A life of a task (`matrix_lives`) meets a scenario (`matrix_scenarios`) at moments drawn from a seed; what became of it
is read from the server's bare repository and its log of effects. `python forge_matrix.py --interleavings 20` runs all
and prints the figures; `tox -e forge-matrix` writes them into the documentation.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import attrs
from matrix_judging import judge
from matrix_lives import SLUG, Life, git_at
from matrix_moments import LOOKING, MERGING
from matrix_scenarios import SCENARIOS, Scenario
from matrix_sessions import run
from pytest_agentrelay.git import CONFIGURATION
from pytest_agentrelay.github import ALWAYS, EmulatedGitHub, Fault

OUTCOMES = ("done", "Parked", "AgentFailure", "MergeConflict", "ProtocolViolation")
DEADLINE = 3600.0  # seconds for all interleavings of one scenario


@attrs.define
class Figures:
    """What a matrix came to; all that is in `wrong` must be 0.

    Args:
        lives: Lives of a task.
        struck: Those in which the drawn moment came.
        sessions: Processes, the later ones after somebody did what the earlier one had said.
        ends: How lives ended.
        wrong: What must not be, and how often it was.
    """

    lives: int = 0
    struck: int = 0
    sessions: int = 0
    ends: Counter[str] = attrs.Factory(Counter)
    wrong: Counter[str] = attrs.Factory(Counter)

    def add(self, other: "Figures") -> None:
        """Count another one's too."""
        self.lives, self.struck = self.lives + other.lives, self.struck + other.struck
        self.sessions += other.sessions
        self.ends.update(other.ends)
        self.wrong.update(other.wrong)


WRONG = {
    "double": "pull requests merged twice, or work twice in its target",
    "foreign": "merges of a wrong pull request, or of a commit that was not verified",
    "unchecked": "merges with a missing or red check",
    "second": "second pull requests for one head and base",
    "end": "ends of a wrong class",
    "silent": "messages that do not say what to type",
    "apart": "lives that ended well with the two repositories apart, or the work missing",
}


def isolate(root: Path) -> None:
    """Let no configuration of whoever runs this take part in this process and what it starts."""
    for name in list(os.environ):
        if name.startswith(("GIT_", "GH_", "GITHUB_")):
            del os.environ[name]
    os.environ |= {"HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1", "GH_TELEMETRY": "false"}
    os.environ.pop("XDG_CONFIG_HOME", None)
    (root / ".gitconfig").write_text(CONFIGURATION, encoding="utf-8")


def make_template(root: Path) -> Path:
    """A user's repository with two commits."""
    path = root / "template"
    path.mkdir()
    git_at(path, "init", "-q")
    for number in (1, 2):
        (path / f"{number}.txt").write_text(f"{number}\n")
        git_at(path, "add", "-A")
        git_at(path, "commit", "-q", "-m", f"commit {number}")
    return path


def put_first(program: str, root: Path) -> None:
    """Let `gh` be a program."""
    directory = root / "bin"
    directory.mkdir(exist_ok=True)
    (directory / "gh").unlink(missing_ok=True)
    (directory / "gh").symlink_to(program)
    if str(directory) not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = f"{directory}{os.pathsep}{os.environ['PATH']}"


def live(scenario: Scenario, seed: int, root: Path, template: Path) -> tuple[Figures, list[str]]:
    """Live through a scenario once; the figures, and what is wrong, in sentences."""
    place = root / f"life-{seed}"
    place.mkdir()
    (place / "state").mkdir(mode=0o700)
    shutil.copytree(template, place / "repository", symlinks=True)
    with EmulatedGitHub(place / "github") as github:
        github.add_repository("acme", "widget", from_=place / "repository")
        os.environ |= github.environment("file")
        git_at(place / "repository", "remote", "add", "origin", github.remote_url("acme", "widget"))
        git_at(place / "repository", "checkout", "-q", "-b", "mine")
        life = Life(root=place, github=github, hosted=github.repository(SLUG))
        scenario.arrange(life, Random(f"{scenario.name} {seed}"))
        github.script(Fault(match=LOOKING, times=ALWAYS, after=life.look))
        github.script(Fault(match=MERGING, times=ALWAYS, before=life.be_asked_to_merge))
        allowed = scenario.ends
        ended = run(life)
        problems = [] if ended.kind in allowed else [("end", f"{ended.kind} instead of {allowed}: {ended.message}")]
        if ended.kind != "done" and scenario.mend is not None and not problems:
            scenario.mend(life)
            ended = run(life)
            if ended.kind != "done":
                problems.append(("end", f"{ended.kind} after it was mended: {ended.message}"))
        problems += judge(life, scenario)
    figures = Figures(lives=1, sessions=len(life.ends), ends=Counter([life.ends[-1].kind]))
    figures.struck = int(all(fault.met for fault in life.faults))
    figures.wrong = Counter(kind for kind, _ in problems)
    said = [f"{scenario.name}, seed {seed}: {kind}: {sentence}" for kind, sentence in problems]
    if said:
        said += [f"    {request.what} {request.status} {request.faults}" for request in life.github.requests]
    else:
        shutil.rmtree(place)
    return figures, said


def live_through(name: str, seeds: range, programs: list[str]) -> tuple[Figures, list[str]]:
    """Live through a scenario at all its moments, in this process, with one gh and the other by turns."""
    [scenario] = [one for one in SCENARIOS if one.name == name]
    figures, wrong = Figures(), []
    with TemporaryDirectory(prefix="forge-", ignore_cleanup_errors=True) as directory:
        root = Path(directory)
        isolate(root)
        template = make_template(root)
        for seed in seeds:
            put_first(programs[seed % len(programs)], root)
            counted, said = live(scenario, seed, root, template)
            figures.add(counted)
            wrong += said
    return figures, wrong


def start(name: str, seeds: range, programs: list[str]) -> tuple[Figures, list[str]]:
    """The same in a process of its own."""
    argv = [sys.executable, __file__, "--scenario", name, "--first", str(seeds.start), "--json",
            "--interleavings", str(len(seeds)), *(f"--gh={program}" for program in programs)]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=DEADLINE)
    if done.returncode not in (0, 1) or not done.stdout.startswith("["):
        print(name, done.stdout, done.stderr, sep="\n", file=sys.stderr, flush=True)
        return Figures(wrong=Counter(end=1)), [f"{name}: exit {done.returncode}: {done.stdout}{done.stderr}"]
    told = json.loads(done.stdout)
    print(f"{name}: {told[0]['lives']} lives, {told[0]['ends']}", *told[1], sep="\n", file=sys.stderr, flush=True)
    figures = Figures(**{key: Counter(value) if isinstance(value, dict) else value for key, value in told[0].items()})
    return figures, [*told[1], *([done.stderr] if told[1] else [])]


def table(counted: dict[str, Figures]) -> str:
    """The figures as they stand in the documentation."""
    total = Figures()
    for figures in counted.values():
        total.add(figures)
    lines = ["| what | how many |", "|---|---|", f"| scenarios | {len(counted)} |"]
    lines += [f"| lives, each with moments of its own | {total.lives} |"]
    lines += [f"| in which the drawn moment came | {total.struck} |", f"| sessions | {total.sessions} |"]
    lines += [f"| **{what}** | {total.wrong[kind]} |" for kind, what in WRONG.items()]
    lines += ["", "| scenario | faults | lives | " + " | ".join(OUTCOMES) + " | wrong |", "|---" * 9 + "|"]
    rows = {scenario.name: " ".join(scenario.rows) for scenario in SCENARIOS}
    for name, figures in counted.items():
        ends = " | ".join(str(figures.ends[kind] or "") for kind in OUTCOMES)
        lines.append(f"| {name} | {rows[name]} | {figures.lives} | {ends} | {figures.wrong.total()} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the matrix from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--interleavings", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--scenario", action="append", help="one of them alone")
    parser.add_argument("--gh", action="append", help="a gh program; several take turns")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true", help="one scenario in this process, figures for a program")
    parser.add_argument("--write", type=Path, help="a page whose tables of figures are replaced")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.interleavings)
    names = options.scenario or [scenario.name for scenario in SCENARIOS]
    programs = options.gh or [path for path in map(os.environ.get, ("AGENTRELAY_GH_NEW", "AGENTRELAY_GH_OLD")) if path]
    programs = programs or [path for path in (shutil.which("gh"),) if path]
    if not programs:
        parser.error("there is no gh; set AGENTRELAY_GH_NEW and AGENTRELAY_GH_OLD, or give --gh")
    if options.json:
        figures, wrong = live_through(names[0], seeds, programs)
        print(json.dumps([attrs.asdict(figures), wrong]))
        return 1 if wrong else 0
    with ThreadPoolExecutor(options.jobs) as pool:
        results = dict(zip(names, pool.map(lambda name: start(name, seeds, programs), names), strict=True))
    counted = {name: figures for name, (figures, _) in results.items()}
    wrong = [sentence for _, said in results.values() for sentence in said]
    print(table(counted), *wrong, sep="\n")
    if options.write is not None:
        page = options.write.read_text()
        begin, end = page.index("<!-- figures -->"), page.index("<!-- end of figures -->")
        options.write.write_text(f"{page[:begin]}<!-- figures -->\n\n{table(counted)}\n{page[end:]}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
