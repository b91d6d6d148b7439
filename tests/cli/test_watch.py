"""Watching a run from its journal, while it goes on and after it."""

import json
import os
import pty
import subprocess

WAITS = (
    "name: g\nagents: {a: {framework: command, command: 'until test -e ../../../../go; do read -t 0.1 x; done; "
    "echo x > x.txt'}}\ndefaults: {agent: a}\ntasks: {one: {description: x}}\n"
)


def started(shell):
    """A run whose agent waits for a file."""
    shell.graph(WAITS)
    run = shell.start("run")
    for line in run.stderr:
        if "at work" in line:
            return run
    raise AssertionError("the run ended")


def test_a_run_is_watched_to_its_end(shell):
    """Off a terminal what was and what comes is one plain line per event, and the end of the run ends the watching."""
    run = started(shell)
    lines = []
    with shell.start("watch") as watch:
        for line in watch.stdout:
            lines.append(line)
            if "at work" in line:
                (shell.path / "go").touch()
        assert watch.wait(30) == 0
    assert "begins" in lines[0]
    assert "run ended: succeeded" in lines[-1]
    run.communicate(timeout=240)
    assert shell("watch").stdout == "".join(lines)


def test_json_is_what_the_journal_holds(shell):
    """With --json the events of the latest run come as the journal has them, and none of an earlier run."""
    shell("run")
    shell("reset", "--all", "--yes")
    shell("run")
    exported = shell("journal", "export").stdout.splitlines()
    begin = max(index for index, line in enumerate(exported) if json.loads(line)["kind"] == "run_started")
    assert shell("watch", "--json").stdout.splitlines() == exported[begin:]


def test_a_run_that_was_killed_ends_the_watching(shell):
    """Where nobody drives the run any more, it is said, with what to type."""
    run = started(shell)
    run.kill()
    run.communicate(timeout=240)
    assert "agentrelay run" in shell("watch").stderr
    shell("cancel", "--yes")


def test_on_a_terminal_a_table_is_drawn(shell):
    """There each task has its row, and text from agents is no markup and moves no cursor."""
    shell.graph(
        "name: g\nagents: {a: {framework: command, command: 'printf \"[red]x\\\\033[5A\" >&2; exit 3'}}\n"
        "defaults: {agent: a}\ntasks: {one: {description: x}}\n"
    )
    shell("run", expect=1)
    ours, theirs = pty.openpty()
    watch = subprocess.Popen(
        shell.command("watch"), cwd=shell.path, env={**shell.environment, "TERM": "xterm"}, stdout=theirs
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert watch.wait(30) == 0
    assert b"pull request" in shown
    assert b"failed" in shown
    assert b"[red]x" in shown
    assert b"\033[5A" not in shown
