"""Telling processes apart, by the process table of Linux and by that of `ps`."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agentrelay_core.processes import (
    ProcessIdentity,
    TableUnreadableError,
    alive,
    boot_id,
    find_marked,
    identify,
    run_captured,
    table,
)

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def test_identity_survives_json() -> None:
    """An identity written as plain data is the same afterwards."""
    own = identify(os.getpid())
    assert own is not None
    assert own.boot_id == boot_id() != ""
    assert ProcessIdentity.from_json(own.to_json()) == own


@pytest.mark.parametrize("data", [{}, {"pid": "1"}, {"pid": -1, "start_time": "1", "boot_id": "x"}])
def test_rubbish_is_no_identity(data: dict[str, object]) -> None:
    """Data of another shape is refused."""
    with pytest.raises(ValueError, match="not the identity of a process"):
        ProcessIdentity.from_json(data)


def test_life_and_end() -> None:
    """A process is alive until it ends; a zombie has ended, and so has one of another boot or start time."""
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    identity = identify(process.pid)
    assert identity is not None
    assert alive(identity) == "alive"
    assert alive(ProcessIdentity(pid=identity.pid, start_time="1", boot_id=identity.boot_id)) == "ended"
    assert alive(ProcessIdentity(pid=identity.pid, start_time=identity.start_time, boot_id="another")) == "ended"
    process.communicate()
    assert alive(identity) == "ended"
    assert identify(process.pid) is None


@linux_only
def test_unreadable_table_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the table cannot be read nothing has ended."""
    own = identify(os.getpid())
    assert own is not None

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", refuse)
    assert alive(own) == "unknown"


@linux_only
def test_marked_processes_are_found() -> None:
    """A process is found by a variable in its environment, and by its whole value alone."""
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, env={**os.environ, "A_MARK": "one two"})
    assert [identity.pid for identity in find_marked("A_MARK", "one two")] == [process.pid]
    assert find_marked("A_MARK", "one") == []
    assert find_marked("MARK", "one two") == []
    process.communicate()


@linux_only
def test_ps_and_proc_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `ps` says about a process is what /proc says."""
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, start_new_session=True)
    by_proc = table.read_entry(process.pid)
    monkeypatch.setattr(table, "_HAS_PROC", False)
    by_ps = table.read_entry(process.pid)
    assert by_proc is not None
    assert by_ps is not None
    assert (by_ps.pid, by_ps.group, by_ps.user, by_ps.ended) == (process.pid, process.pid, os.geteuid(), False)
    assert (by_proc.group, by_proc.user, by_proc.ended) == (by_ps.group, by_ps.user, by_ps.ended)
    assert by_ps in list(table.read_table())
    assert alive(ProcessIdentity(pid=process.pid, start_time=by_ps.start_time, boot_id=boot_id())) == "alive"
    assert table.command_line(process.pid) == "cat"
    process.communicate()
    assert table.read_entry(process.pid) is None


def test_failing_ps_is_unknown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A `ps` that is missing, or that complains, proves nothing."""
    monkeypatch.setattr(table, "_HAS_PROC", False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TableUnreadableError, match="program ps not found"):
        table.read_entry(1)
    (tmp_path / "ps").write_text("#!/bin/sh\necho broken >&2; exit 1\n")
    (tmp_path / "ps").chmod(0o755)
    with pytest.raises(TableUnreadableError, match="ps: broken"):
        table.read_entry(1)


def test_environment_in_the_output_of_ps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Elsewhere than on Linux the marker is found behind the command line, for our own user alone."""
    user = os.geteuid()
    (tmp_path / "ps").write_text(
        "#!/bin/sh\n"
        f"echo '  11 {user} sleep 600 HOME=/x MARK=/a/b PATH=/bin'\n"
        f"echo '  12 {user} sleep 600 HOME=/x MARK=/a b/c X=y'\n"
        f"echo '  13 {user + 1} sleep 600 MARK=/a/b'\n"
        f"echo '  14 {user} sleep 600 MARK=/a/b'\n"
        f"echo '  15 {user}'\n"
    )
    (tmp_path / "ps").chmod(0o755)
    monkeypatch.setattr(table, "_HAS_PROC", False)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert table.read_variable("MARK") == {11: "/a/b", 12: "/a b/c", 14: "/a/b"}


def test_short_programs_do_not_load_asyncio() -> None:
    """Importing the room, and running a short program, leaves asyncio alone."""
    script = (
        "import sys; from agentrelay_core.processes import run_captured; run_captured(['true'], deadline=9);"
        "print('asyncio' in sys.modules)"
    )
    assert run_captured([sys.executable, "-c", script], deadline=30).stdout == b"False\n"


@linux_only
def test_a_process_that_is_just_being_started_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel shows a program without variables for a moment, in which it must not be overlooked."""
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, env={"PATH": os.environ["PATH"], "MARK": "beginning"})
    looks = []
    variables = table._variables

    def late(pid: int) -> bytes:
        if pid == process.pid:
            looks.append(pid)
        return b"" if looks == [pid] else variables(pid)

    monkeypatch.setattr(table, "_variables", late)
    assert [identity.pid for identity in find_marked("MARK", "beginning")] == [process.pid]
    assert len(looks) == 2
    process.communicate()


@linux_only
def test_a_process_without_variables_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is nobody's; who is young may hold a look up for a quarter of a second, who is older for no time."""
    process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, env={})
    began = time.monotonic()
    assert find_marked("MARK", "nobody") == []
    assert time.monotonic() - began < 1.5
    monkeypatch.setattr(table, "_YOUNG", 0.0)
    looks = []
    variables = table._variables
    monkeypatch.setattr(table, "_variables", lambda pid: (looks.append(pid), variables(pid))[1])
    assert find_marked("MARK", "nobody") == []
    assert looks.count(process.pid) == 1
    process.communicate()
