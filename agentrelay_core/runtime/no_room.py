"""A disk that is full, or may not be written: nobody's fault, and for a person to mend, so the work waits."""

import errno
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agentrelay_core.runtime.errors import Fenced, Parked, UserError

# What fails while less than this is left, in bytes, is taken to fail for want of room: programs do not always say so.
ROOM = 1 << 20

_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def no_room(error: BaseException, places: Collection[Path] = ()) -> Parked | None:
    """Find out whether something failed for want of room.

    Args:
        error: What was raised; what it was raised from is looked at too.
        places: Where may have been written; their disks are looked at.

    Returns:
        What waits for a person, with the place and the remedy; `None` when it failed for another reason, or when the
        error says already what a person must do.
    """
    if isinstance(error, Parked | Fenced | UserError) or not isinstance(error, Exception):
        return None
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _ERRNOS:
            where = cause.filename or _fullest(places) or "the disk"
            text = f"{os.strerror(cause.errno)}: {os.fsdecode(where) if isinstance(where, bytes) else where}"
            return Parked(f"{text}; {_remedy(cause.errno)}")
        cause = cause.__cause__ or cause.__context__
    place = _fullest(places)
    if place is None:
        return None
    return Parked(f"{error}; the disk of {place} is full: {_remedy(errno.ENOSPC)}")


@contextmanager
def parking(places: Collection[Path] = ()) -> Iterator[None]:
    """Raise `Parked` instead of what fails for want of room in the body of the ``with``.

    Args:
        places: Where the body may write.
    """
    try:
        yield
    except Exception as error:
        parked = no_room(error, places)
        if parked is None:
            raise
        raise parked from error


def lacks_room(place: Path) -> bool:
    """Whether the disk of a place, which need not be there yet, is full: no bytes or no files are left on it."""
    while not place.exists() and place != place.parent:
        place = place.parent
    with suppress(OSError, AttributeError):  # no such call on Windows; what cannot be asked is not called full
        disk = os.statvfs(place)
        return disk.f_bavail * disk.f_frsize < ROOM or (disk.f_files > 0 and disk.f_favail == 0)
    return False


def _fullest(places: Collection[Path]) -> Path | None:
    return next((place for place in places if lacks_room(place)), None)


def _remedy(number: int) -> str:
    what = "make it writable" if number == errno.EROFS else "free at least 16 MiB there"
    return f"{what}, then type `agentrelay run`"
