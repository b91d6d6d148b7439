"""Traces that agents leave while they work, in real directories."""

import os
import subprocess

import pytest
from memory_steps import MemoryAgent, make_runtime

from agentrelay_core.task_runner import traces
from agentrelay_core.task_runner.traces import BUSY, Traces


@pytest.fixture
def runtime(tmp_path):
    """A task with its directories, in a worktree of a repository."""
    main, worktree, signals = tmp_path / "main", tmp_path / "worktree", tmp_path / "signals"
    signals.mkdir()
    who = ("-c", "user.name=u", "-c", "user.email=u@e")
    subprocess.run(["git", "init", "-q", main], check=True)
    subprocess.run(["git", "-C", main, *who, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    subprocess.run(["git", "-C", main, "worktree", "add", "-q", worktree], check=True)
    runtime = make_runtime()
    runtime.state.worktree_path, runtime.state.signal_dir = worktree, signals
    (signals / "agent.log").write_bytes(b"begun\n")
    return runtime


@pytest.fixture
def seen(runtime):
    """Traces that were looked at twice: what is there is known."""
    traces = Traces(runtime)
    assert traces.look()
    assert not traces.look()
    return traces


def append(path, content):
    with path.open("ab") as file:
        file.write(content)


@pytest.mark.fault("A12")
@pytest.mark.parametrize("name", ["heartbeat", "concerns.log", "anything-else"])
def test_a_file_in_the_signal_directory_is_progress(name, runtime, seen):
    """A file that is made, touched or written counts once."""
    path = runtime.state.signal_dir / name
    path.touch()
    assert seen.look()
    assert not seen.look()
    os.utime(path, ns=(1, 1))
    assert seen.look()
    append(path, b"more")
    assert seen.look()
    assert not seen.look()


@pytest.mark.fault("A12")
def test_what_git_does_in_the_worktree_is_progress(runtime, seen):
    """Something staged, something committed, and a file at the top count; the index is found through the pointer."""
    worktree = runtime.state.worktree_path
    (worktree / "new").write_text("x")
    assert seen.look()
    for arguments in (["add", "new"], ["-c", "user.name=u", "-c", "user.email=u@e", "commit", "-q", "-m", "new"]):
        subprocess.run(["git", "-C", worktree, *arguments], check=True)
        assert seen.look()
        assert not seen.look()


@pytest.mark.fault("A12")
def test_output_is_progress_and_a_redraw_is_none(runtime, seen):
    """The log that grows is read from where it was read to."""
    log = runtime.state.signal_dir / "agent.log"
    append(log, b"| Thinking\r/ Thinking\r")
    assert seen.look()
    append(log, b"- Thinking\r| Thinking\r")
    assert not seen.look()
    append(log, b"Wrote setup.py\n")
    assert seen.look()


def test_a_log_that_begins_anew_is_read_anew(runtime, seen):
    """A log that was cut, or replaced by another, is output again."""
    log = runtime.state.signal_dir / "agent.log"
    log.write_bytes(b"new\n")
    assert seen.look()
    assert not seen.look()


@pytest.mark.fault("A4")
def test_of_a_flood_the_end_alone_is_read(runtime, seen, monkeypatch):
    """A log of any size costs one bounded read."""
    log = runtime.state.signal_dir / "agent.log"
    with log.open("r+b") as file:
        file.truncate(1 << 33)
        file.seek(0, os.SEEK_END)
        file.write(b"\nthe end\n")
    sizes = []
    read = traces.AgentDirectory.read_from

    def kept(self, *arguments):
        found = read(self, *arguments)
        sizes.append(len(found[1]))
        return found

    monkeypatch.setattr(traces.AgentDirectory, "read_from", kept)
    assert seen.look()
    assert sizes == [65_536]


@pytest.mark.parametrize("trap", ["fifo", "link", "directory"])
def test_a_trap_in_place_of_the_log_is_neither_waited_for_nor_followed(trap, runtime, seen, tmp_path):
    """What is no plain file tells nothing, and holds nobody up."""
    log = runtime.state.signal_dir / "agent.log"
    log.unlink()
    if trap == "fifo":
        os.mkfifo(log)
    elif trap == "link":
        (tmp_path / "elsewhere").write_text("secret\n")
        log.symlink_to(tmp_path / "elsewhere")
    else:
        log.mkdir()
    assert not seen.look()


def test_directories_that_are_gone_are_no_error(runtime, seen):
    """An agent may delete what it works in; that is seen once, as a change of the worktree."""
    for path in (runtime.state.signal_dir, runtime.state.worktree_path):
        path.rename(path.with_name(f"{path.name}-gone"))
    assert seen.look()
    assert not seen.look()


def test_a_task_without_directories_leaves_no_traces():
    """Steps that make none are looked after by CPU time alone."""
    traces = Traces(make_runtime())
    assert traces.look()
    assert not traces.look()


@pytest.mark.fault("A12")
def test_cpu_time_is_progress_from_a_share_of_one_cpu_on(runtime):
    """A spinner's share is less than that of work."""
    now, used = 1000.0, 5.0
    agent = MemoryAgent([])
    agent.address.cpu_seconds = lambda: used
    runtime.artifacts.agent_address = agent.address
    looks = Traces(runtime, lambda: now)
    looks.look()
    now, used = now + 100.0, used + 100.0 * BUSY
    assert looks.look()
    now, used = now + 100.0, used + 90.0 * BUSY
    assert not looks.look()
    now, used = now + 100.0, used - 1.0  # a process ended that nobody waited for
    assert not looks.look()


@pytest.mark.fault("A13")
def test_a_question_is_read_as_data(runtime, seen):
    """Its first line, without what a terminal would act upon; a link is not followed."""
    path = runtime.state.signal_dir / "waiting_input"
    path.write_bytes(b"\x1b[31mMay I\x07 run rm?\nsecond line\n")
    assert seen.look()
    assert seen.question == "May I run rm?"
    path.unlink()
    path.symlink_to("/etc/hostname")
    seen.look()
    assert seen.question == ""
    path.unlink()
    seen.look()
    assert seen.question is None
