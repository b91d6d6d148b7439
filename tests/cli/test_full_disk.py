"""Disks that fill up under a run: it says what is full, waits for a person, and goes on once there is room."""

import os
import subprocess

import pytest

DISK = 4 << 20  # bytes
IN_STATE = (0, 16, 40, 64, 96, 128, 160, 192, 256)  # KiB left, so that each write is once the first that fails
IN_REPOSITORY = (0, 8, 16, 40, 80, 100, 120, 160)


@pytest.fixture
def disk(tmp_path):
    """A disk of 4 MiB, mounted where both the repository and the state can be put on it by a link."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", str(place)]
    if os.name != "posix" or os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def _fill(disk, left):
    """Leave so many KiB on a disk."""
    room = os.statvfs(disk)
    filler = disk / "filler"
    filler.write_bytes(b"x" * max(0, room.f_bavail * room.f_frsize - left * 1024))
    return filler


def _ends_well_once_there_is_room(shell, filler):
    """Run on a full disk, make room, and run again."""
    first = subprocess.run(
        shell.command("run"), cwd=shell.path, env=shell.environment, capture_output=True, text=True, timeout=240
    )
    told = first.stdout + first.stderr
    assert first.returncode == 4, told
    assert "Traceback" not in told
    assert "No space left" in told or "no space is left" in told or "is full" in told, told
    assert "`agentrelay run`" in told
    filler.unlink()
    shell("run")
    assert shell.git("ls-tree", "--name-only", "agentrelay/g@default").split() == ["one.txt"]
    assert shell.git("ls-tree", "--name-only", "agentrelay/g@side").split() == ["one.txt", "two.txt"]
    assert shell.git("show", "agentrelay/g@side:two.txt") == "two"
    assert shell.git("fsck", "--strict", "--no-progress") == ""
    assert len(shell.git("worktree", "list").splitlines()) == 1
    places = [shell.path, shell.environment["AGENTRELAY_STATE_DIR"]]
    kept = [name for place in places for _, folders, files in os.walk(place) for name in (*folders, *files)]
    half_made = [name for name in kept if name.startswith("transfer-") or name.endswith((".lock", ".tmp"))]
    assert set(half_made) <= {"owner.lock"}  # by which a run is owned


@pytest.mark.slow
@pytest.mark.fault("O9", "P6")
@pytest.mark.parametrize("left", IN_STATE)
def test_a_full_disk_of_the_state_waits_for_room(shell, disk, left):
    """Journal, bare repository and agents' records: exit 4, the remedy, and the same result afterwards."""
    state = disk / "state"
    state.mkdir(mode=0o700)
    shell.environment["AGENTRELAY_STATE_DIR"] = str(state)
    _ends_well_once_there_is_room(shell, _fill(disk, left))


@pytest.mark.slow
@pytest.mark.fault("P6")
@pytest.mark.parametrize("left", IN_REPOSITORY)
def test_a_full_disk_of_the_repository_waits_for_room(shell, disk, left):
    """Worktrees, refs and protocol files: exit 4, the remedy, and the same result afterwards."""
    moved = disk / "repository"
    subprocess.run(["cp", "-a", str(shell.path), str(moved)], check=True)
    shell.path = moved
    _ends_well_once_there_is_room(shell, _fill(disk, left))
