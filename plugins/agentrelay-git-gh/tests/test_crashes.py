"""A run that was killed anywhere goes on to the same end."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("crashing.py")
# A life has some 270 points. Each part tries every so many of them, from a beginning of its own; together the parts
# try each third one, in a minute or two. With THIRD = 1 they try all.
STEP, THIRD = 24, 3


@pytest.fixture
def template(tmp_path):
    """A repository that every life begins with."""
    repository = tmp_path / "template" / "repository"
    repository.mkdir(parents=True)
    (tmp_path / "template" / "state").mkdir(mode=0o700)
    (repository / "first").write_text("1\n")
    for command in ("init -q -b main", "add first", "commit -q -m first", "branch release"):
        subprocess.run(("git", *command.split()), cwd=repository, check=True)
    return tmp_path


def crashed(directory: Path, kind: str, first: int, step: int) -> None:
    """Crash lives of a kind at every so many points; all of them have to end well."""
    done = subprocess.run(
        (sys.executable, str(PROGRAM), str(directory), kind, str(first), str(step)),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    points = [json.loads(line) for line in done.stdout.splitlines()]
    assert [point for point in points if point["problems"]] == [], done.stderr
    assert sum(point["there"] for point in points) > 8


@pytest.mark.slow
@pytest.mark.fault("P1", "D3", "G9")
@pytest.mark.parametrize("part", range(0, STEP, THIRD))
def test_a_life_that_is_killed_anywhere_goes_on(template, part):
    """Killed before any git process or change of a name, a task ends merged once, with nothing lost or left behind."""
    crashed(template, "merged", part, STEP)


@pytest.mark.slow
@pytest.mark.fault("D1", "D3")
@pytest.mark.parametrize("part", range(0, STEP, 2 * THIRD))
def test_what_a_failed_attempt_left_survives(template, part):
    """Killed anywhere, what a failed attempt left in no commit is kept in both repositories, and the next one works."""
    crashed(template, "failed", part, STEP)
