"""Rescued work is listed and given back, and the record is written out: what users type, and what then is there."""

import json
import os
from pathlib import Path

import pytest

from agentrelay_core.journal import event_from_json, read_state, rebuild

FAILS = """\
name: g
agents:
  a: {framework: command, command: 'printf "left\\r\\n" > left.txt; ln -s nowhere link; printf "#!/bin/sh\\n" > run.sh; chmod +x run.sh; exit 3'}
defaults: {agent: a}
tasks:
  one: {description: First}
"""  # noqa: E501  # one line, as in a graph file


@pytest.fixture
def failed(shell):
    """A run whose only task failed and left three files in no commit."""
    shell.graph(FAILS)
    shell("run", expect=1)
    return shell


def listed(shell):
    return json.loads(shell("rescue", "list", "--json").stdout)["rescued"]


def test_what_is_kept_is_listed(failed):
    """The list names the ref, whose work it is, when it was kept, how many files it holds and how large they are."""
    (kept,) = listed(failed)
    assert (kept["name"], kept["attempt_num"], kept["files"]) == ("one", 0, 3)
    assert kept["size"] == len("left\r\n") + len("nowhere") + len("#!/bin/sh\n")
    assert kept["commit"] == failed.git("rev-parse", kept["ref"])
    line = failed("rescue", "list").stdout
    assert line.startswith(kept["ref"])
    assert "3 files, 23 B  one attempt 1 of " in line


def test_nothing_kept_is_no_mistake(shell):
    """Where nothing had to be rescued the list is empty, in either form, and says so."""
    assert listed(shell) == []
    done = shell("rescue", "list")
    assert done.stdout == ""
    assert "nothing is kept" in done.stderr


def test_it_is_given_back_as_a_new_branch(failed):
    """The default branch is called after task and attempt; nothing that exists is moved, nor the checked-out branch."""
    (kept,) = listed(failed)
    head = failed.git("rev-parse", "main")
    failed("rescue", "restore", kept["ref"])
    assert failed.git("rev-parse", "rescued/one-0") == kept["commit"]
    refused = failed("rescue", "restore", "one/0", expect=2).stderr
    assert "rescued/one-0 is there already" in refused
    assert "--branch" in refused
    failed("rescue", "restore", "one/0", "--branch", "mine")
    assert failed.git("rev-parse", "mine") == kept["commit"]
    for name in ("main", "a..b", "-x", "mine/below"):
        failed("rescue", "restore", "one/0", f"--branch={name}", expect=2)
    assert failed.git("rev-parse", "main") == head
    assert failed.git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert failed.git("status", "--porcelain") == "?? agentrelay.yaml"


def test_it_is_given_back_as_files(failed, tmp_path):
    """Bytes, links and exec bits are as they were; a directory that holds something is refused."""
    (kept,) = listed(failed)
    place = tmp_path / "deep" / "back"
    failed("rescue", "restore", kept["ref"], "--to", place)
    assert (place / "left.txt").read_bytes() == b"left\r\n"
    assert os.readlink(place / "link") == "nowhere"  # noqa: PTH115  # the text, not the path
    assert (place / "run.sh").stat().st_mode & 0o111
    assert sorted(path.name for path in place.iterdir()) == ["left.txt", "link", "run.sh"]
    assert "not empty" in failed("rescue", "restore", kept["ref"], "--to", place, expect=2).stderr


def test_a_planted_filter_does_not_run(failed, tmp_path):
    """Files come back as bytes: neither filters nor conversions of the user's repository have a say."""
    witness = tmp_path / "witness"
    failed.git("config", "filter.evil.smudge", f"touch {witness}")
    failed.git("config", "core.autocrlf", "true")
    (failed.path / ".git" / "info" / "attributes").write_text("* filter=evil eol=crlf\n")
    failed("rescue", "restore", "one/0", "--to", tmp_path / "back")
    assert (tmp_path / "back" / "run.sh").read_bytes() == b"#!/bin/sh\n"
    assert not witness.exists()


def test_a_ref_that_is_not_there_is_a_mistake(failed):
    """What is kept under no such name is told with the nearest name, exit 2."""
    assert "did you mean" in failed("rescue", "restore", listed(failed)[0]["ref"] + "0", expect=2).stderr
    assert "rescue list" in failed("rescue", "restore", "nothing", expect=2).stderr
    failed("rescue", "restore", "one/0", "--to", "x", "--branch", "y", expect=2)


def test_without_a_workspace_it_is_said(shell):
    """With no plugin that could keep work the command says which one to install, exit 5."""
    (shell.path / "agentrelay.toml").write_text('[plugins]\ndisable = ["agentrelay-git-gh"]\n')
    assert "agentrelay-git-gh" in shell("rescue", "list", expect=5).stderr


def test_an_exported_journal_tells_the_same(shell, tmp_path):
    """The lines, read back, rebuild the very state that the journal has; a file that exists is not overwritten."""
    shell("run")
    folder = json.loads(shell("status", "--json").stdout)["runs"][0]["state_dir"]
    file = tmp_path / "journal.jsonl"
    shell("journal", "export", "--output", file)
    lines = file.read_text().splitlines()
    assert lines == shell("journal", "export", "g").stdout.splitlines()
    events = [event_from_json(line) for line in lines]
    assert [sequence for sequence, _ in events] == list(range(1, len(lines) + 1))
    state, original = rebuild(event for _, event in events), read_state(Path(folder) / "journal.sqlite")
    for each in (state, original):  # lines have milliseconds
        each.started_at = each.finished_at = None
        for task in each.tasks.values():
            task.started_at = task.finished_at = None
    assert state == original
    assert "already" in shell("journal", "export", "--output", file, expect=2).stderr
    shell("journal", "export", "--output", tmp_path / "none" / "x", expect=2)


def test_a_state_directory_is_found_by_its_flag(shell, tmp_path):
    """What was run with --state-dir is shown with --state-dir, by every command that reads a run's state."""
    place = tmp_path / "elsewhere"
    shell("run", "--state-dir", place)
    assert "nothing was run" in shell("status").stderr
    assert "succeeded" in shell("status", "--state-dir", place).stdout
    assert "worked" in shell("logs", "one", "--state-dir", place).stdout
    assert shell("journal", "export", "--state-dir", place).stdout
    assert "pr_merged" in shell("graph", "--state-dir", place).stdout
