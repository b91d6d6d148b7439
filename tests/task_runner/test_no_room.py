"""What fails for want of room waits for a person, whatever it was called."""

import errno
import os

import pytest
from memory_steps import Steps, make_runner, make_runtime

from agentrelay_core import AgentFailure, Fenced, Parked, TaskStatus, UserError
from agentrelay_core.runtime import no_room as module
from agentrelay_core.runtime.no_room import lacks_room, no_room, parking


@pytest.mark.fault("P6")
@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "free at least"), (errno.EDQUOT, "free at least"), (errno.EROFS, "make it writable")],
)
async def test_a_step_that_finds_no_room_parks_its_task(number, remedy):
    """The error names the place and what to do, wherever in the chain the system's word stands."""

    def prepare(runtime):
        try:
            raise OSError(number, os.strerror(number), "/full/place")
        except OSError as error:
            raise RuntimeError("could not be made") from error

    runtime = make_runtime()
    result = await make_runner(Steps(prepare=prepare)).run(runtime)
    assert result.status is TaskStatus.FAILED
    assert isinstance(runtime.failure, Parked)
    assert "/full/place" in result.error
    assert remedy in result.error
    assert "`agentrelay run`" in result.error


async def test_what_fails_beside_a_full_disk_is_parked(tmp_path, monkeypatch):
    """Programs do not always say why they failed: the disks where they write are asked."""

    def launch(runtime):
        raise AgentFailure("unable to write file")

    runtime = make_runtime()
    await make_runner(Steps(launch=launch), places=[tmp_path]).run(runtime)
    assert type(runtime.failure) is AgentFailure
    monkeypatch.setattr(module, "ROOM", 1 << 60)
    assert lacks_room(tmp_path / "not" / "there" / "yet")
    runtime = make_runtime()
    await make_runner(Steps(launch=launch), places=[tmp_path]).run(runtime)
    assert isinstance(runtime.failure, Parked)
    assert f"unable to write file; the disk of {tmp_path} is full" in str(runtime.failure)


@pytest.mark.parametrize("error", [Parked("x"), Fenced("x"), UserError("x"), PermissionError(errno.EACCES, "no")])
def test_other_errors_stay_what_they_are(error):
    """What says already who must act, or has nothing to do with room, is raised as it was."""
    assert no_room(error) is None
    with pytest.raises(type(error)) as raised, parking():
        raise error
    assert raised.value is error
