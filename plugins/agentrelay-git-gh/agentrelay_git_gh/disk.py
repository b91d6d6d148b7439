"""A disk that is full or read-only is a person's matter: the task is parked, and goes on when there is room."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from agentrelay_core.runtime import Parked

_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


@contextmanager
def parking_without_room() -> Iterator[None]:
    """Say of a file that cannot be written for want of room what `trusted` says of git; also a decorator.

    Raises:
        Parked: The disk is full or read-only; names the file.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            where = f" to {error.filename}" if error.filename is not None else ""
            raise Parked(f"could not write{where}: {error.strerror}; make room, then run again") from error
        raise
