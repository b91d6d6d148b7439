"""Let mypy and pyright judge two plugins: all of one is right, and of the other exactly the marked lines are wrong.

Run by ``tox -e types``. pyright is a program of Node's, which its package on PyPI fetches from the npm registry. Where
it cannot be run although the registry answers, that is a failure; on a machine without a registry it is said.
"""

import json
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
RIGHT, WRONG = HERE / "right.py", HERE / "wrong.py"
REGISTRY = "https://registry.npmjs.org/pyright/latest"
SECONDS = 300


class CannotRun(Exception):
    """A type checker could not be run; the text says why."""


def marked(path: Path) -> set[int]:
    """The numbers of the lines that must have an error."""
    lines = path.read_text().splitlines()
    return {number for number, line in enumerate(lines, 1) if line.endswith("  # wrong")}


def mypy(path: Path) -> dict[int, str]:
    """What mypy finds, by line."""
    done = _run(sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(path))
    found = re.findall(r"^\S+?:(\d+): error: (.*)$", done.stdout, re.MULTILINE)
    if done.returncode not in (0, 1) or bool(found) != bool(done.returncode):
        raise CannotRun(f"mypy: exit {done.returncode}: {done.stdout}{done.stderr}")
    return {int(number): text for number, text in found}


def pyright(path: Path) -> dict[int, str]:
    """What pyright finds, by line."""
    done = _run(sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(path))
    try:
        found = json.loads(done.stdout)["generalDiagnostics"]
    except (ValueError, KeyError):
        raise CannotRun(f"pyright: exit {done.returncode}: {done.stdout}{done.stderr}") from None
    return {item["range"]["start"]["line"] + 1: item["message"] for item in found if item["severity"] == "error"}


def registry_answers() -> bool:
    """Whether the npm registry can be reached, as npm is configured or directly."""
    npm = shutil.which("npm")
    try:
        if npm is not None and _run(npm, "view", "pyright", "version").returncode == 0:
            return True
        with urllib.request.urlopen(REGISTRY, timeout=20):
            return True
    except (OSError, CannotRun):
        return False


def complaints(name: str, judge: Callable[[Path], dict[int, str]]) -> list[str]:
    """Where a type checker judges otherwise than it should."""
    said = [f"{name}: {RIGHT.name}:{line} is right, and it says: {text}" for line, text in judge(RIGHT).items()]
    found, due = judge(WRONG), marked(WRONG)
    said += [f"{name}: {WRONG.name}:{line} is not marked as wrong: {found[line]}" for line in sorted(set(found) - due)]
    said += [f"{name}: {WRONG.name}:{line} is wrong, and it says nothing" for line in sorted(due - set(found))]
    return said


def main() -> int:
    """Judge; 1 where a judgement is not as it should be, or where a type checker cannot be run that could be had."""
    said: list[str] = []
    for name, judge in (("mypy", mypy), ("pyright", pyright)):
        try:
            said += complaints(name, judge)
        except CannotRun as error:
            if name == "pyright" and not registry_answers():
                print(f"not judged by pyright: it is not installed here, and no npm registry answers\n{error}")
                continue
            said.append(str(error))
        else:
            print(f"{name} has judged {RIGHT.name} and the {len(marked(WRONG))} wrong lines of {WRONG.name}")
    print(*said, sep="\n", end="\n" if said else "")
    return 1 if said else 0


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS, cwd=HERE)
    except subprocess.TimeoutExpired as error:
        raise CannotRun(f"{command[2:3] or command[:1]} did not end within {SECONDS} s") from error


if __name__ == "__main__":
    sys.exit(main())
