"""Errors, exit codes and ends: in the places where they are decided."""

import importlib.metadata
import json
import os
import subprocess

import pytest

from agentrelay_core import Event, Fenced, Parked, UserError
from agentrelay_core.cli import exit_codes
from agentrelay_core.cli.commands import logs
from agentrelay_core.cli.failures import Failure, report
from agentrelay_core.cli.progress import progress_line
from agentrelay_core.cli.table import COMMANDS, VERSION, rows
from agentrelay_core.graph import GraphError
from agentrelay_core.journal import JournalError, JournalRefused, kinds
from agentrelay_core.orchestrator import EnvironmentNotReady, InvalidGraph, RunIsOwned

SLEEPER = (
    "name: g\nagents: {a: {framework: command, command: 'sleep 300'}}\ndefaults: {agent: a}\n"
    "tasks: {one: {description: x}}\n"
)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UserError("x"), 2),
        (GraphError(()), 3),
        (InvalidGraph("x"), 3),
        (Parked("x"), 4),
        (EnvironmentNotReady("x"), 5),
        (JournalError("x"), 5),
        (JournalRefused("x"), 3),
        (RunIsOwned("x"), 75),
        (Fenced("x"), 75),
        (type("OfAPlugin", (UserError,), {})("x"), 2),
        (ValueError("x"), None),
    ],
)
def test_each_error_has_its_exit_code(error, code):
    """By the nearest of its classes that has one; nobody foresaw the others."""
    assert exit_codes.exit_code_of(error) == code


def test_an_internal_error_leaves_its_traceback_in_a_file(tmp_path, monkeypatch, capsys):
    """The text is short and names the file; exit 70."""
    monkeypatch.setenv("AGENTRELAY_STATE_DIR", str(tmp_path))
    assert report(ZeroDivisionError("by \x1b[31mzero"), debug=False) == 70
    said = capsys.readouterr().err
    (path,) = (tmp_path / "crashes").iterdir()
    assert str(path) in said
    assert "\x1b" not in said
    assert "ZeroDivisionError" in path.read_text()


def test_a_mistake_ends_with_the_next_command(capsys):
    """A message that names no command is given one."""
    assert report(Failure("no", 6), debug=False) == 6
    assert "agentrelay --help" in capsys.readouterr().err
    report(Failure("no; run `git init`", 2), debug=False)
    assert "--help" not in capsys.readouterr().err


def test_the_version_is_the_distribution_s():
    """The one in the table, which saves a search, is the one that was installed."""
    assert importlib.metadata.version("agentrelay-core") == VERSION


def test_every_command_of_the_table_is_there(shell):
    """Each can be imported and has a help of its own."""
    for entry in rows(COMMANDS):
        assert f"Usage: agentrelay {entry.name}" in shell(entry.name, "--help").stdout


def test_progress_is_one_plain_line():
    """Nothing of what an agent said reaches the terminal as more than text."""
    event = Event(kind=kinds.TASK_RETRYING, task_id="t", message="a\n\x1b[2Jb\tc", data={"delay": 1.5})
    line = progress_line(event)
    assert line.endswith("t  failed, next attempt in 1.5 s: a b c")
    assert progress_line(Event(kind="of_a_later_version", message="x {y}")).endswith("of a later version x {y}")


def test_nothing_selected_is_exit_6(shell):
    """A task that waits for what was not selected cannot run, and the message says what to add."""
    assert "--select +two" in shell("run", "--select", "two", expect=6).stderr
    shell("plan", "--select", "two", "--until", "one", expect=6)


def test_a_key_that_nobody_honours_is_refused(shell):
    """By name, before any effect."""
    shell.graph((shell.path / "agentrelay.yaml").read_text() + "tmux_session: s\n")
    refused = shell("run", expect=5).stderr
    assert "tmux_session" in refused
    assert shell.git("branch", "--list", "agentrelay/*") == ""


def test_outside_of_a_repository_it_says_what_to_do(shell, tmp_path):
    """No traceback; the next command is `git init`."""
    assert "git init" in shell("run", shell.path / "agentrelay.yaml", "-C", tmp_path, expect=2).stderr
    assert "git init" in shell("init", tmp_path, expect=5).stderr


def test_graph_settings_rank_below_flags_and_above_files(shell):
    """A graph's own value wins over the repository's file, a variable over it, and a flag over all."""
    (shell.path / "agentrelay.toml").write_text("[run]\nmax_concurrency = 7\n")

    def concurrency(*flags, **environment):
        return json.loads(shell("plan", "--json", *flags, **environment).stdout)["max_concurrency"]

    assert concurrency() == 7
    shell.graph((shell.path / "agentrelay.yaml").read_text() + "max_concurrency: 4\n")
    assert concurrency() == 4
    assert concurrency(AGENTRELAY_MAX_CONCURRENCY="5") == 5
    assert concurrency("--max-concurrency", "6", AGENTRELAY_MAX_CONCURRENCY="5") == 6


def test_status_finds_the_state_that_a_file_places(shell):
    """A state directory that the configuration names is the one that `status` and `logs` look into."""
    (shell.path / "agentrelay.toml").write_text('[run]\nstate_dir = "../elsewhere"\n')
    shell("run", "--select", "one", AGENTRELAY_STATE_DIR="")
    assert "pr_merged" in shell("status", AGENTRELAY_STATE_DIR="").stdout
    assert "worked" in shell("logs", "one", AGENTRELAY_STATE_DIR="").stdout
    assert "nothing was run" in shell("status").stderr


def test_a_reader_that_goes_away_is_no_error(shell):
    """`agentrelay … | head` prints no traceback."""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        for arguments in (["--help"], ["schema", "graph"]):
            done = subprocess.run(
                shell.command(*arguments),
                cwd=shell.path,
                env=shell.environment,
                stdout=pipe,
                stderr=subprocess.PIPE,
                text=True,
                timeout=240,
                check=False,
            )
            assert (done.returncode, done.stderr) == (141, "")


def test_a_log_is_followed_to_the_end_of_its_task(shell):
    """`logs -f` shows what comes and ends with the attempt."""
    go = shell.path.parent / "go"
    shell.graph(
        f"name: g\nagents: {{a: {{framework: command, command: 'echo begun; until [ -e {go} ]; do sleep 0.05; done; "
        "echo ended; echo x > x'}}\ndefaults: {agent: a}\ntasks: {one: {description: x}}\n"
    )
    run = shell.start("run")
    for line in run.stderr:
        if "at work" in line:
            break
    follower = shell.start("logs", "one", "-f")
    assert follower.stdout.readline() == "begun\n"
    go.touch()
    assert follower.communicate(timeout=240)[0] == "ended\n"
    assert follower.returncode == 0
    run.communicate(timeout=240)
    assert run.returncode == 0


def test_a_log_that_was_shortened_is_followed_on(monkeypatch, tmp_path):
    """When the middle of a large log is left out meanwhile, that is said, and its end is shown."""
    log = tmp_path / "agent.log"
    log.write_text("first\n" * 100)
    looks = iter([False, True])

    def is_over(*_):
        over = next(looks)
        if over:
            log.write_text("first\n[100 bytes are left out here]\nlast\n")
        return over

    monkeypatch.setattr(logs, "_is_over", is_over)
    monkeypatch.setattr(logs, "PAUSE", 0.0)
    first, second, *_ = logs._follow(log, tmp_path, "one", 0)
    assert first == "first\n" * 100
    assert second.startswith("\n[the log was shortened meanwhile]\n")
    assert second.endswith("\nlast\n")
