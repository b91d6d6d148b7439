"""Where a journal may live: a private directory on a local disk.

SQLite's write-ahead log shares memory between processes, which no network file system can do, and ``flock`` there
guards nothing (faults O11).
"""

from collections.abc import Callable
from pathlib import Path

from agentrelay_core.journal.errors import JournalError

PRIVATE = 0o700

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "afs", "ncpfs", "fuse.sshfs", "fuse.smbnetfs"})
_ESCAPES = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}

MountTable = Callable[[], str]


def system_mounts() -> str:
    """The text of the system's mount table; empty where there is none to read (macOS, Windows)."""
    try:
        return Path("/proc/self/mounts").read_text("utf-8", "replace")
    except OSError:
        return ""


def private_directory(path: Path) -> Path:
    """Make a directory, and those above it that are missing, for the user alone (mode 0700).

    Args:
        path: The directory; one that exists is left as it is.

    Returns:
        The same path.
    """
    missing = [directory for directory in (path, *path.parents) if not directory.exists()]
    for directory in reversed(missing):
        directory.mkdir(mode=PRIVATE, exist_ok=True)
    return path


def refuse_network_disk(path: Path, mounts: MountTable = system_mounts) -> None:
    """Make sure that a path is not on a network file system.

    Args:
        path: The path; it need not exist.
        mounts: Gives the mount table, in the format of ``/proc/mounts``.

    Raises:
        JournalError: It is; the text names the mount point and its type.
    """
    place = path.resolve()
    # The longest mount point above the path holds it; of two mounts on one point the later hides the earlier.
    longest, kind = Path(), ""
    for line in mounts().splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(_unescape(fields[1]))
        if place.is_relative_to(point) and len(point.parts) >= len(longest.parts):
            longest, kind = point, fields[2]
    if kind in _NETWORK:
        raise JournalError(
            f"the journal cannot be kept in {path.parent}: {longest} is a network file system ({kind}), on which "
            f"neither its write-ahead log nor its lock can be trusted. "
            f"Set AGENTRELAY_STATE_DIR to a directory on a local disk, then run it again"
        )


def _unescape(field: str) -> str:
    if "\\" in field:
        for escape, character in _ESCAPES.items():
            field = field.replace(escape, character)
    return field
