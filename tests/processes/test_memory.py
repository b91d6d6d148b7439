"""When memory runs out: whom the kernel ends, and what a limit does."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agentrelay_core.processes import Command, ProcessGroup, RecordedProgram

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone can be told")

MEMORY = Path("/sys/fs/cgroup/memory")
# Takes more and more memory, up to 2 GiB.
HUNGRY = """
held = []
for _ in range(256):
    held.append(bytearray(b"x" * 8 * 1024 * 1024))
"""
# As a session of ours: it has more memory than its agent needs to be ended, and tells how the agent ended.
OWNER = """
import asyncio, os, sys
from pathlib import Path
from agentrelay_core.processes import Command, RecordedProgram

(Path(sys.argv[1]) / "cgroup.procs").write_text(str(os.getpid()))
held = bytearray(b"x" * 120 * 1024 * 1024)
here = Path(sys.argv[2])
command = Command(argv=[sys.executable, "-c", sys.argv[3]], cwd=here, env={"MARK": str(here)}, output=here / "log")
program = RecordedProgram.start(command, attempt=here / "record", marker=("MARK", str(here)))
print(asyncio.run(program.wait()))
asyncio.run(program.stop())
"""


def command(tmp_path: Path, *argv: str, memory: int | None = None) -> Command:
    environment = {"PATH": os.environ["PATH"], "MARK": str(tmp_path)}
    return Command(argv=argv, cwd=tmp_path, env=environment, output=tmp_path / "log", memory=memory)


def preference(process: int | str) -> int:
    return int(Path(f"/proc/{process}/oom_score_adj").read_text())


@pytest.mark.fault("D8")
async def test_programs_are_offered_to_the_kernel_before_us(tmp_path: Path) -> None:
    """An agent, a gate and what they start are preferred; the runner process is worth as much as we are."""
    script = "sh -c 'cat /proc/self/oom_score_adj'; cat /proc/$PPID/oom_score_adj"
    program = RecordedProgram.start(
        command(tmp_path, "sh", "-c", script), attempt=tmp_path / "record", marker=("MARK", str(tmp_path))
    )
    assert await program.wait() == 0
    await program.stop()
    os.mkfifo(tmp_path / "fifo")
    group = ProcessGroup.start(command(tmp_path, "sh", "-c", "read line < fifo; cat /proc/self/oom_score_adj"))
    own = preference("self")
    preferred = min(own + 500, 1000)
    assert preferred > own
    assert preference(group.identity.pid) == preferred
    await asyncio.to_thread((tmp_path / "fifo").write_text, "go\n")
    await group.wait()
    await group.stop()
    assert (tmp_path / "log").read_text().split() == [str(preferred), str(own), str(preferred)]


@pytest.fixture
def small_memory() -> Iterator[Path]:
    """A control group that may use 256 MiB, where we may make one."""
    mine = [line.split(":")[2] for line in Path("/proc/self/cgroup").read_text().splitlines() if ":memory:" in line]
    group = MEMORY / mine[0].lstrip("/") / f"agentrelay-test-{os.getpid()}" if mine else MEMORY / "none"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(256 * 1024 * 1024))
    except OSError as error:
        pytest.skip(f"no control group of memory can be made here: {error}")
    yield group
    group.rmdir()


@pytest.mark.fault("D8")
async def test_the_kernel_ends_the_agent(small_memory: Path, tmp_path: Path) -> None:
    """Where memory runs out, the agent is ended, though we have more of it, and its end is written down."""
    owner = await asyncio.create_subprocess_exec(
        *[sys.executable, "-c", OWNER, str(small_memory), str(tmp_path), HUNGRY], stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(owner.communicate(), 60)
    assert (owner.returncode, said) == (0, b"-9\n")


@pytest.mark.fault("D8")
@pytest.mark.parametrize(("limit", "ends"), [(None, 0), (64, 1)])
async def test_a_limit_holds_for_each_process(tmp_path: Path, limit: int | None, ends: int) -> None:
    """A process of the program gets no more memory than allowed, and its end says so; others go on."""
    script = 'python3() { "$PYTHON" -c "$1"; }; python3 "held = bytearray(200 * 1024 * 1024)"; echo "ended $?"'
    size = None if limit is None else limit * 1024 * 1024
    starts = command(tmp_path, "sh", "-c", script.replace("$PYTHON", sys.executable), memory=size)
    program = RecordedProgram.start(starts, attempt=tmp_path / "record", marker=("MARK", str(tmp_path)))
    assert await program.wait() == 0
    await program.stop()
    printed = (tmp_path / "log").read_text()
    assert printed.splitlines()[-1] == f"ended {ends}"
    assert ("MemoryError" in printed) == bool(ends)
