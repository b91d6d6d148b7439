"""CPU time of programs that run for long."""

import asyncio
import os
import sys

import pytest

from agentrelay_core.processes import Command, ProcessGroup, ProcessIdentity, boot_id, table, usage

BURN = """
import os, sys, time
def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end: pass
if os.fork() == 0:
    burn(0.3)
    os._exit(0)
os.wait()
burn(0.3)
open(sys.argv[1], "w").close()
time.sleep(600)
"""


async def test_what_a_program_and_its_children_used_is_counted(tmp_path, monkeypatch):
    """Children that have ended count, once they were waited for."""
    monkeypatch.setattr(usage, "MOMENT", 0.0)
    os.mkfifo(tmp_path / "ready")
    group = ProcessGroup.start(
        Command(
            argv=[sys.executable, "-c", BURN, str(tmp_path / "ready")],
            cwd=tmp_path,
            env=dict(os.environ),
            output=tmp_path / "log",
        )
    )
    try:
        await asyncio.to_thread((tmp_path / "ready").read_bytes)
        assert 0.5 < group.cpu_seconds() < 5.0
    finally:
        await group.stop(grace=1.0)
    assert group.cpu_seconds() is None


def test_of_nobody_nothing_is_known():
    """A number that leads no group and no session has no time."""
    assert usage.cpu_seconds(ProcessIdentity(pid=2**22 + 1, start_time="1", boot_id=boot_id())) is None


def test_one_reading_serves_all_who_ask_within_a_moment(monkeypatch):
    """A thousand programs are asked for at one time, and the table is read once."""
    readings = []
    monkeypatch.setattr(usage, "cpu_times", lambda: readings.append(1) or [(7, 7, 1.5), (8, 7, 0.5)])
    monkeypatch.setattr(usage, "MOMENT", 60.0)
    shared = usage._Shared()
    assert [shared.latest() for _ in range(1000)][-1] == {7: 2.0, 8: 0.5}
    assert len(readings) == 1


@pytest.mark.parametrize(
    ("shown", "seconds"), [("0:01.50", 1.5), ("12:03", 723.0), ("01:00:01", 3601.0), ("2-00:00:01", 172_801.0)]
)
def test_times_of_ps_are_read(shown, seconds):
    """Both the short form of macOS and the long one of other systems."""
    assert table._seconds_of_ps(shown) == seconds
