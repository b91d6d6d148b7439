"""What the tests of tmux and of Claude Code share: a user's own tmux server, and how late this machine is by itself."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

# What there is to see of a server. Times of activity and numbers of commands are left out: looking changes them.
_LOOKS = (
    ("list-sessions", "-F", "#{session_id} #{session_name} #{session_created} #{session_windows} #{session_path}"),
    ("list-windows", "-a", "-F", "#{window_id} #{window_index} #{window_name} #{window_flags} #{window_layout}"),
    ("list-panes", "-a", "-F", "#{pane_id} #{pane_pid} #{pane_title} #{pane_width} #{pane_active} #{pane_dead}"),
    ("list-buffers", "-F", "#{buffer_name} #{buffer_size} #{buffer_sample}"),
    ("list-keys",),
    ("list-clients",),
    ("show-options", "-s"),
    ("show-options", "-g"),
    ("show-options", "-g", "-w"),
    ("show-hooks", "-g"),
    ("show-environment", "-g"),
)
_LOOKS_AT_SESSION = ("show-options", "show-hooks", "show-environment")
_LOOKS_AT_WINDOW = (("show-options", "-w"), ("show-options", "-p"), ("capture-pane", "-p"))


class UsersTmux:
    """The tmux server that a user gets who types ``tmux``.

    Args:
        folder: What ``TMUX_TMPDIR`` is.
    """

    def __init__(self, folder: Path) -> None:
        self.socket = folder / f"tmux-{os.getuid()}" / "default"

    def __call__(self, *arguments: str) -> str:
        """What tmux says."""
        done = subprocess.run(["tmux", "-S", str(self.socket), *arguments], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def start(self) -> None:
        """Start the server with sessions, windows, options, variables and buffers that could be mistaken for ours."""
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        assert self("-f", "/dev/null", "new-session", "-d", "-s", "agentrelay", "-n", "a", "sleep", "700") == ""
        for command in (
            ("new-window", "-d", "-t", "=agentrelay:", "-n", "b", "sleep", "701"),
            ("split-window", "-d", "-t", "=agentrelay:=a", "sleep", "702"),
            ("new-session", "-d", "-s", "agentrelay-1", "-n", "a", "sleep", "703"),
            ("new-session", "-d", "-s", "work", "-n", "a", "sleep", "704"),
            ("set-option", "-g", "remain-on-exit", "off"),
            ("set-option", "-t", "=work:", "@agentrelay", "mine"),
            ("set-option", "-p", "-t", "=work:=a", "@agentrelay", "0123456789abcdef"),
            ("set-environment", "-g", "AGENTRELAY_SIGNAL_DIR", "mine"),
            ("set-buffer", "-b", "agentrelay-0123456789abcdef", "mine"),
            ("set-buffer", "the latest thing that was copied"),
        ):
            assert self(*command) == ""

    def snapshot(self) -> list[str]:
        """Everything that there is to see, and which server and socket that is."""
        there = self.socket.stat()
        seen = [f"inode {there.st_ino}", self("display-message", "-p", "#{pid} #{start_time}")]
        seen += [self(*look) for look in _LOOKS]
        for session in self("list-sessions", "-F", "#{session_id}").split():
            seen += [self(look, "-t", session) for look in _LOOKS_AT_SESSION]
        for pane in self("list-panes", "-a", "-F", "#{pane_id}").split():
            seen += [self(*look, "-t", pane) for look in _LOOKS_AT_WINDOW]
        for buffer in self("list-buffers", "-F", "#{buffer_name}").split():
            seen.append(self("show-buffer", "-b", buffer))
        return seen


@pytest.fixture
def users_tmux(monkeypatch):
    """A short place for the user's own tmux server, which is not started yet; afterwards none is there."""
    folder = Path(tempfile.mkdtemp(prefix="arc-", dir="/tmp"))
    monkeypatch.setenv("TMUX_TMPDIR", str(folder))
    monkeypatch.delenv("TMUX", raising=False)
    yield (tmux := UsersTmux(folder))
    tmux("kill-server")
    shutil.rmtree(folder, ignore_errors=True)


_WORK = 0.1  # seconds of CPU by which it is measured how much of a CPU we get


@pytest.fixture
def at_once():
    """Measures what "within 100 ms" is on this machine now, in seconds: more where others take its time.

    That is 100 ms by a clock that stands still while others have the CPU, and the worst delay of ten plain children.
    """

    def at_once() -> float:
        began, worked = time.perf_counter(), time.thread_time()
        while time.thread_time() - worked < _WORK:
            pass
        share = max(1.0, (time.perf_counter() - began) / _WORK)
        late = []
        for _ in range(10):
            said = subprocess.run(["sh", "-c", "date +%s.%N"], capture_output=True, text=True, check=True).stdout
            late.append(time.time() - float(said))
        return 0.1 * share + max(late)

    return at_once
