"""Whole runs whose agents are in tmux: to merged branches, through every kill, and looked at by people."""

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest

from agentrelay_core.journal import read_events
from agentrelay_core.processes import alive, find_marked, identify

ONE = "  one: {description: First}\n"
TASKS = f"{ONE}  two: {{description: Second}}\n  three: {{description: Third, dependencies: [one, two]}}\n"
WORK = 'echo "$AGENTRELAY_TASK_ID" > "$AGENTRELAY_TASK_ID.txt"; echo "worked"'


def events(shell):
    """What the run's journal has."""
    [journal] = (shell.place.path / "s").rglob("journal.sqlite")
    return [event for _, event in read_events(journal)]


def printed(process: "subprocess.Popen[str]") -> str:
    """What a process printed to its end."""
    said, complained = process.communicate(timeout=240)
    assert "Traceback" not in complained, complained
    return said + complained


@pytest.fixture
def doors(place):
    """FIFOs by which agents say that they are at work, and are told to go on."""
    for name in ("began", "go"):
        os.mkfifo(place.path / name)
    return place.path / "began", place.path / "go"


def test_a_graph_in_tmux_becomes_merged_branches(shell):
    """Three tasks of the framework `command` run in windows to the end, and no server is left."""
    shell.graph(WORK, TASKS)
    assert "3 merged" in shell("run").stdout
    assert shell.git("show", "agentrelay/g@default:three.txt") == "three"
    labels = [event.message for event in events(shell) if event.kind == "task_launched"]
    assert len(labels) == 3
    assert all(label.startswith("agentrelay:%") for label in labels)
    assert shell("logs", "one").stdout == "worked\n"
    assert not [path for path in (shell.place.path / "s").rglob("tmux-*") if path.is_socket() and _answers(path)]


def test_a_graph_names_a_session(shell):
    """With a session the windows are in the user's own server, and its other windows are as they were."""
    shell.place.users("-f", "/dev/null", "new-session", "-d", "-s", "team", "sleep", "600")
    before = shell.place.users("list-panes", "-a", "-F", "#{window_id} #{pane_pid}")
    shell.graph(WORK, ONE, environment="{type: tmux, session: team}")
    assert "1 merged" in shell("run").stdout
    shell.graph(WORK, "  two: {description: Second}\n", "tmux_session: team\n")
    assert "1 merged" in shell("run", "--accept-graph").stdout
    labels = [event.message for event in events(shell) if event.kind == "task_launched"]
    assert [label.partition(":")[0] for label in labels] == ["team", "team"]
    assert shell.place.users("list-panes", "-a", "-F", "#{window_id} #{pane_pid}") == before


def test_a_session_that_is_none_is_refused(shell):
    """A name that tmux would read as a format is a mistake in the graph, told with its line, and nothing is run."""
    shell.graph(WORK, ONE, environment='{type: tmux, session: "#(touch ran)"}')
    assert "due is the name of a tmux session" in shell("check", expect=3).stdout
    shell.graph(WORK, ONE, 'tmux_session: "a:b"\n')
    refused = shell("run", expect=3).stderr
    assert "tmux_session: due is the name of a tmux session" in refused
    assert "missing: tmux_session" in shell("plan").stdout
    assert not list(shell.place.path.rglob("ran"))
    assert not list((shell.place.path / "s").rglob("journal.sqlite"))


def test_clean_removes_what_is_left_of_own_servers(shell):
    """A server with the windows of ended agents goes, and its socket with it; while something lives in it, it stays."""
    shell.graph(WORK, ONE, "keep_panes: true\n")
    assert "1 merged" in shell("run").stdout
    socket = shell.socket
    window = shell.tmux("new-window", "-d", "-P", "-F", "#{window_id}", "sleep 600").strip()
    shown = shell("clean", "--dry-run").stdout
    assert f"keep tmux server at {socket}: 1 of its 2 windows have a program that lives" in shown
    shell("clean", "--yes")
    assert _answers(socket)
    shell.tmux("kill-window", "-t", window)
    shown = shell("clean", "--dry-run").stdout
    assert f"remove tmux server at {socket}: it shows an agent's last words" in shown
    assert f"removed tmux server at {socket}" in shell("clean", "--yes").stderr
    assert not _answers(socket)
    assert not socket.exists()
    assert "tmux" not in shell("clean", "--dry-run").stdout


def test_clean_removes_a_socket_whose_server_was_killed(shell):
    """The file that a killed server leaves goes; what has its name and is no socket stays."""
    shell.graph(WORK, ONE, "keep_panes: true\n")
    assert "1 merged" in shell("run").stdout
    socket = shell.socket
    os.kill(int(shell.tmux("display-message", "-p", "#{pid}")), signal.SIGKILL)
    assert f"removed tmux socket {socket}" in shell("clean", "--yes").stderr
    assert not socket.exists()
    socket.write_text("mine")
    assert "tmux" not in shell("clean", "--dry-run").stdout


def test_a_session_that_cannot_be_used_is_refused_before_the_run(shell):
    """Where the user's tmux would have its socket in a directory that others may write to, nothing is begun."""
    folder = shell.place.users_socket.parent
    folder.chmod(0o777)
    shell.graph(WORK, ONE, "tmux_session: team\n")
    refused = shell("run", expect=5).stderr
    assert "the tmux session 'team' cannot be used" in refused
    assert "is not a directory of yours alone" in refused
    assert not list((shell.place.path / "s").rglob("journal.sqlite"))
    folder.chmod(0o700)
    assert "1 merged" in shell("run").stdout


@pytest.mark.fault("L3")
def test_without_tmux_nothing_is_begun(shell):
    """A run that needs tmux where there is none says so, and leaves nothing."""
    shell.graph(WORK, ONE)
    folder = shell.place.path / "bin"
    folder.mkdir()
    for name in ("git", "sh"):
        (folder / name).symlink_to(shutil.which(name))
    shell.environment["PATH"] = str(folder)
    assert "tmux" in shell("run", expect=5).stderr
    assert not list((shell.place.path / "s").rglob("journal.sqlite"))
    assert not shell.git("branch", "--list", "agentrelay/*")


@pytest.mark.fault("L1")
def test_kill_9_of_the_orchestrator_loses_no_agent(shell, doors):
    """The agent that runs in tmux is adopted by the next run, with the same process, and its work is merged."""
    began, go = doors
    shell.graph(f"echo $$ >> pid.txt; echo $$ > {began}; read x < {go}; {WORK}", ONE)
    killed = shell.start("run")
    pid = int(began.read_text())
    killed.kill()
    killed.communicate()
    assert _runs(pid)
    resumed = shell.start("run")
    go.write_text("x\n")
    assert "1 merged" in printed(resumed)
    assert shell.git("show", "agentrelay/g@default:pid.txt") == str(pid)
    launched = [event for event in events(shell) if event.kind == "task_launched"]
    assert len({json.dumps(event.data) for event in launched}) == 1


@pytest.mark.fault("L1", "O2", "O3")
@pytest.mark.parametrize("place_of_death", ["launch:intent", "launch:effect"])
def test_killed_around_the_launch(shell, place_of_death):
    """Before the agent is started or right after, a run that is typed again has one agent and one merge."""
    shell.graph(f"echo $$ >> pid.txt; {WORK}", ONE)
    killed = shell.start("run", env={**shell.environment, "AGENTRELAY_FAILPOINTS": f"{place_of_death}=kill"})
    killed.communicate(timeout=240)
    assert killed.returncode == -signal.SIGKILL
    assert "1 merged" in shell("run").stdout
    assert len(shell.git("show", "agentrelay/g@default:pid.txt").split()) == 1
    assert not _answers(shell.socket)


@pytest.mark.fault("A8")
def test_kill_9_of_the_agent_costs_one_attempt(shell, doors):
    """The task's next attempt does the work, in a window of its own."""
    began, _ = doors
    script = f"if [ $AGENTRELAY_ATTEMPT = 0 ]; then echo $$ > {began}; exec sleep 600; fi; {WORK}"
    shell.graph(script, ONE, "max_task_attempts: 2\n")
    run = shell.start("run")
    os.kill(int(began.read_text()), signal.SIGKILL)
    assert "1 merged" in printed(run)
    ended = [event for event in events(shell) if event.kind == "task_ended"]
    assert "SIGKILL" in ended[0].data["error"] or "signal 9" in ended[0].data["error"]


@pytest.mark.fault("A10")
def test_kill_9_of_the_server_costs_one_attempt(shell, doors):
    """Agents end with their terminals; the next attempt gets a new server, and its work is merged."""
    began, _ = doors
    script = f"if [ $AGENTRELAY_ATTEMPT = 0 ]; then echo $$ > {began}; exec sleep 600; fi; {WORK}"
    shell.graph(script, ONE, "max_task_attempts: 2\n")
    run = shell.start("run")
    began.read_text()
    os.kill(int(shell.tmux("display-message", "-p", "#{pid}")), signal.SIGKILL)
    assert "1 merged" in printed(run)
    assert not find_marked("AGENTRELAY_RUN_ID", events(shell)[0].data["run_id"])


def test_cancel_ends_the_agent_and_its_window(shell, doors):
    """After `agentrelay cancel` neither is there."""
    began, _ = doors
    shell.graph(f"echo $$ > {began}; exec sleep 600", ONE)
    run = shell.start("run")
    pid = int(began.read_text())
    shell("cancel", "one", "--yes")
    printed(run)
    assert not _runs(pid)
    assert not _answers(shell.socket)


def test_attach_shows_the_agent_s_window(shell, doors):
    """In a terminal, `agentrelay attach` shows what the agent printed; detached, both go on."""
    began, go = doors
    shell.graph(f"echo look at me; echo x > {began}; read x < {go}; {WORK}", ONE)
    run = shell.start("run")
    began.read_text()
    terminal, side = pty.openpty()
    attached = shell.start("attach", "one", stdin=side, stdout=side, stderr=side, start_new_session=True)
    os.close(side)
    seen = b""
    for piece in _pieces(terminal):
        seen += piece
        if b"look at me" in seen:
            break
    assert shell.tmux("display-message", "-p", "#{window_name}") == "one\n"
    shell.tmux("detach-client", "-a", "-s", "=agentrelay:")
    os.write(terminal, b"\x02d")
    seen += b"".join(_pieces(terminal))
    assert attached.wait(timeout=240) == 0
    os.close(terminal)
    go.write_text("x\n")
    assert "1 merged" in printed(run)
    assert b"look at me" in seen


def test_attach_says_why_not(shell, doors):
    """Without a terminal, a task, an agent or a window there is a sentence, and what to type instead."""
    began, go = doors
    assert "nothing was run" in shell("attach", "one", expect=2).stderr
    tasks = ONE + "  two: {description: Second, dependencies: [one]}\n"
    shell.graph(f"echo x > {began}; read x < {go}; {WORK}", tasks)
    run = shell.start("run")
    began.read_text()
    assert "logs one --follow" in shell("attach", "one", expect=2).stderr
    assert "did you mean 'one'" in shell("attach", "onne", expect=2).stderr
    assert "agentrelay status g" in shell("attach", "two", expect=2).stderr
    go.write_text("x\n")
    began.read_text()
    go.write_text("x\n")
    assert "2 merged" in printed(run)
    assert "has no window now" in shell("attach", "one", expect=2).stderr


def test_keep_panes_keeps_the_windows_of_a_run(shell):
    """With `keep_panes` people can look at the windows afterwards, and find them by `agentrelay attach`."""
    shell.graph(WORK, ONE, "keep_panes: true\n")
    assert "1 merged" in shell("run").stdout
    assert shell.tmux("list-windows", "-a", "-F", "#{window_name}") == "one\n"
    assert "type `env -u TMUX tmux" in shell("attach", "one", expect=2).stderr


def _pieces(terminal: int) -> Iterator[bytes]:
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 65536):
            yield piece


def _answers(socket) -> bool:
    return (
        subprocess.run(["tmux", "-S", str(socket), "list-sessions"], capture_output=True, check=False).returncode == 0
    )


def _runs(pid: int) -> bool:
    identity = identify(pid)
    return identity is not None and alive(identity) == "alive"
