"""The README's examples do what it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_agentrelay.fakes.script import WORDS

pytest_plugins = ["pytester"]

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def _block(language: str) -> str:
    [block] = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return block


def test_the_example_passes(pytester):
    """The tests in it pass as they stand."""
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(_block("python"))
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)


def test_the_dry_run_ends_in_merged_branches(git_repository):
    """``agentrelay run`` takes the graph to its end, and both tasks' files are in the integration branch."""
    (git_repository.path / "agentrelay.yaml").write_text(_block("yaml"))
    command = [sys.executable, "-m", "agentrelay_core.cli", "run"]
    done = subprocess.run(command, cwd=git_repository.path, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    branch = "agentrelay/dry-run@default"
    assert git_repository.lines("ls-tree", "-r", "--name-only", branch) == ["README", "docs/slow.md", "first.txt"]
    merges = git_repository.lines("log", "--merges", "--reverse", "--format=%s", branch)
    assert [subject.partition(":")[0] for subject in merges] == ["first", "second"]


@pytest.mark.parametrize("word", WORDS)
def test_every_word_is_in_the_table(word):
    """What an agent can be told is what the README lists."""
    rows = [line for line in README.partition("| act |")[2].splitlines() if line.startswith("| `")]
    assert any(re.search(rf"`{word}[`:]", row.split("|")[1]) for row in rows)


def test_every_fixture_is_in_the_table():
    """No fixture of the kit goes without a line."""
    source = (Path(__file__).parents[1] / "pytest_agentrelay" / "plugin.py").read_text(encoding="utf-8")
    fixtures = re.findall(r"@pytest\.fixture\ndef (\w+)", source)
    assert len(fixtures) == 9
    assert [name for name in fixtures if not re.search(rf"^\| `{name}[`(]", README, re.MULTILINE)] == []
