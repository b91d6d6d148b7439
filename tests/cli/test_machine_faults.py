"""The machine around a run: its terminal, its disk, its limits, and what other users of it can see."""

import fcntl
import os
import pty
import signal
import sqlite3
import subprocess
import termios
import threading
from pathlib import Path

import pytest

from agentrelay_core.processes import find_marked

WAITING = """\
name: g
agents: {{a: {{framework: command, command: 'until [ -e {go} ]; do sleep 0.05; done; echo x > work.txt'}}}}
defaults: {{agent: a}}
tasks: {{one: {{description: x}}}}
"""


def until(stream, words):
    """Read lines until one has the words."""
    for line in stream:
        if words in line:
            return
    raise AssertionError(f"the run ended without {words!r}")


@pytest.fixture
def go(shell, tmp_path):
    """A graph whose agent works once this file is there."""
    shell.graph(WAITING.format(go=tmp_path / "go"))
    return tmp_path / "go"


@pytest.mark.fault("D11")
def test_a_terminal_that_is_closed_leaves_agents_at_work(shell, go):
    """The command ends with 129, the agent lives on, and the next run takes its work."""
    ours, theirs = pty.openpty()

    def lead():
        os.setsid()
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may ignore it, as nohup does
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    run = subprocess.Popen(
        shell.command("run"),
        cwd=shell.path,
        env=shell.environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=lead,
    )
    os.close(theirs)
    with os.fdopen(ours, encoding="utf-8") as terminal:
        until(terminal, "agent at work")
    assert run.wait(timeout=240) == 128 + signal.SIGHUP
    (_, _, run_id, *_) = shell("status").stdout.split()
    assert find_marked("AGENTRELAY_RUN_ID", run_id)
    go.touch()
    assert "1 merged" in shell("run").stdout


@pytest.mark.fault("D11")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_output_that_nobody_reads_fails_no_run(shell, go, options):
    """With both streams closed by their readers the task is merged all the same, and no traceback is left."""
    run = shell.start("run", *options)
    until(run.stderr, "at work")
    run.stderr.close()
    run.stdout.close()
    go.touch()
    assert run.wait(timeout=240) in (0, 141)
    assert shell("status").stdout.count("pr_merged") == 1
    assert not list((shell.path.parent / "state").rglob("crashes/*"))


@pytest.mark.fault("D11")
def test_nohup_keeps_a_run_going(shell, go):
    """Where HUP is ignored from the start, it stays ignored and the run goes on to its end."""
    run = subprocess.Popen(
        ["nohup", *shell.command("run")],
        cwd=shell.path,
        env=shell.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(run.stderr, "at work")
    run.send_signal(signal.SIGHUP)
    go.touch()
    out, err = run.communicate(timeout=240)
    assert run.returncode == 0, err
    assert "1 merged" in out


@pytest.fixture
def command_lines():
    """Collects the command lines of all processes until it is asked for them."""
    seen, over = set(), threading.Event()

    def collect():
        while not over.is_set():
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(file.read_bytes())
                except OSError:
                    continue  # it has ended

    thread = threading.Thread(target=collect)
    thread.start()

    def stop():
        over.set()
        thread.join()
        return seen

    yield stop
    stop()


@pytest.mark.fault("L9")
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_secrets_are_in_no_command_line(shell, tmp_path, command_lines):
    """A configured and a passed variable reach the agent, and no process shows either in its arguments."""
    got = tmp_path / "got"
    shell.graph(
        "name: g\nagents:\n  a:\n    framework: command\n    env: {API_TOKEN: canary-one}\n    pass_env: [PASSED_KEY]\n"
        f"    command: 'echo $API_TOKEN $PASSED_KEY > {got}; echo x > work.txt'\n"
        "defaults: {agent: a}\ntasks: {one: {description: x}}\n"
    )
    assert "1 merged" in shell("run", PASSED_KEY="canary-two").stdout
    assert got.read_text() == "canary-one canary-two\n"
    seen = command_lines()
    assert any(b"agentrelay_core.cli" in line for line in seen)
    assert not [line for line in seen if b"canary-" in line]


@pytest.mark.fault("I4")
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_a_tasks_text_travels_in_files_alone(shell, tmp_path, command_lines):
    """Shell, tmux and Markdown in a description reach the agent byte for byte, run nothing, and are in no arguments."""
    ran, got = tmp_path / "ran", tmp_path / "got"
    text = f"canary $(touch {ran}) `touch {ran}` ; touch {ran}\n#(touch {ran}) ${{HOME}} %s '\"\\ -rf && é\u202e\n```\n"
    description = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\u202e", "\\u202e")
    shell.graph(
        f"name: g\nagents: {{a: {{framework: command, command: 'cat > {got}; echo x > work.txt'}}}}\n"
        f'defaults: {{agent: a}}\ntasks: {{one: {{description: "{description}"}}}}\n'
    )
    assert "1 merged" in shell("run").stdout
    assert text.strip() in got.read_text(encoding="utf-8")
    assert not ran.exists()
    seen = command_lines()
    assert any(b"agentrelay_core.cli" in line for line in seen)
    assert not [line for line in seen if b"canary" in line]


@pytest.mark.fault("A15")
def test_a_signal_for_another_task_does_not_count(shell, tmp_path):
    """What an agent writes into another's directory has its own nonce, is stale there, and decides nothing."""
    go = tmp_path / "go"
    forged = (
        'nonce=$(sed -n "s/.*\\"nonce\\": \\"\\([0-9a-f]*\\)\\".*/\\1/p" $AGENTRELAY_SIGNAL_DIR/manifest.json); '
        '[ -n "$nonce" ] || exit 9; for victim in $AGENTRELAY_SIGNAL_DIR/../../victim/*; do '
        'printf "2030-01-01T00:00:00Z\\nhttps://forged/1\\nnonce=$nonce\\n" > $victim/.done; done; echo x > thief.txt'
    )
    (tmp_path / "thief.sh").write_text(forged)
    shell.graph(
        "name: g\nagents:\n"
        f"  thief: {{framework: command, command: 'sh {tmp_path}/thief.sh'}}\n"
        f"  victim: {{framework: command, command: 'until [ -e {go} ]; do sleep 0.05; done; echo x > victim.txt'}}\n"
        "tasks:\n  victim: {description: x, agent: victim, workstream_id: other}\n"
        "  thief: {description: x, agent: thief}\nworkstreams: {other: {}}\n"
    )
    run = shell.start("run")
    until(run.stderr, "thief  pr_merged")
    [signal_file] = (shell.path / ".workflow" / "g" / "signals" / "victim").glob("*/.done")
    assert "https://forged/1" in signal_file.read_text()
    go.touch()
    out, err = run.communicate(timeout=240)
    assert run.returncode == 0, err
    assert "forged" not in out
    assert "2 merged" in out


@pytest.fixture
def small_disk(tmp_path):
    """A disk of two mebibytes, where we may mount one."""
    place = tmp_path / "small"
    place.mkdir(mode=0o700)
    if subprocess.run(
        ("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)), capture_output=True, check=False
    ).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(("umount", "-l", str(place)), check=True)


@pytest.mark.fault("O9")
def test_a_full_disk_parks_the_run_and_leaves_agents_at_work(shell, go, small_disk):
    """What cannot be recorded is not done: exit 4 with what to free; with room again the live agent is gone on with."""
    shell.environment["AGENTRELAY_STATE_DIR"] = str(small_disk)
    run = shell.start("run")
    until(run.stderr, "at work")
    (_, _, run_id, *_) = shell("status").stdout.split()
    agents = {identity.pid for identity in find_marked("AGENTRELAY_RUN_ID", run_id)}
    with (small_disk / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 512)
        except OSError:
            pass
    go.touch()
    out, err = run.communicate(timeout=240)
    assert run.returncode == 4, out + err
    assert "Free at least" in err
    assert agents
    (small_disk / "ballast").unlink()
    assert "1 merged" in shell("run").stdout


@pytest.mark.fault("O10")
def test_a_damaged_record_is_refused_and_left_as_it_is(shell):
    """A record of other bytes ends each command with 3 and a way out, and none of its bytes is changed."""
    shell("run")
    [journal] = (shell.path.parent / "state").rglob("journal.sqlite")
    content = bytearray(journal.read_bytes())
    content[200:4000] = os.urandom(3800)
    journal.write_bytes(content)
    for command in ("run", "status", "retry"):
        said = shell(command, expect=3).stderr
        assert str(journal) in said
        assert "agentrelay journal export" in said
    assert journal.read_bytes() == content


@pytest.mark.fault("O10")
def test_a_newer_record_is_refused_and_left_as_it_is(shell):
    """A record of a later version ends each command with 3 and what to upgrade, and is not changed."""
    shell("run")
    [journal] = (shell.path.parent / "state").rglob("journal.sqlite")
    connection = sqlite3.connect(journal)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    content = journal.read_bytes()
    for command in ("run", "status", "retry"):
        assert "pip install --upgrade agentrelay-core" in shell(command, expect=3).stderr
    assert journal.read_bytes() == content
