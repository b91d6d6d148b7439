"""An agent in a window: its bytes, its end, and who it is, as for any local process, and with a terminal."""

import asyncio
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentrelay_core.processes import Command, ProcessIdentity
from agentrelay_core.runtime import AgentFailure
from agentrelay_core.runtime.agent_records import agent_record

TERMINAL = Path("/dev/tty")


async def test_a_program_has_a_terminal_and_its_log_every_byte(place):
    """The program's output is a terminal; from its first byte to its last it is in the log as it was written."""
    context = place.context()
    address = place.start(context, "sh", "-c", "printf 'first\\n\\001\\377'; test -t 1 && echo terminal; exit 7")
    host = place.host()
    assert await host.wait(address) == 7
    assert await host.is_alive(address) == "ended"
    assert address.output() == b"first\n\001\377terminal\n"
    assert (context.runtime.state.signal_dir / "agent.log").read_bytes() == address.output()
    await address.teardown(context.runtime.state.signal_dir)


async def test_the_window_has_the_task_s_name_and_the_program_s_words(place):
    """People find the window by the task's id, and see in it what the program printed, each line at the left."""
    address = place.start(place.context("spec.v-1"), "sh", "-c", "echo one; echo two; exec sleep 600")
    assert address.label == "agentrelay:%0"
    assert place.own("list-windows", "-a", "-F", "#{session_name} #{window_name}") == ("agentrelay spec.v-1\n")
    while "two" not in address.pane.screen():
        assert await place.host().is_alive(address) == "alive"
    assert address.pane.screen().splitlines()[:2] == ["one", "two"]
    await address.teardown()
    assert address.pane.look() is None


async def test_standard_input_is_the_file_nothing_or_the_terminal(place):
    """A program reads the file that it is given to its end, nothing without one, and of a terminal what is typed."""
    nothing = place.start(place.context("nothing"), "cat")
    assert await place.host().wait(nothing) == 0
    assert nothing.output() == b""
    await nothing.teardown()
    given = place.path / "given"
    given.write_bytes(b"x" * 70_000 + b"\n\000;")
    address = place.start(place.context("file"), "cat", stdin=given)
    assert await place.host().wait(address) == 0
    assert address.output() == given.read_bytes()
    await address.teardown()
    typed = place.start(place.context("typed"), "sh", "-c", "test -t 0 && read line && echo got=$line", stdin=TERMINAL)
    place.own("send-keys", "-t", typed.label.partition(":")[2], "-l", "hello")
    place.own("send-keys", "-t", typed.label.partition(":")[2], "Enter")
    assert await place.host().wait(typed) == 0
    assert typed.output().endswith(b"got=hello\n")
    await typed.teardown()


@pytest.mark.fault("L8", "L9")
async def test_a_pane_inherits_nothing(place, monkeypatch):
    """A variable of ours, and one of whoever started the server, reaches no agent; a secret is in no command line."""
    monkeypatch.setenv("CANARY", "of-the-orchestrator")
    first = place.start(place.context("first"), "sleep", "600")
    place.own("set-environment", "-g", "SERVER_CANARY", "of-the-server")
    context = place.context("second")
    address = place.start(context, "sh", "-c", "env; cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' '", A_VALUE="v4lue-9")
    await place.host().wait(address)
    said = address.output().decode(errors="replace")
    assert "CANARY" not in said.replace("SERVER_CANARY", "CANARY") or "of-the" not in said
    assert said.count("v4lue-9") == 1
    assert "TERM=screen-256color" in said
    assert "TMUX" not in said.partition("/proc")[0].replace("TMUX_TMPDIR", "")
    assert not list((place.path / "state").rglob("order"))
    await first.teardown()
    await address.teardown()


async def test_missing_program_and_directory_are_told(place):
    """What cannot be started is an error that names it, and leaves no window."""
    with pytest.raises(AgentFailure, match="no-such-program"):
        place.start(place.context("a"), "no-such-program")
    context = place.context("b")
    context.runtime.state.worktree_path = place.path / "nowhere"
    with pytest.raises(AgentFailure, match="nowhere"):
        place.start(context, "true")
    assert place.own("list-windows", "-a") == ""


@pytest.mark.fault("L5", "I4")
async def test_ids_and_paths_are_no_formats_and_no_keys(place):
    """Titles, directories and arguments in which tmux could see a command, a format or a key are text."""
    context = place.context()
    worktree = place.path / "work#(touch ran);"
    worktree.mkdir()
    context.runtime.state.worktree_path = worktree
    object.__setattr__(context.runtime.task, "id", "x#(touch ran);y")
    address = place.start(context, "sh", "-c", 'pwd; printf "%s\\n" "$@"', "sh", "#(touch ran)", "-t;", "C-c", ";")
    assert await place.host().wait(address) == 0
    assert address.output().decode().splitlines() == [str(worktree), "#(touch ran)", "-t;", "C-c", ";"]
    assert place.own("list-windows", "-a", "-F", "#{window_name}") == "x__touch_ran__y\n"
    await address.teardown()
    assert not [*place.path.rglob("ran"), *(path for path in (place.path / "/ran",) if path.exists())]


async def test_an_end_is_noticed_at_once(place, at_once):
    """Between a program's last instruction and the word of its end lie less than 100 ms, again and again."""
    late = []
    for number in range(10):
        address = place.start(place.context(f"t{number}"), "sh", "-c", "sleep 0.2; date +%s.%N")
        await place.host().wait(address)
        late.append(time.time() - float(address.output()))
        await address.teardown()
    assert sorted(late)[len(late) // 2] < at_once(), late


async def test_kill_9_of_the_agent_is_told_as_it_was(place):
    """The exit is the signal's, though nobody inside could say so."""
    address = place.start(place.context(), "sleep", "600")
    os.kill(address.program.identity.pid, signal.SIGKILL)
    assert await place.host().wait(address) == -signal.SIGKILL
    assert await place.host().is_alive(address) == "ended"
    await address.teardown()


@pytest.mark.fault("A10")
async def test_kill_9_of_the_server_ends_the_agent_by_hup(place):
    """The agent ends as with any terminal that is closed, and what ignores that is ended with it."""
    context = place.context()
    script = "(trap '' HUP; exec sleep 601) & exec sleep 600"
    address = place.start(context, "sh", "-c", script)
    server = int(place.own("display-message", "-p", "#{pid}"))
    os.kill(server, signal.SIGKILL)
    assert await place.host().wait(address) == -signal.SIGHUP
    assert await address.program.pids() == []
    await address.teardown()


@pytest.mark.fault("A10")
async def test_an_agent_that_ignores_hup_outlives_its_server(place):
    """It is alive, its log goes on, its end is told, and there is nothing to attach to."""
    stop = place.path / "stop"
    os.mkfifo(stop)
    script = f"trap '' HUP; echo before; read x < {stop}; echo after"
    address = place.start(place.context(), "sh", "-c", script)
    host = place.host()
    while b"before" not in address.output():  # from now on it ignores HUP
        assert await host.is_alive(address) == "alive"
    server = int(place.own("display-message", "-p", "#{pid}"))
    os.kill(server, signal.SIGKILL)
    assert await host.attach_command(address) is None
    assert await host.is_alive(address) == "alive"
    stop.write_text("x\n")
    assert await host.wait(address) == 0
    assert address.output() == b"before\nafter\n"
    await address.teardown()


@pytest.mark.fault("A11")
async def test_a_server_that_says_nothing_is_no_death(place):
    """While tmux is stopped, the agent is alive, and its end is told all the same."""
    stop = place.path / "stop"
    os.mkfifo(stop)
    address = place.start(place.context(), "sh", "-c", f"read x < {stop}; seq 1 100000; exit 3")
    server = int(place.own("display-message", "-p", "#{pid}"))
    os.kill(server, signal.SIGSTOP)
    try:
        assert await place.host().is_alive(address) == "alive"
        stop.write_text("x\n")
        # More than tmux has room for, so the program waits as for any terminal that was stopped.
        assert await place.host().is_alive(address) == "alive"
    finally:
        os.kill(server, signal.SIGCONT)
    assert await place.host().wait(address) == 3
    assert address.output().endswith(b"99999\n100000\n")
    await address.teardown()


async def test_stop_ends_everything_and_nothing_else(place):
    """What the agent started is ended, in whatever session it is; another agent and a window of the user are not."""
    other = place.start(place.context("other"), "sleep", "600")
    place.own("new-window", "-d", "-n", "mine", "sleep", "601")
    script = "sleep 602 & setsid sleep 603 & (setsid sleep 604 &) ; exec sleep 605"
    address = place.start(place.context(), "sh", "-c", script)
    while len(await address.program.pids()) < 4:
        assert await place.host().is_alive(address) == "alive"
    await place.host().stop(address)
    assert await address.program.pids() == []
    await address.teardown()
    assert await place.host().is_alive(other) == "alive"
    assert sorted(place.own("list-windows", "-a", "-F", "#{window_name}").split()) == ["mine", "other"]
    await other.teardown()
    assert place.own("list-windows", "-a", "-F", "#{window_name}").split() == ["mine"]


async def test_keep_panes_leaves_the_window_with_the_last_words(place):
    """After a teardown that keeps it, the window is there, and its agent has ended."""
    address = place.start(place.context(), "sh", "-c", "echo last words; exec sleep 600")
    while "last words" not in address.pane.screen():
        assert await place.host().is_alive(address) == "alive"
    await address.teardown(None, True)
    assert await place.host().is_alive(address) == "ended"
    assert "last words" in place.own("capture-pane", "-p", "-S", "-", "-t", address.pane.look().pane)
    assert "sleep" not in place.own("list-panes", "-a", "-F", "#{pane_current_command}")


async def test_an_address_is_found_again_by_what_it_says_of_itself(place):
    """From the plain data of an address, and from the attempt alone, another host finds the same process."""
    context = place.context()
    address = place.start(context, "sh", "-c", "sleep 0.5; exit 5")
    data = json.loads(json.dumps(address.to_json()))
    adopted = place.host().adopt(data)
    found = await place.host().find(context)
    assert adopted.label == found.label == address.label
    assert isinstance(found.program.identity, ProcessIdentity)
    assert found.program.identity == adopted.program.identity == address.program.identity
    assert await place.host().wait(found) == await place.host().wait(adopted) == 5
    await found.teardown()
    assert await place.host().find(context) is None


async def test_a_pane_s_number_alone_is_no_identity(place):
    """After the server was killed and started anew, the pane of the same number is not taken for the old agent's."""
    first = place.start(place.context("first"), "sleep", "600")
    place.own("kill-server")
    await place.host().wait(first)
    second = place.start(place.context("second"), "sleep", "600")
    assert first.label == second.label
    await first.teardown()
    assert await place.host().is_alive(second) == "alive"
    assert second.pane.look() is not None
    assert first.pane.look() is None
    await second.teardown()


async def test_a_second_start_of_an_attempt_finds_the_first(place):
    """Whoever starts an agent that runs already gets its address, and no second one is started."""
    context = place.context()
    address = place.start(context, "sleep", "600")
    again = place.start(context, "sleep", "600")
    assert again.program.identity == address.program.identity
    assert place.own("list-windows", "-a").count("\n") == 1
    await address.teardown()


async def test_a_user_s_server_is_untouched(place):
    """With a server of the user that has a session of our name, the run's windows are elsewhere."""
    place.users("-f", "/dev/null", "new-session", "-d", "-s", "agentrelay", "sleep", "600")
    look = ("list-panes", "-a", "-F", "#{session_name} #{window_id} #{window_name} #{pane_id} #{pane_pid}")
    options = ("show-options", "-g")
    before = place.users(*look) + place.users(*options)
    address = place.start(place.context(), "sh", "-c", "exit 0")
    await place.host().wait(address)
    await address.teardown()
    kept = place.start(place.context("kept"), "sleep", "600")
    await kept.teardown(None, True)
    assert place.users(*look) + place.users(*options) == before


async def test_a_session_that_the_user_names_gets_the_windows(place):
    """In a session of the user's own server a window comes and goes; the session's own windows stay as they are."""
    place.users("-f", "/dev/null", "new-session", "-d", "-s", "work", "sleep", "600")
    look = ("list-panes", "-s", "-t", "=work:", "-F", "#{window_id} #{window_name} #{pane_id} #{pane_pid}")
    before = place.users(*look)
    context = place.context()
    host = place.host(session="work")
    address = host.start(place.command(context, "sleep", "600"), context)
    assert address.label == "work:%1"
    assert len(place.users(*look).splitlines()) == 2
    assert place.users("display-message", "-t", "=work:", "-p", "#{window_id}") == "@0\n"
    await address.teardown()
    assert place.users(*look) == before
    assert not place.own_socket.exists()


async def test_a_session_that_is_not_there_is_made(place):
    """Without a server of the user, one is started for the session, without the secrets of whoever starts it."""
    context = place.context()
    os.environ["A_SECRET"] = "s3cr3t"
    try:
        address = place.host(session="fresh").start(place.command(context, "sleep", "600"), context)
    finally:
        del os.environ["A_SECRET"]
    assert address.label == "fresh:%0"
    assert "s3cr3t" not in place.users("show-environment", "-g")
    await address.teardown()


@pytest.mark.parametrize("name", ["", "a:b", "a.b", "=a", "-a", "#(touch x)", "a b", "a;"])
def test_a_session_s_name_is_one(place, name):
    """A name that tmux would take for something else is refused, in words that say what is due."""
    with pytest.raises(ValueError, match="due is the name of a tmux session"):
        place.host(session=name)


@pytest.mark.fault("L4")
async def test_a_session_whose_name_begins_alike_is_another(place):
    """Neither the session nor the window of a name that only begins with ours is taken for ours."""
    place.users("-f", "/dev/null", "new-session", "-d", "-s", "work-10", "-n", "work", "sleep", "600")
    context = place.context()
    address = place.host(session="work").start(place.command(context, "sleep", "600"), context)
    listed = place.users("list-windows", "-a", "-F", "#{session_name} #{window_name}")
    assert sorted(listed.splitlines()) == ["work one", "work-10 work"]
    await address.teardown()
    assert place.users("list-sessions", "-F", "#{session_name}") == "work-10\n"


@pytest.mark.fault("L10")
async def test_no_shell_reads_its_start_files(place, monkeypatch):
    """The program is started by no shell: whatever the user's shell would print, ask or do happens not."""
    shell = place.path / "shell"
    shell.write_text(f'#!/bin/sh\ntouch {place.path}/ran\nexec /bin/sh "$@"\n')
    shell.chmod(0o755)
    monkeypatch.setenv("SHELL", str(shell))
    address = place.start(place.context(), "printf", "said")
    assert await place.host().wait(address) == 0
    assert address.output() == b"said"
    await address.teardown()
    assert not (place.path / "ran").exists()


@pytest.mark.fault("A16")
async def test_an_agent_that_kills_its_tmux_ends_by_that(place):
    """It gets no address of its server; one that finds it all the same ends itself, and that is what is told."""
    other = place.start(place.context("other"), "sh", "-c", "trap '' HUP; echo ready; exec sleep 600")
    while b"ready" not in other.output():
        assert await place.host().is_alive(other) == "alive"
    script = f'test -z "$TMUX" && tmux -S {place.own_socket} kill-server; sleep 600'
    address = place.start(place.context(), "sh", "-c", script)
    assert await place.host().wait(address) == -signal.SIGHUP
    assert await place.host().is_alive(other) == "alive"
    await address.teardown()
    await other.teardown()


@pytest.mark.fault("L3")
async def test_a_tmux_that_is_too_old_is_named(place, monkeypatch):
    """Where tmux refuses what it does not know yet, its version is told, and which one is due."""
    folder = place.path / "old"
    folder.mkdir()
    (folder / "tmux").write_text(
        "#!/bin/sh\n[ $1 = -V ] && echo tmux 2.9a && exit\necho 'unknown flag -p' >&2; exit 1\n"
    )
    (folder / "tmux").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    with pytest.raises(AgentFailure, match=r"tmux 2\.9 is too old; install 3\.1 or newer"):
        place.start(place.context(), "true")


@pytest.mark.fault("L3")
async def test_a_place_that_others_can_write_is_refused(place):
    """Where somebody else could put a socket of his, none of ours is used."""
    context = place.context()
    (place.path / "state").chmod(0o777)
    with pytest.raises(AgentFailure, match="not a directory of yours alone"):
        place.start(context, "true")
    (place.path / "state").chmod(0o700)


_KILLED_IN_THE_MIDDLE = """
import os, pickle, signal, sys
from agentrelay_tmux_claude.tmux import handover, panes

at, starter, order = pickle.loads(sys.stdin.buffer.read())
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if at == "opening":
    panes.Pane.open = die
elif at == "opened":
    handover._report = die
from agentrelay_core.processes import RecordedProgram
RecordedProgram.start(order.pop("command"), by=starter, **order)
"""


@pytest.mark.fault("L1", "O3")
@pytest.mark.parametrize("at", ["opening", "opened"])
async def test_killed_while_an_agent_is_started(place, at):
    """Whoever starts again finds the agent that was started, or starts it now: one agent, and no window is left."""
    context = place.context()
    signal_dir = str(context.runtime.state.signal_dir)
    said = place.path / "said"
    order = {
        "command": Command(
            argv=("sh", "-c", f"echo $$ >> {said}; exec sleep 600"),
            cwd=place.path,
            env={**os.environ, "AGENTRELAY_SIGNAL_DIR": signal_dir},
            output=place.path / "signals" / "one-0" / "agent.log",
        ),
        "attempt": agent_record(place.path / "state", "one", context.runtime.run_id, 0),
        "marker": ("AGENTRELAY_SIGNAL_DIR", signal_dir),
    }
    given = pickle.dumps((at, place.host().starter(context), order))
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", _KILLED_IN_THE_MIDDLE, stdin=subprocess.PIPE)
    await killed.communicate(given)
    assert killed.returncode == -signal.SIGKILL
    address = await place.host().find(context)
    if address is None:
        address = place.start(context, *order["command"].argv)
    assert not list((place.path / "state").rglob("order"))
    while not said.exists():
        assert await place.host().is_alive(address) == "alive"
    await address.teardown()
    assert said.read_text().split() == [str(address.program.identity.pid)]
    assert place.own("list-windows", "-a") == ""


async def test_a_window_that_is_closed_ends_its_agent(place):
    """Who closes the window ends the agent, as in any terminal, and that is told as it was."""
    address = place.start(place.context(), "sleep", "600")
    place.own("kill-pane", "-t", address.label.partition(":")[2])
    assert await place.host().wait(address) == -signal.SIGHUP
    assert await place.host().attach_command(address) is None
    await address.teardown()


@pytest.mark.fault("A9")
async def test_kill_9_of_the_runner_is_no_death_of_the_agent(place):
    """An agent that outlives its runner process is alive, how it ends cannot be known, and it can be ended."""
    address = place.start(place.context(), "sh", "-c", "trap '' HUP; echo ready; while :; do sleep 600; done")
    while b"ready" not in address.output():
        assert await place.host().is_alive(address) == "alive"
    os.kill(address.program.record.runner.pid, signal.SIGKILL)
    assert await place.host().is_alive(address) == "alive"
    waiting = asyncio.ensure_future(place.host().wait(address))
    await asyncio.wait((waiting,), timeout=0.2)
    assert not waiting.done()
    await place.host().stop(address)
    assert await waiting is None
    assert await place.host().is_alive(address) == "ended"
    await address.teardown()


async def test_a_server_is_attached_to_from_within(place, monkeypatch):
    """In a terminal of the same server one switches to the window; in another one's, tmux is called as from outside."""
    address = place.start(place.context(), "sleep", "600")
    host = place.host()
    outside = await host.attach_command(address)
    assert outside[:4] == ("env", "-u", "TMUX", "tmux")
    assert outside[-3:] == ("attach-session", "-t", "=agentrelay:@0")
    monkeypatch.setenv("TMUX", "/elsewhere/default,7,0")
    assert await host.attach_command(address) == outside
    monkeypatch.setenv("TMUX", f"{place.own_socket},7,0")
    assert (await host.attach_command(address))[-3:] == ("switch-client", "-t", "%0")
    await address.teardown()


async def test_a_program_that_sets_its_terminal_up_has_it_so(place):
    """What draws by itself is not changed on its way to the pane: a line feed alone goes down and not to the left."""
    script = "stty raw -echo </dev/tty; printf 'down\\nhere'; exec sleep 600"
    address = place.start(place.context(), "sh", "-c", script)
    while "here" not in address.pane.screen():
        assert await place.host().is_alive(address) == "alive"
    assert address.pane.screen().splitlines()[:2] == ["down", "    here"]
    await address.teardown()


async def test_the_size_of_the_window_is_the_program_s(place):
    """A program's terminal is as large as its pane, from the beginning and when that changes."""
    script = "trap 'stty size </dev/tty' WINCH; stty size </dev/tty; echo ready; while :; do sleep 0.05; done"
    address = place.start(place.context(), "sh", "-c", script)
    while b"ready" not in address.output():
        assert await place.host().is_alive(address) == "alive"
    place.own("resize-window", "-t", "=agentrelay:", "-x", "90", "-y", "30")
    while b"30 90" not in address.output():
        assert await place.host().is_alive(address) == "alive"
    assert address.output().startswith(b"50 200\n")
    await address.teardown()


@pytest.mark.fault("L2")
async def test_two_starts_at_once_start_one_agent(place):
    """Both get the address of the same process, and the window of the one that came second is gone."""
    context = place.context()
    said = place.path / "said"
    argv = ("sh", "-c", f"echo $$ >> {said}; exec sleep 600")
    starts = [asyncio.to_thread(place.start, context, *argv) for _ in range(4)]
    addresses = await asyncio.gather(*starts)
    assert len({address.program.identity for address in addresses}) == 1
    while not said.exists():
        assert await place.host().is_alive(addresses[0]) == "alive"
    assert len(place.own("list-windows", "-a").splitlines()) == 1
    await addresses[0].teardown()
    assert len(said.read_text().split()) == 1


async def test_secrets_are_stars_in_the_log_and_in_the_window(place):
    """What an agent prints of its secrets is shown nowhere, be it printed in pieces."""
    context = place.context()
    script = 'printf "it is $A_TOKEN, "; echo "$A_TOKEN"; exec sleep 600'
    address = place.start(context, "sh", "-c", script, A_TOKEN="s3cr3t-of-the-user")
    while "it is" not in address.pane.screen():
        assert await place.host().is_alive(address) == "alive"
    assert address.pane.screen().splitlines()[0] == "it is ***, ***"
    assert address.output() == b"it is ***, ***\n"
    await address.teardown()


async def test_a_limit_of_memory_holds_in_a_window_too(place):
    """A process that asks for more than it may have is refused it."""
    context = place.context()
    program = "bytearray(200 * 2**20)"
    host = place.host(memory_mib_per_process=64)
    address = host.start(place.command(context, sys.executable, "-c", program), context)
    assert await host.wait(address) == 1
    assert b"MemoryError" in address.output()
    await address.teardown()
